"""Backup and restore of the state folder: everything that survives a restart, in one `.tar.gz`.

A backup may be taken while the bot serves: every database (the bot's, and the ledger of Replicate jobs) is copied by
SQLite's backup API and checked, and pictures are never incomplete. Links in the state folder were made by the operator
and are followed, so a folder on another disk is in the backup too. The portrait cache, logs and incomplete files are
left out. The archive is read back and compared before it counts as saved. A restore needs a folder that no bot uses,
checks the archive before it changes anything, and renames the old folder instead of deleting it.
"""

import contextlib
import hashlib
import io
import logging
import os
import sqlite3
import stat
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from bot.errors import BotError
from bot.store.database import locked
from bot.store.schema import VERSION
from configs.foreign import kind_of
from configs.printable import printable
from inference.files import written_aside

log = logging.getLogger(__name__)

DATABASE = "bot.sqlite3"
_LEFT_OUT = frozenset({"bot.lock", "portraits", "logs"})
_ENDINGS = (".part", "-wal", "-shm", "-journal")
"""Incomplete files, and SQLite's files beside a database, whose content the database's copy already has."""
_SQLITE = b"SQLite format 3\0"
_MOST_BYTES = 200 * 2**30  # of unpacked files, chosen by hand: bounds what a manipulated archive can write
_PIECE = 2**20  # bytes read at a time
_PATIENCE_S = 60.0  # s to wait for a lock of the database, chosen by hand: the bot's own transactions are far shorter


class BackupError(BotError):
    """A backup cannot be written or read."""


def backup(data_dir: Path, archive: Path) -> int:
    """Write the state in `data_dir` into `archive`; returns the number of files. Raises BackupError.

    Anything that is neither file nor folder is left out with a warning.
    """
    if not (data_dir / DATABASE).exists():
        raise BackupError(f"there is no state in {data_dir} to back up: is BADGE_DATA_DIR right?")
    try:
        with written_aside(archive, mode=0o600) as part, tempfile.TemporaryDirectory() as folder:
            hashes: dict[str, str] = {}
            with tarfile.open(part, "w:gz", compresslevel=1, format=tarfile.PAX_FORMAT) as tar:
                for path, name in _files(data_dir, {archive.absolute(), part.absolute()}):
                    with contextlib.suppress(FileNotFoundError):  # an old picture was removed meanwhile
                        source = path
                        if _is_database(path):
                            source = Path(folder) / "copy.sqlite"
                            _copy_database(path, source)
                        hashes[name] = _add(tar, source, name)
            if DATABASE not in hashes:
                raise BackupError(f"{data_dir / DATABASE} is not an SQLite database: restore an earlier backup")
            _read_back(part, hashes)
    except OSError as error:
        raise BackupError(f"cannot write the backup {archive}: {error.strerror or error}") from error
    return len(hashes)


