"""The example badge of the greeting: one of `bot.welcome.examples`, or the shipped picture."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from configs.sections.bot import WelcomeSettings

SHIPPED = Path(__file__).with_name("example.jpg")


@dataclass(frozen=True)
class Example:
    """A picture, and the key of the stored fact that holds its Telegram file id."""

    photo: bytes
    fact: str


def example_for(settings: WelcomeSettings, user_id: int) -> Example | None:
    """The example for this person (by user id, if there are several); None if the file cannot be read."""
    files = [Path(name) for name in settings.examples] or [SHIPPED]
    return _read(files[user_id % len(files)])


@lru_cache(maxsize=16)
def _read(file: Path) -> Example | None:
    try:
        photo = file.read_bytes()
    except OSError:  # --check reports it; the greeting is sent without a picture
        return None
    return Example(photo, f"example {hashlib.sha256(photo).hexdigest()[:16]}")
