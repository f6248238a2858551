"""What lies in a folder of pictures: the pictures, the caption of each, and by name everything that is left out.

Folders below are read too, no link is followed. A data set may also be one ZIP or tar, read in place. Captions stand
in `.txt` or `.caption` files beside the pictures, or in a `metadata.jsonl` or `metadata.csv` as the Hub's image folders
have it (https://huggingface.co/docs/datasets/image_dataset#imagefolder).
"""

import csv
import io
import json
import os
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from configs.archives import ArchiveError, is_archive, members, read_member
from configs.decoding import Undecodable, decode
from configs.foreign import kind_of, read_regular, walk, what_it_is
from configs.printable import printable
from overlay.images import MAX_BYTES
from training.errors import DataSetError

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".avif", ".heic", ".heif",
    ".hif", ".mpo", ".apng",
)  # fmt: skip
CAPTIONS = (".txt", ".caption")
_TABLES = ("metadata.jsonl", "metadata.csv")
_CAPTION_KEYS = ("text", "caption", "prompt")
_MOST_CAPTION, _MOST_TABLE = 2**20, 64 * 2**20
"""Bytes, by hand, far more than any caption or table of them needs: what is larger would only fill the memory."""
_OURS = ("report.html",)


@dataclass(frozen=True)
class LeftOut:
    """A file that is not trained on, by its name to show, and why."""

    name: str
    why: str


@dataclass(frozen=True)
class Source:
    """One picture's file: its path (within an archive, the archive's path and the member's below it), its name to show,
    the bytes of its caption and their file's name, or the caption from a table."""

    path: Path
    name: str
    caption_name: str = ""
    caption_data: bytes | None = None
    caption_problem: str = ""
    told: str | None = None


@dataclass
class Listing:
    """All pictures in order of their names, and what is left out."""

    sources: list[Source] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def shown(name: str | PurePath) -> str:
    """A file's name for people and for comparing: NFC, and with no character that commands a terminal."""
    return printable(unicodedata.normalize("NFC", os.fspath(name)))


def read_file(path: Path, most: int = MAX_BYTES) -> bytes:
    """The bytes of a picture or caption, in a folder or in an archive. Raises OSError, with `strerror`."""
    archive = next((parent for parent in path.parents if is_archive(parent.name) and parent.is_file()), None)
    if archive is None:
        return read_regular(path, most)
    wanted = PurePosixPath(path.relative_to(archive).as_posix())
    try:
        name = next((m.name for m in members(archive) if PurePosixPath(m.name) == wanted), None)
        if name is None:
            raise FileNotFoundError(2, "No such file in the archive", str(path))
        return read_member(archive, name, most)
    except ArchiveError as error:
        raise OSError(5, str(error), str(path)) from error


def list_folder(folder: Path) -> Listing:
    """Everything in `folder`, which may be an archive. Raises DataSetError where it is neither."""
    if not folder.exists():
        raise DataSetError(f"no such folder: {shown(folder)}; name the folder with your 15-25 pictures")
    found = _in_archive(folder) if folder.is_file() and is_archive(folder.name) else _in_folder(folder)
    return _paired(folder, *found)


def list_file(path: Path) -> Listing:
    """One picture with the caption beside it, where there is one."""
    beside = [path.with_name(stem + suffix) for suffix in CAPTIONS for stem in (path.stem, path.name)]
    return _paired(path.parent, [path, *(text for text in beside if text.is_file())], [])


def _in_folder(folder: Path) -> tuple[list[Path], list[LeftOut]]:
    if not folder.is_dir():
        raise DataSetError(f"{shown(folder)} is a file: name the folder that holds the pictures")
    files, left_out = [], []
    try:
        for each in walk(folder):
            if each.problem:
                left_out.append(LeftOut(shown(each.name) or shown(folder), each.problem))
            elif not each.path.name.startswith("."):
                files.append(each.path)
            elif each.path.suffix.lower() in SUFFIXES:
                left_out.append(LeftOut(shown(each.name), "hidden: its name begins with a dot"))
    except OSError as error:
        raise DataSetError(f"cannot read {shown(folder)}: {error.strerror}") from error
    return files, left_out