def restore(data_dir: Path, archive: Path) -> int:
    """Replace `data_dir` by the content of `archive`; returns the number of files. The old folder is renamed.

    Raises BackupError if `archive` was not made by `backup`, StartError while a bot uses the folder.
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
        _check(fresh, archive)
        with locked(data_dir):
            aside = data_dir.with_name(f"{data_dir.name}.before-{time.strftime('%Y%m%d-%H%M%S')}")
            data_dir.rename(aside)
            fresh.rename(data_dir)
    return count


def _files(data_dir: Path, but: set[Path]) -> Iterator[tuple[Path, str]]:
    """(path, name in the archive) of every file to save, sorted by name; links are followed, each folder once."""
    seen: set[tuple[int, int]] = set()

    def below(folder: Path, name: PurePosixPath) -> Iterator[tuple[Path, str]]:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        for entry in sorted(os.scandir(folder), key=lambda each: each.name):
            path, inner = Path(entry.path), name / entry.name
            if inner.parts[0] in _LEFT_OUT or inner.name.endswith(_ENDINGS) or path.absolute() in but:
                continue
            try:
                mode = path.stat().st_mode
            except OSError as error:
                _leave_out(inner, f"a broken link, or not readable: {error.strerror}")
                continue
            if stat.S_ISDIR(mode):
                yield from below(path, inner)
            elif stat.S_ISREG(mode):
                yield path, str(inner)
            else:
                _leave_out(inner, kind_of(path.resolve()))

    yield from below(data_dir, PurePosixPath())


def _leave_out(name: PurePosixPath, why: str) -> None:
    log.warning("left out of the backup: %s (%s)", printable(str(name)), why)


def _is_database(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


def _copy_database(source: Path, copy: Path) -> None:
    """A consistent, checked copy, also while the bot writes. Raises BackupError."""
    copy.unlink(missing_ok=True)
    try:
        with (
            contextlib.closing(sqlite3.connect(source, timeout=_PATIENCE_S)) as old,
            contextlib.closing(sqlite3.connect(copy)) as new,
        ):
            old.backup(new)
            whole = new.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as error:
        raise BackupError(f"the database {source} cannot be copied: {error}") from error
    if whole != "ok":
        raise BackupError(
            f"the database {source} is damaged ({printable(str(whole))[:100]}): restore an earlier backup"
        )


def _add(tar: tarfile.TarFile, path: Path, name: str) -> str:
    """Add the file's content as a regular member, also if it is a hard link; returns its SHA-256."""
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        member = tarfile.TarInfo(name)
        member.size, member.mtime, member.mode = status.st_size, int(status.st_mtime), 0o600
        reader = _Hashing(file)
        tar.addfile(member, reader)
        return reader.digest.hexdigest()


class _Hashing(io.RawIOBase):
    """Reads a file and computes the SHA-256 of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._file.read(size)
        self.digest.update(piece)
        return piece


def _read_back(part: Path, hashes: dict[str, str]) -> None:
    """Compare every member of the new archive with what was written. Raises BackupError."""
    found: dict[str, str] = {}
    try:
        with tarfile.open(part, "r:gz") as tar:
            for member in tar:
                _require_ours(member)
                digest = hashlib.sha256()
                content = tar.extractfile(member) or io.BytesIO()
                while piece := content.read(_PIECE):
                    digest.update(piece)
                found[member.name] = digest.hexdigest()
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"the backup does not read back as it was written: {error}; is the disk sound?") from error
    if found != hashes:
        raise BackupError("the backup does not read back as it was written: is the disk sound?")


def _require_ours(member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if not member.isfile() or name.is_absolute() or ".." in name.parts:
        raise BackupError(
            f"{printable(member.name)!r} in the backup is not a regular file of ours: nothing was restored"
        )


def _unpack(tar: tarfile.TarFile, folder: Path) -> int:
    """Unpack the archive's regular files below `folder`; any other member is refused."""
    left, count = _MOST_BYTES, 0
    for member in tar:
        if member.isdir():
            continue
        _require_ours(member)
        left -= member.size
        if left < 0:
            raise BackupError(f"the backup holds more than {_MOST_BYTES // 2**30} GB: nothing was restored")
        target = folder / member.name
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        target.touch(mode=0o600)
        content = tar.extractfile(member) or io.BytesIO()
        with target.open("wb") as file:
            while block := content.read(_PIECE):
                file.write(block)
        count += 1
    return count


def _check(folder: Path, archive: Path) -> None:
    """Check every database in the backup, and that the bot's is not of a later version. Raises BackupError."""
    if not (folder / DATABASE).exists():
        raise BackupError(f"{archive} is not a backup of a bot: it contains no {DATABASE}")
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or not (_is_database(path) or path.name == DATABASE):
            continue
        try:
            with contextlib.closing(sqlite3.connect(path)) as connection:
                sound = connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
                version = int(connection.execute("PRAGMA user_version").fetchone()[0])
        except sqlite3.Error as error:
            raise BackupError(f"the database in {archive} is damaged: {error}") from error
        if not sound:
            raise BackupError(f"the database in {archive} is damaged ({path.name})")
        if path == folder / DATABASE and version > VERSION:
            raise BackupError(f"{archive} was made by a later version ({version}, here {VERSION}): update the program")
