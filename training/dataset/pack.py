"""`training_data.zip` for a hosted trainer: pictures with captions beside them, the same bytes every time."""

import io
import os
import zipfile
from pathlib import Path

from training.dataset.pictures import DataSet, Picture, upright
from training.errors import DataSetError, TrainingFailed

MAX_BYTES = 100_000_000
"""What Replicate's files API takes."""
_WHEN = (1980, 1, 1, 0, 0, 0)


def pack(data: DataSet, out: Path) -> Path:
    """Write the archive to `out`, whole or not at all.

    Entries are sorted, stored without compression (pictures are compressed already) and dated 1980, so that equal data
    sets give equal bytes. Raises DataSetError for pictures that cannot be decoded or more than 100 MB, TrainingFailed
    where `out` cannot be written.
    """
    broken = [picture for picture in data.pictures if picture.problem or picture.caption_problem.startswith("is not")]
    if broken:
        problem = broken[0].problem or f"has a caption that {broken[0].caption_problem}"
        raise DataSetError(
            f"{broken[0].path.name} {problem}: run python -m training.dataset repair {data.folder} first"
        )
    aside = out.with_name(f".{out.name}.part")
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("wb") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
                for name, content in _entries(data):
                    archive.writestr(_entry(name), content)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
        if size > MAX_BYTES:
            raise DataSetError(f"{data.folder} packs to {size / 1e6:.0f} MB, more than 100: save the pictures smaller")
        aside.replace(out)
    except OSError as error:
        raise TrainingFailed(f"cannot write {out}: {error.strerror}") from error
    finally:
        aside.unlink(missing_ok=True)
    return out


def needs_redrawing(picture: Picture) -> bool:
    """Whether the file's own bytes are not what training should see (turned, transparent, no plain RGB, odd format)."""
    return picture.rotated or picture.alpha or picture.mode != "RGB" or picture.format not in ("PNG", "JPEG", "WEBP")


def as_png(path: Path) -> bytes:
    """The picture as training sees it, as PNG bytes."""
    out = io.BytesIO()
    upright(path).save(out, "PNG", compress_level=6)
    return out.getvalue()


def _entries(data: DataSet) -> list[tuple[str, bytes]]:
    entries, stems = [], set()
    for picture in data.pictures:
        stem = picture.path.stem
        if stem in stems:
            stem = f"{stem}_{picture.path.suffix[1:].lower()}"
        stems.add(stem)
        redraw = needs_redrawing(picture)
        suffix = ".png" if redraw else picture.path.suffix.lower()
        entries.append((stem + suffix, as_png(picture.path) if redraw else picture.path.read_bytes()))
        entries.append((stem + ".txt", (data.caption(picture) + "\n").encode()))
    return sorted(entries)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.external_attr = 0o644 << 16
    entry.create_system = 3
    return entry
