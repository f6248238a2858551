"""A mended copy of a data set: upright RGB PNGs and UTF-8 captions with the trigger. The originals are not touched."""

from pathlib import Path

from training.dataset.captions import decode_anyhow
from training.dataset.pack import as_png, needs_redrawing
from training.dataset.pictures import DataSet, Picture
from training.errors import DataSetError, TrainingFailed


def repair(data: DataSet, out: Path) -> list[str]:
    """Write the mended copy into the new or empty folder `out`; returns a line for each thing that was done.

    Raises DataSetError where `out` holds files already, TrainingFailed where it cannot be written.
    """
    if out.resolve() == data.folder.resolve():
        raise DataSetError(f"{out} is the data set itself: repair never touches the originals, name another --out")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise DataSetError(f"{out} is not an empty folder: name a new one with --out")
    try:
        out.mkdir(parents=True, exist_ok=True)
        done: list[str] = []
        seen: dict[str, str] = {}
        for picture in data.pictures:
            done += _mend(data, picture, out, seen)
    except OSError as error:
        raise TrainingFailed(f"cannot write into {out}: {error.strerror}") from error
    return done


def _mend(data: DataSet, picture: Picture, out: Path, seen: dict[str, str]) -> list[str]:
    name = picture.path.name
    if picture.problem:
        return [f"{name}: left out, it {picture.problem}"]
    if picture.sha256 in seen:
        return [f"{name}: left out, it is the same picture as {seen[picture.sha256]}"]
    seen[picture.sha256] = name
    done = []
    target = out / name
    if needs_redrawing(picture):
        target = out / f"{picture.path.stem}.png"
        if target.exists():
            target = out / f"{picture.path.stem}_{picture.path.suffix[1:]}.png"
        target.write_bytes(as_png(picture.path))
        done.append(f"{name}: written upright, as RGB on white")
    else:
        target.write_bytes(picture.path.read_bytes())
    caption, how = _caption(data, picture)
    target.with_suffix(".txt").write_text(caption + "\n", encoding="utf-8")
    return done + ([f"{target.with_suffix('.txt').name}: {how}"] if how else [])


def _caption(data: DataSet, picture: Picture) -> tuple[str, str]:
    if picture.caption_problem.startswith("is not UTF-8"):
        text = " ".join(decode_anyhow(picture.path.with_suffix(".txt").read_bytes()).split())
        return data.rule.complete(text), "converted to UTF-8"
    caption = data.caption(picture)
    if picture.caption is None:
        return caption, f'caption made from the name: "{caption}"'
    return caption, "" if caption == picture.caption else "trigger put in"
