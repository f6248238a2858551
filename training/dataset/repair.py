"""A mended copy of a data set: upright sRGB PNGs and UTF-8 captions with the trigger. The originals are not touched."""

import shutil
import tempfile
from pathlib import Path

from training.dataset.folder import shown
from training.dataset.pack import content, file_names, needs_redrawing
from training.dataset.pictures import DataSet, Picture
from training.errors import DataSetError, TrainingFailed


def repair(data: DataSet, out: Path) -> list[str]:
    """Write the mended copy into the new or empty folder `out`, all or nothing; a line for each thing that was done.

    Every picture that decodes is in the copy once, under a name that no other has. Raises DataSetError where `out`
    holds files already, TrainingFailed where it cannot be written.
    """
    if out.resolve() == data.folder.resolve():
        raise DataSetError(
            f"{shown(out)} is the data set itself: repair never touches the originals, name another --out"
        )
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise DataSetError(f"{shown(out)} is not an empty folder: name a new one with --out")
    aside = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name[:80]}.", suffix=".part"))
        done = _mend_all(data, aside)
        aside.chmod(0o755)
        aside.replace(out)
    except OSError as error:
        raise TrainingFailed(f"cannot write into {shown(out)}: {error.strerror}") from error
    finally:
        if aside and aside.exists():
            shutil.rmtree(aside, ignore_errors=True)
    return done


def _mend_all(data: DataSet, out: Path) -> list[str]:
    done = [f"{each.name}: left out, {each.why}" for each in data.left_out]
    first: dict[str, Picture] = {}
    for picture in data.pictures:
        if picture.problem:
            done.append(f"{picture.name}: left out, it {picture.problem}")
        elif picture.sha256 in first:
            done.append(f"{picture.name}: left out, it is the same picture as {first[picture.sha256].name}")
        else:
            first[picture.sha256] = picture
    names = file_names(first.values())
    for picture in first.values():
        done += _mend(data, picture, out / names[picture.path])
    return done


def _mend(data: DataSet, picture: Picture, target: Path) -> list[str]:
    done = []
    target.write_bytes(content(picture))
    if needs_redrawing(picture):
        done.append(f"{picture.name}: written as {target.name}, upright, in sRGB on white")
    elif target.name != picture.name:
        done.append(f"{picture.name}: written as {target.name}")
    caption, how = _caption(data, picture)
    text = target.with_name(target.name.rpartition(".")[0] + ".txt")
    text.write_text(caption + "\n", encoding="utf-8")
    return done + [f"{text.name}: {line}" for line in how]


def _caption(data: DataSet, picture: Picture) -> tuple[str, list[str]]:
    caption, file = data.caption(picture), picture.caption_file
    how = []
    if picture.caption_problem not in ("", "is empty"):
        how.append(f"{picture.caption_name} is left out: it {picture.caption_problem}")
    if picture.caption is None:
        how.append(f'caption made from the name: "{caption}"')
        return caption, how
    if file and file.encoding:
        how.append(f"converted from {file.encoding} to UTF-8")
    if file and file.cleaned:
        how.append("control characters taken out")
    if caption != picture.caption:
        how.append("trigger put in")
    return caption, how
