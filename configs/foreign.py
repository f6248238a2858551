"""Files that others made: read only where they are plain files, bounded, and named for what they are.

A folder that somebody sent may hold a link to a secret, a pipe that never ends or a device; opening one is the harm, so
each is looked at (`lstat`) and opened without following links or waiting.
"""

import json
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_KINDS = (
    (stat.S_ISLNK, "a link"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISDIR, "a folder"),
)
_COMPANION = re.compile(r"\._.*|\.ds_store|thumbs\.db|ehthumbs\.db|desktop\.ini|\.localized|icon\r|\.directory", re.I)
_COMPANION_FOLDERS = frozenset(
    ("__macosx", "@eadir", ".spotlight-v100", ".trashes", ".fseventsd", "$recycle.bin", "system volume information")
)


class NotAFile(OSError):
    """What lies there is no plain file; `strerror` says what it is."""


class TooLarge(OSError):
    """The file is larger than its reader takes."""


def is_companion(name: str | PurePosixPath) -> bool:
    """Whether a path within a folder or an archive is what macOS, Windows or a NAS leaves beside files of people."""
    parts = PurePosixPath(name).parts
    return bool(parts) and (
        any(part.lower() in _COMPANION_FOLDERS for part in parts) or _COMPANION.fullmatch(parts[-1]) is not None
    )


def kind_of(path: Path) -> str:
    """ "" for a plain file, else what `path` itself is: "a link", "a folder", "a named pipe" ... Raises OSError."""
    return _kind(path.lstat().st_mode)


def _kind(mode: int) -> str:
    return "" if stat.S_ISREG(mode) else next((kind for test, kind in _KINDS if test(mode)), "no plain file")


def read_regular(path: Path, most: int, *, follow: bool = False) -> bytes:
    """The bytes of the plain file `path`, at most `most`.

    A link is followed only with `follow`, for what the user named himself. Raises NotAFile, TooLarge or another
    OSError, each with `strerror`; never waits on a pipe.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | (0 if follow else os.O_NOFOLLOW)
    if not follow and (kind := kind_of(path)):
        raise NotAFile(0, f"it is {kind}, not a file", str(path))
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        if kind := _kind(status.st_mode):
            raise NotAFile(0, f"it is {kind}, not a file", str(path))
    except BaseException:
        os.close(descriptor)
        raise
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > most:
            raise TooLarge(0, f"it has {status.st_size / 1e6:,.0f} MB, more than {most / 1e6:,.0f}", str(path))
        data = file.read(most + 1)
    if len(data) > most:
        raise TooLarge(0, f"it has more than {most / 1e6:,.0f} MB", str(path))
    return data


@dataclass(frozen=True)
class Found:
    """Something in a folder: its path, its name below that folder, and "" or why it is not read."""

    path: Path
    name: str
    problem: str = ""


def walk(folder: Path, most: int = 20_000) -> Iterator[Found]:
    """Everything below `folder` in order of names, companions and hidden folders left out; no link is followed.

    At most `most` entries are looked at. Raises OSError where `folder` itself cannot be listed.
    """
    seen = 0
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            if here == folder:
                raise
            yield Found(here, str(here.relative_to(folder)), f"cannot be listed: {error.strerror}")
            continue
        below = []
        for entry in entries:
            path = Path(entry.path)
            name = path.relative_to(folder).as_posix()
            if is_companion(name):
                continue
            seen += 1
            if seen > most:
                yield Found(folder, "", f"more than {most:,} entries: the rest is not looked at")
                return
            try:
                kind = kind_of(path)
            except OSError as error:
                yield Found(path, name, f"cannot be read: {error.strerror}")
                continue
            if kind == "a folder":
                if not entry.name.startswith("."):
                    below.append(path)
            else:
                yield Found(
                    path,
                    name,
                    f"is {kind}, which is not followed" if kind == "a link" else f"is {kind}" if kind else "",
                )
        pending += reversed(below)


def what_it_is(start: bytes) -> str:
    """What a file is by its first bytes (64 or more are best), in a few words; "" where they tell nothing."""
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:400].lower()
    if not start:
        return "it is empty"
    for magic, words in _MAGIC:
        if start.startswith(magic):
            return words
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "it is a WebP picture"
    if start[4:8] == b"ftyp":
        brand = start[8:12]
        if brand in (b"avif", b"avis", b"heic", b"heix", b"hevc", b"mif1", b"msf1"):
            return f"it is {'an AVIF' if brand[:2] == b'av' else 'a HEIC'} picture"
        return "it is a video" if brand in (b"isom", b"mp42", b"avc1", b"qt  ", b"M4V ", b"mp41") else ""
    if text.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "it is a web page (HTML), not the file: download it again"
    if b"<svg" in text and text.startswith((b"<svg", b"<?xml", b"<!--", b"<!doctype svg")):
        return "it is an SVG drawing"
    if text.startswith(b"<?xml"):
        return "it is XML"
    if text.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer, not the file itself: run git lfs pull"
    if text[:1] in (b"{", b"["):
        return "it is JSON" if _may_be_json(start) else ""
    return ""


def _may_be_json(start: bytes) -> bool:
    try:
        json.loads(start)
    except (ValueError, RecursionError):
        return re.match(rb'\s*(\{\s*("|\})|\[\s*["{\[\d\]tfn-])', start.removeprefix(b"\xef\xbb\xbf")) is not None
    return True


_MAGIC = (
    (b"%!PS", "it is PostScript"),
    (b"\xc5\xd0\xd3\xc6", "it is PostScript (EPS)"),
    (b"%PDF", "it is a PDF"),
    (b"DDS ", "it is a DDS texture"),
    (b"8BPS", "it is a Photoshop file (PSD)"),
    (b"\x89PNG", "it is a PNG picture"),
    (b"\xff\xd8\xff", "it is a JPEG picture"),
    (b"GIF8", "it is a GIF picture"),
    (b"II*\0", "it is a TIFF picture"),
    (b"MM\0*", "it is a TIFF picture"),
    (b"II+\0", "it is a TIFF picture (BigTIFF)"),
    (b"PK\x03\x04", "it is a ZIP archive"),
    (b"PK\x05\x06", "it is an empty ZIP archive"),
    (b"Rar!", "it is a RAR archive"),
    (b"7z\xbc\xaf", "it is a 7z archive"),
    (b"\x1f\x8b", "it is packed by gzip"),
    (b"\xfd7zXZ", "it is packed by xz"),
    (b"\x28\xb5\x2f\xfd", "it is packed by zstd"),
    (b"BZh", "it is packed by bzip2"),
    (b"GGUF", "it is a GGUF file"),
    (b"\x7fELF", "it is a program"),
    (b"MZ", "it is a Windows program"),
    (b"\xd0\xcf\x11\xe0", "it is an old Office file"),
    (b"SQLite format 3", "it is a SQLite database"),
    (b"\x00\x00\x01\x00", "it is a Windows icon"),
    (b"\x00\x00\x00\x0cjP  ", "it is JPEG 2000"),
    (b"\xff\x4f\xff\x51", "it is JPEG 2000"),
    (b"\xff\x0a", "it is JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "it is JPEG XL"),
)
