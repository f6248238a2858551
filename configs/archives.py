"""Archives that others made, read in place: ZIP and tar, never unpacked to disk, bounded before they swell.

An archive with a link, a device, an absolute path or `..` is refused whole: nothing we read needs one. What other
systems leave beside people's files (`__MACOSX`, `._x`, `.DS_Store`, `Thumbs.db`) is passed over. Names and sizes come
from headers; of what is packed only as much is unpacked as was asked for.
"""

import contextlib
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from configs.foreign import is_companion, kind_of
from configs.printable import printable

TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
ENDINGS = (".zip", *TARS)
MOST_BYTES = 4 * 2**30
MOST_MEMBERS = 10_000
_PIECE = 2**20
"""The most that is read at once. A tar's own long names and pax headers come in one read: none is as long as this."""
_BROKEN = (
    OSError, tarfile.TarError, zipfile.BadZipFile, EOFError, ValueError, zlib.error, lzma.LZMAError, RuntimeError,
    NotImplementedError, LookupError, OverflowError,
)  # fmt: skip


class ArchiveError(ValueError):
    """The archive is refused; the message is one line that starts with a verb, such as "is damaged"."""


@dataclass(frozen=True)
class Member:
    """A file in an archive: its name as written there, and its size unpacked in bytes."""

    name: str
    size: int


def is_archive(name: str) -> bool:
    """Whether a file is an archive by its ending."""
    return name.lower().endswith(ENDINGS)


def members(path: Path, most: int = MOST_BYTES) -> list[Member]:
    """The files in the archive, in its order, companions left out. Raises ArchiveError."""
    total, found = 0, []
    with _translated(), _opened(path, most) as archive:
        for count, (name, size, kind) in enumerate(archive.listing(), start=1):
            shown = printable(name)[:80]
            parts = PurePosixPath(name)
            if parts.is_absolute() or ".." in parts.parts or "\\" in name or "\0" in name or name[1:2] == ":":
                raise ArchiveError(f"is not trustworthy: {shown!r} points outside it")
            if kind not in ("file", "folder"):
                raise ArchiveError(f"is not trustworthy: {shown!r} is {kind}")
            total += size
            if total > most or count > MOST_MEMBERS:
                raise ArchiveError(f"is too large: more than {_size(most)} or {MOST_MEMBERS:,} files unpacked")
            if kind == "file" and not is_companion(name):
                found.append(Member(name, size))
    return found


@contextlib.contextmanager
def opened_member(path: Path, name: str, most: int = MOST_BYTES) -> Iterator[IO[bytes]]:
    """The content of one member to read from, unpacked as it is read, at most `most` bytes. Raises ArchiveError."""
    with _translated(), _opened(path, most) as archive, archive.open(name) as file:
        yield file


def read_member(path: Path, name: str, most: int = MOST_BYTES) -> bytes:
    """The bytes of one member. Raises ArchiveError, also where it has more than `most`."""
    pieces, size = [], 0
    with opened_member(path, name, max(most, MOST_BYTES)) as file:
        while piece := file.read(_PIECE):
            size += len(piece)
            if size > most:
                raise ArchiveError(f"holds {printable(name)[:80]!r}, which has more than {_size(most)}")
            pieces.append(piece)
    return b"".join(pieces)


def _size(most: int) -> str:
    return f"{most >> 30} GiB" if most >> 30 else f"{most >> 20} MiB"


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except ArchiveError:
        raise
    except _Swollen as error:
        raise ArchiveError(f"is too large: {error}") from error
    except _BROKEN as error:
        reason = printable(str(getattr(error, "strerror", None) or error))[:120]
        raise ArchiveError(f"is damaged: {reason}") from error


class _Swollen(Exception):
    """More was unpacked than allowed."""


class _Bounded(io.RawIOBase):
    """An unpacked stream that stops at `most` bytes, and never gives more than a piece at once."""

    def __init__(self, inner: BinaryIO, most: int) -> None:
        self._inner, self._most = inner, most

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._inner.tell()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        target = offset + (self._inner.tell() if whence == io.SEEK_CUR else 0)
        if whence == io.SEEK_END:
            raise io.UnsupportedOperation("the end of a packed stream is not known")
        self._check(target)
        return self._inner.seek(target)

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > 2 * _PIECE:
            raise _Swollen("a name or a header in it is longer than a megabyte")
        self._check(self._inner.tell() + size)
        return self._inner.read(size)

    def _check(self, place: int) -> None:
        if place > self._most + 2 * _PIECE:
            raise _Swollen(f"more than {_size(self._most)} unpacked")


class _Tar:
    def __init__(self, file: BinaryIO, most: int) -> None:
        self._tar = tarfile.open(fileobj=cast("IO[bytes]", _Bounded(file, most)), mode="r:")  # noqa: SIM115 (closed by `_opened`)

    def listing(self) -> Iterator[tuple[str, int, str]]:
        for member in self._tar:
            kind = "file" if member.isreg() else "folder" if member.isdir() else "a link or a device"
            yield member.name, member.size, kind

    def open(self, name: str) -> IO[bytes]:
        # Not by name: that would read the whole archive first, and a packed stream again from its start.
        file = next((self._tar.extractfile(member) for member in self._tar if member.name == name), None)
        if file is None:
            raise ArchiveError(f"holds no file {printable(name)!r}")
        return file

    def close(self) -> None:
        self._tar.close()


class _Zip:
    def __init__(self, file: BinaryIO) -> None:
        self._zip = zipfile.ZipFile(file)

    def listing(self) -> Iterator[tuple[str, int, str]]:
        for info in self._zip.infolist():
            mode = info.external_attr >> 16
            kind = "folder" if info.is_dir() else "file"
            if info.create_system == 3 and mode & 0o170000 not in (0, 0o100000, 0o040000):
                kind = "a link or a device"
            if info.flag_bits & 1:
                raise ArchiveError("is locked with a password: unpack it")
            yield info.filename, info.file_size, kind

    def open(self, name: str) -> IO[bytes]:
        return self._zip.open(name)

    def close(self) -> None:
        self._zip.close()


@contextlib.contextmanager
def _opened(path: Path, most: int) -> Iterator[_Tar | _Zip]:
    with contextlib.ExitStack() as stack:
        if kind := kind_of(path.resolve()):
            raise ArchiveError(f"is {kind}, not a file")
        raw = stack.enter_context(path.open("rb"))
        start = raw.read(6)
        raw.seek(0)
        archive = _Zip(raw) if start[:2] == b"PK" else _Tar(_unpacker(raw, start, stack), most)
        stack.callback(archive.close)
        yield archive


def _unpacker(raw: BinaryIO, start: bytes, stack: contextlib.ExitStack) -> BinaryIO:
    if start[:2] == b"\x1f\x8b":
        return cast("BinaryIO", stack.enter_context(gzip.GzipFile(fileobj=raw)))
    if start[:3] == b"BZh":
        import bz2

        return cast("BinaryIO", stack.enter_context(bz2.BZ2File(raw)))
    if start == b"\xfd7zXZ\0":
        return cast("BinaryIO", stack.enter_context(lzma.LZMAFile(raw)))
    return raw
