"""One bot a state folder: a lock that the system itself lets go when the process ends, however it ends."""

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from bot.errors import StartError


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the state folder for this process alone. Raises StartError where another bot has it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    lock = folder / "bot.lock"
    lock.touch(mode=0o600)
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StartError(
                f"another bot is using {folder}: stop it, or set BADGE_DATA_DIR to another folder"
            ) from error
        yield
