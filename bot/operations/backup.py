"""Backup and restore of the state folder: everything that survives a restart, in one `.tar.gz`.

A backup may be taken while the bot serves: the database is copied by SQLite's own backup, pictures are never half
written. The portrait cache, logs and half-written files stay out; they can be made again. A restore needs a folder
that no bot uses, checks the archive before it touches anything, and keeps what was there beside it.
"""

import contextlib
import io
import sqlite3
import tarfile
import tempfile
import time
from pathlib import Path, PurePosixPath

from bot.errors import BotError
from bot.store.lock import locked
from bot.store.schema import VERSION
from inference.files import written_aside

DATABASE = "bot.sqlite3"
_LEFT_OUT = frozenset({"bot.lock", DATABASE, f"{DATABASE}-wal", f"{DATABASE}-shm", "portraits", "logs"})
_MOST_BYTES = 200 * 2**30


class BackupError(BotError):
    """A backup cannot be written or read."""


def backup(data_dir: Path, archive: Path) -> int:
    """Write the state in `data_dir` into `archive`; how many files. Raises BackupError."""
    source = data_dir / DATABASE
    if not source.exists():
        raise BackupError(f"there is no state in {data_dir} to back up: is BADGE_DATA_DIR right?")
    try:
        with written_aside(archive, mode=0o600) as part, tempfile.TemporaryDirectory() as folder:
            copy = Path(folder) / DATABASE
            _copy_database(source, copy)
            files = [
                file for file in sorted(data_dir.rglob("*")) if _belongs(file.relative_to(data_dir)) and file.is_file()
            ]
            with tarfile.open(part, "w:gz", compresslevel=1) as tar:
                tar.add(copy, DATABASE)
                for file in files:
                    with contextlib.suppress(FileNotFoundError):  # an old picture removed meanwhile
                        tar.add(file, str(file.relative_to(data_dir)))
    except OSError as error:
        raise BackupError(f"cannot write the backup {archive}: {error.strerror or error}") from error
    return len(files) + 1


def restore(data_dir: Path, archive: Path) -> int:
    """Make `data_dir` what `archive` holds; how many files. What was there is renamed, not deleted.

    Raises BackupError for an archive that is not one of ours, StartError while a bot uses the folder.
    """
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data_dir.parent) as temporary:
        fresh = Path(temporary) / "state"
        fresh.mkdir(mode=0o700)
        try:
            with tarfile.open(archive, "r:gz") as tar:
                count = _unpack(tar, fresh)
        except (tarfile.TarError, EOFError, OSError) as error:
            raise BackupError(
                f"cannot read the backup {archive}: {getattr(error, 'strerror', None) or error}"
            ) from error
        _check(fresh / DATABASE, archive)
        with locked(data_dir):
            aside = data_dir.with_name(f"{data_dir.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
            data_dir.rename(aside)
            fresh.rename(data_dir)
    return count


def _belongs(path: Path) -> bool:
    return path.parts[0] not in _LEFT_OUT and path.suffix != ".part"


def _copy_database(source: Path, copy: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(source)) as old, contextlib.closing(sqlite3.connect(copy)) as new:
            old.backup(new)
    except sqlite3.Error as error:
        raise BackupError(f"the database {source} cannot be copied: {error}") from error


def _unpack(tar: tarfile.TarFile, folder: Path) -> int:
    """Write the archive's plain files below `folder`; anything else in it is refused."""
    left, count = _MOST_BYTES, 0
    for member in tar:
        name = PurePosixPath(member.name)
        if member.isdir():
            continue
        if not member.isfile() or name.is_absolute() or ".." in name.parts:
            raise BackupError(f"{member.name!r} in the backup is no plain file of ours: nothing was restored")
        left -= member.size
        if left < 0:
            raise BackupError(f"the backup holds more than {_MOST_BYTES // 2**30} GB: nothing was restored")
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.touch(mode=0o600)
        content = tar.extractfile(member) or io.BytesIO()
        with target.open("wb") as file:
            while block := content.read(2**20):
                file.write(block)
        count += 1
    return count


def _check(database: Path, archive: Path) -> None:
    """Whether the database in the backup is whole, and not of a later version."""
    if not database.exists():
        raise BackupError(f"{archive} is no backup of a bot: it holds no {DATABASE}")
    try:
        with contextlib.closing(sqlite3.connect(database)) as connection:
            sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
            version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    except sqlite3.Error as error:
        raise BackupError(f"the database in {archive} is damaged: {error}") from error
    if not sound:
        raise BackupError(f"the database in {archive} is damaged")
    if version > VERSION:
        raise BackupError(f"{archive} was made by a later version ({version}, here {VERSION}): update the program")
