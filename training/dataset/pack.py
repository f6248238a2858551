"""`training_data.zip` for a hosted trainer: pictures with captions beside them, the same bytes every time."""

import io
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import regex

from inference.files import written_aside
from training.dataset.folder import read_file, shown
from training.dataset.pictures import DataSet, Picture, upright
from training.errors import DataSetError, TrainingFailed

MAX_BYTES = 100_000_000
"""What Replicate's files API takes."""
_UNUSUAL = regex.compile(r"[^\p{L}\p{M}\p{N}\u200c\u200d ._()+-]")
_LONGEST_NAME = 120
"""Bytes; file systems take 255 with the ending, and some trainers add words of their own."""
_WHEN = (1980, 1, 1, 0, 0, 0)
"""The earliest date of a ZIP. Always the same, so that the same pictures give the same archive, which is sent once."""


def pack(data: DataSet, out: Path) -> Path:
    """Write the archive to `out`, whole or not at all.

    Entries are sorted, stored without compression (pictures are compressed already) and dated 1980, so that equal data
    sets give equal bytes. Raises DataSetError for pictures that cannot be decoded or more than 100 MB, TrainingFailed
    where `out` cannot be written.
    """
    broken = [
        picture for picture in data.pictures if picture.problem or picture.caption_problem not in ("", "is empty")
    ]
    if broken:
        problem = broken[0].problem or f"has a caption that {broken[0].caption_problem}"
        raise DataSetError(
            f"{broken[0].name} {problem}: run python -m training.dataset repair {shown(data.folder)} first"
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(out) as aside:
            with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED) as archive:
                for name, content in _entries(data):
                    archive.writestr(_entry(name), content)
            size = aside.stat().st_size
            if size > MAX_BYTES:
                raise DataSetError(
                    f"{shown(data.folder)} packs to {size / 1e6:.0f} MB, more than 100: save the pictures smaller"
                )
    except OSError as error:
        raise TrainingFailed(f"cannot write {shown(out)}: {error.strerror}") from error
    return out


def needs_redrawing(picture: Picture) -> bool:
    """Whether the file's own bytes are not what training should see (turned, other colours, odd format or depth)."""
    odd = picture.mode != "RGB" or picture.format not in ("PNG", "JPEG", "WEBP") or picture.frames > 1
    return picture.rotated or picture.alpha or picture.converted or odd


def as_png(path: Path) -> bytes:
    """The picture as training sees it, as PNG bytes."""
    out = io.BytesIO()
    upright(path).save(out, "PNG", compress_level=6)
    return out.getvalue()


def file_names(pictures: Iterable[Picture], there: Iterable[str] = ()) -> dict[Path, str]:
    """The file that each picture is written to, side by side in one folder: no two share a name but for the ending,
    since their captions would be one file, nor differ in case alone. `there` are the names of files in it already."""
    pictures = list(pictures)
    names: dict[Path, str] = {}
    taken = {PurePosixPath(name).stem.casefold() for name in there}
    # Those that keep their own name come first, so that lamp.bmp makes way for lamp.png.
    for picture in sorted(pictures, key=needs_redrawing):
        inner = PurePosixPath(picture.name)
        stem = _plain(str(inner.with_suffix("")).replace("/", "_"))
        unique, number = stem, 1
        while unique.casefold() in taken:
            kind = inner.suffix[1:].lower()
            unique = f"{stem}_{kind}" if number == 1 else f"{stem}_{kind}_{number}"
            number += 1
        taken.add(unique.casefold())
        names[picture.path] = unique + (".png" if needs_redrawing(picture) else inner.suffix.lower())
    return names


def _plain(stem: str) -> str:
    """A name that every file system takes: letters of any script, digits and a few signs."""
    plain = _UNUSUAL.sub("_", stem).strip(". ") or "picture"
    while len(plain.encode()) > _LONGEST_NAME:
        plain = plain[:-1]
    return plain


def content(picture: Picture) -> bytes:
    """The picture's bytes as they are handed on. Raises OSError, DataSetError."""
    return as_png(picture.path) if needs_redrawing(picture) else read_file(picture.path)


def _entries(data: DataSet) -> list[tuple[str, bytes]]:
    names = file_names(data.pictures)
    entries = []
    for picture in data.pictures:
        name = names[picture.path]
        entries.append((name, content(picture)))
        entries.append((name.rpartition(".")[0] + ".txt", (data.caption(picture) + "\n").encode()))
    return sorted(entries)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    return entry
