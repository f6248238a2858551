"""The example badge of the greeting: a picture of the owner's, or the one that ships."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from configs.sections.bot import WelcomeSettings

SHIPPED = Path(__file__).with_name("example.jpg")


@dataclass(frozen=True)
class Example:
    """A picture, and the fact of the store that holds Telegram's file id of it."""

    photo: bytes
    fact: str


def example_for(settings: WelcomeSettings, user_id: int) -> Example | None:
    """The example for this person, of several one each in turn; None where the owner's file cannot be read."""
    files = [Path(name) for name in settings.examples] or [SHIPPED]
    return _read(files[user_id % len(files)])


@lru_cache(maxsize=16)
def _read(file: Path) -> Example | None:
    try:
        photo = file.read_bytes()
    except OSError:  # --check says so; the greeting goes without it
        return None
    return Example(photo, f"example {hashlib.sha256(photo).hexdigest()[:16]}")
