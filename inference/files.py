"""Writing files so that nobody ever sees half of one: aside, fsync, rename; and lines that survive a crash.

And a lock, for folders that only one process may write into; a folder kept within a size; a file's SHA-256.
"""

import fcntl
import hashlib
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path

from inference.errors import InvalidRequest, RenderFailed


@contextmanager
def written_aside(path: Path, mode: int = 0o666) -> Iterator[Path]:
    """An empty file beside `path` to write into; it becomes `path` when the block ends, and goes where it raises.

    Nobody ever sees half of it, and it is on the disk when this returns. `mode` as in `os.open`: less the umask.
    Raises OSError.
    """
    # 40 characters of at most 4 bytes each leave room in the 255 bytes of a name.
    aside = path.with_name(f".{path.name[:40]}.{secrets.token_hex(4)}.part")
    descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, mode)
    try:
        given = stat.S_IMODE(os.fstat(descriptor).st_mode)
        os.close(descriptor)
        yield aside
        aside.chmod(given)  # safetensors and others put a file of their own there
        _sync(aside, os.O_RDWR)
        aside.replace(path)
        _sync(path.parent, os.O_RDONLY)
    except BaseException:
        with suppress(OSError):  # why it failed matters more than what is left behind
            aside.unlink(missing_ok=True)
        raise


PRIVATE = 0o600
"""The mode of files under `data_dir`: what was drawn and asked for is nobody else's."""


def private_folder(folder: Path) -> None:
    """Make `folder` and those above it that are missing, for this user alone. Raises OSError."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)


def write_atomically(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write `data` to `path` whole or not at all. Raises RenderFailed, and leaves nothing, where that fails."""
    try:
        with written_aside(path, mode) as aside:
            aside.write_bytes(data)
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
def alone_in(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process alone, without leaving a file in it; the system lets go when the process ends.

    Raises InvalidRequest where another process holds it. On a file system without locks nothing is held.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise InvalidRequest(
                f"another batch is being drawn into {folder}: wait until it has finished, or name "
                "another folder with --out"
            ) from error
        except OSError:  # such as some network file systems
            pass
        yield
    finally:
        os.close(descriptor)


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


def shrink_folder(folder: Path, pattern: str, limit: int) -> int:
    """Delete files unused for longest until those left take at most nine tenths of `limit`, if they take more than it.

    The bytes that those left take. It looks at every file, so a frequent caller keeps a running sum of its own.
    Safe beside other processes doing the same: a file that has been deleted meanwhile is no error.
    """
    found = []
    for path in folder.glob(pattern):
        try:
            about = path.stat()
        except FileNotFoundError:
            continue
        found.append((about.st_mtime_ns, about.st_size, path))
    total = sum(size for _, size, _ in found)
    if total <= limit:
        return total
    for _, size, path in sorted(found):
        if total <= limit * 0.9:
            break
        path.unlink(missing_ok=True)
        total -= size
    return total


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex, remembered by path, size and time of change."""
    about = path.stat()
    return _sha256(path, about.st_size, about.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
