"""Writing files so that nobody ever sees half of one: aside, fsync, rename; and lines that survive a crash.

And a lock, for folders that only one process may write into.
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inference.errors import InvalidRequest, RenderFailed


def write_atomically(path: Path, data: bytes) -> None:
    """Write `data` to `path` whole or not at all. Raises RenderFailed, and leaves nothing, where that fails."""
    try:
        descriptor, aside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".part")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(aside).chmod(0o666 & ~_umask())
            Path(aside).replace(path)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise RenderFailed(f"cannot write {path}: {error.strerror}") from error


def append_line(path: Path, line: str) -> None:
    """Append one line and see it to the disk. Raises RenderFailed where that fails."""
    try:
        with path.open("ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise RenderFailed(f"cannot write {path}: {error.strerror}") from error


def require_writable(folder: Path) -> None:
    """Make `folder` where it is missing, and try that files can be made in it.

    Raises InvalidRequest where not; nothing is left behind then.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except (FileExistsError, NotADirectoryError) as error:
        raise InvalidRequest(f"{folder} is not a folder: name another place with --out") from error
    except OSError as error:
        raise InvalidRequest(f"cannot write into {folder}: {error.strerror}; name another place with --out") from error


@contextmanager
def held(lock: Path, mode: int = 0o666) -> Iterator[bool]:
    """Hold the file `lock`, made with `mode` where it is missing, for this process alone: whether that succeeded.

    The system lets go when the process ends, however it ends, so a file that was left behind stops nobody. Raises
    OSError where it cannot be made, or on a file system without locks.
    """
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
