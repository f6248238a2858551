"""One bot a state folder: a lock that the system itself lets go when the process ends, however it ends."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bot.errors import StartError
from inference.files import held


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the state folder for this process alone. Raises StartError where another bot has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(folder / "bot.lock", mode=0o600) as alone:
        if not alone:
            raise StartError(f"another bot is using {folder}: stop it, or set BADGE_DATA_DIR to another folder")
        yield