def _in_archive(path: Path) -> tuple[list[Path], list[LeftOut]]:
    try:
        return [path / member.name for member in members(path)], []
    except ArchiveError as error:
        raise DataSetError(f"the archive {shown(path)} {error}") from error


def _paired(folder: Path, files: list[Path], left_out: list[LeftOut]) -> Listing:
    tables: dict[str, str] = {}
    texts: dict[str, list[Path]] = {}
    pictures, rest = [], []
    for path in files:
        name = shown(path.relative_to(folder).as_posix())
        suffix = path.suffix.lower()
        if path.name.lower() in _TABLES:
            tables |= _table(path, name, left_out)
        elif suffix in SUFFIXES:
            pictures.append((name, path))
        elif suffix in CAPTIONS:
            texts.setdefault(_key(name.removesuffix(path.suffix)), []).append(path)
        elif name not in _OURS:
            rest.append((name, path))
    listing, used = Listing(left_out=left_out), set()
    # By the paths' own order, which a folder without surprises always had.
    for name, path in sorted(pictures, key=lambda pair: pair[1]):
        beside = [text for stem in (_stem(name), name) for text in texts.get(_key(stem), ())]
        beside.sort(key=lambda text: (text.stem != path.stem, CAPTIONS.index(text.suffix.lower()), text.name))
        used |= set(beside)
        for other in beside[1:]:
            left_out.append(
                LeftOut(shown(other.relative_to(folder)), f"the caption is read from {shown(beside[0].name)}")
            )
        listing.sources.append(_source(path, name, beside[0] if beside else None, folder, tables.get(_key(name))))
    orphans = [text for group in texts.values() for text in group if text not in used]
    left_out += [
        LeftOut(shown(text.relative_to(folder)), "a caption without a picture of that name") for text in orphans
    ]
    left_out += [LeftOut(name, _why(path)) for name, path in rest]
    left_out.sort(key=lambda each: each.name)
    return listing


def _key(name: str) -> str:
    """What makes a caption belong to a picture: the same name, whatever system wrote it in which case."""
    return name.casefold()


def _stem(name: str) -> str:
    return str(PurePosixPath(name).with_suffix(""))


def _source(path: Path, name: str, text: Path | None, folder: Path, told: str | None) -> Source:
    if text is None:
        return Source(path, name, shown(Path(_stem(name) + ".txt")), told=told)
    caption_name = shown(text.relative_to(folder))
    try:
        return Source(path, name, caption_name, read_file(text, _MOST_CAPTION))
    except OSError as error:
        return Source(path, name, caption_name, caption_problem=f"cannot be read: {error.strerror}")


def _why(path: Path) -> str:
    if is_archive(path.name):
        return "an archive: unpack it, or name it in place of the folder"
    try:
        if kind_of(path):
            return f"is {kind_of(path)}"
        with path.open("rb") as file:
            what = what_it_is(file.read(512))
    except OSError:
        what = ""
    if "picture" in what:
        return f"{what.removeprefix('it is ')} by its content: end its name in .png, .jpg or as it is"
    return what or "neither a picture that is read here nor a caption"


def _table(path: Path, name: str, left_out: list[LeftOut]) -> dict[str, str]:
    """Captions by the key of the picture's name, from `metadata.jsonl` or `metadata.csv`."""
    try:
        text = decode(read_file(path, _MOST_TABLE)).text
        rows: list[Any] = (
            list(csv.DictReader(io.StringIO(text)))
            if path.suffix.lower() == ".csv"
            else [json.loads(line) for line in text.splitlines() if line.strip()]
        )
    except (OSError, Undecodable, ValueError, RecursionError, csv.Error) as error:
        left_out.append(LeftOut(name, f"cannot be read: {printable(str(getattr(error, 'strerror', None) or error))}"))
        return {}
    found = {}
    for row in rows:
        file = row.get("file_name") if isinstance(row, dict) else None
        caption = next((row[key] for key in _CAPTION_KEYS if isinstance(row.get(key), str)), "") if file else ""
        if isinstance(file, str) and caption:
            found[_key(shown(PurePosixPath(name).parent / file))] = caption
    if not found:
        left_out.append(LeftOut(name, f"no line of it has file_name and one of {', '.join(_CAPTION_KEYS)}"))
    return found
