"""Writing files so that nobody ever sees half of one: aside, fsync, rename; and lines that survive a crash."""

import os
import tempfile
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
