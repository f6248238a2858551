"""Pictures from a phone, a chat or a drive into one flat folder that can be trained on. The sources are only read.

Folders, archives, single files and a chat's export are taken together. What cannot be read, and every copy of a picture
that is there already (a chat's `_thumb` files too), is left out by name. Running it again adds only what is new.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from configs.archives import is_archive
from configs.foreign import walk
from inference.files import written_aside
from training.dataset.captions import CaptionRule
from training.dataset.checks import near
from training.dataset.folder import LeftOut, list_file, list_folder, shown
from training.dataset.looks import fingerprint
from training.dataset.pack import content, file_names, needs_redrawing
from training.dataset.pictures import DataSet, Picture, read_listing
from training.errors import DataSetError, TrainingFailed

ASIDE = ".left_out"
"""The folder below a data set for what its owner took out: hidden, so nothing in it is trained on."""


@dataclass
class Imported:
    """What an import did: the files that were written, what was left out, and how many pictures the folder has now."""

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    total: int = 0
    nameless: int = 0


@dataclass
class _Kept:
    """A picture that stays: one that is new, or (`home`) one that the folder has already."""

    picture: Picture
    source: str
    caption: str | None
    home: Path | None = None
    print: int = 0


def import_pictures(sources: Sequence[Path], out: Path, rule: CaptionRule, encoding: str = "") -> Imported:
    """Add the pictures of `sources` to the folder `out`.

    A picture whose own bytes are what training should see is copied; any other is written as PNG, upright, in sRGB. A
    caption is written where one came along or the file's name says what is held. Of two copies the larger stays, under
    the name and with the caption that the folder has already. Raises DataSetError where a source does not exist or
    lies in `out`, TrainingFailed where `out` cannot be written.
    """
    for source in sources:
        if not source.exists():
            raise DataSetError(f"no such file or folder: {shown(source)}")
        if out.resolve() == source.resolve() or (source.is_dir() and out.resolve().is_relative_to(source.resolve())):
            raise DataSetError(f"{shown(out)} lies in {shown(source)}: import into a folder outside of it, with --out")
    done = Imported()
    kept = _already_there(out, rule)
    taken_out = _already_there(out / ASIDE, rule)
    for source in _with_archives(sources):
        _take(source, rule, encoding, kept, taken_out, done)
    _write(out, kept, rule, done)
    done.total = len(kept)
    done.nameless = sum(each.caption is None for each in kept)
    return done


def _with_archives(sources: Iterable[Path]) -> Iterable[Path]:
    """The sources, each folder followed by the archives that lie in it."""
    for source in sources:
        yield source
        if source.is_dir():
            yield from (found.path for found in walk(source) if not found.problem and is_archive(found.path.name))


def _already_there(folder: Path, rule: CaptionRule) -> list[_Kept]:
    if not folder.is_dir():
        return []
    data = read_listing(folder, list_folder(folder), rule)
    return [
        _Kept(picture, picture.name, picture.caption, picture.path, _print(picture))
        for picture in data.pictures
        if not picture.problem
    ]


def _take(
    source: Path, rule: CaptionRule, encoding: str, kept: list[_Kept], taken_out: list[_Kept], done: Imported
) -> None:
    """Decide on every picture of one source; `kept` grows."""
    try:
        listing = list_file(source) if source.is_file() and not is_archive(source.name) else list_folder(source)
    except DataSetError as error:  # an archive that is broken, say: the other sources go on
        done.left_out.append(LeftOut(shown(source), str(error)))
        return
    data = read_listing(source, listing, rule, encoding)
    prefix = "" if source.is_file() and not is_archive(source.name) else f"{shown(source.name)}/"
    archives = is_archive(source.name) or not source.is_dir()
    done.left_out += [
        replace(each, name=prefix + each.name)
        for each in data.left_out
        if archives or not is_archive(each.name)  # an archive in a folder is a source of its own
    ]
    for picture in data.pictures:
        name = prefix + picture.name
        if picture.problem:
            done.left_out.append(LeftOut(name, f"it {picture.problem}"))
            continue
        new = _Kept(picture, name, _caption(data, picture), print=_print(picture))
        if same := _copy_of(new, taken_out):
            done.left_out.append(LeftOut(name, f"it was taken out of the folder before ({same.source})"))
        elif (same := _copy_of(new, kept)) is None:
            kept.append(new)
        elif _pixels(picture) > _pixels(same.picture):
            done.left_out.append(LeftOut(same.source, f"a smaller copy of {name}"))
            kept[kept.index(same)] = replace(new, caption=same.caption or new.caption, home=same.home)
        else:
            same.caption = same.caption or new.caption
            why = "the same picture as" if _pixels(picture) == _pixels(same.picture) else "a smaller copy of"
            done.left_out.append(LeftOut(name, f"{why} {same.source}"))


def _caption(data: DataSet, picture: Picture) -> str | None:
    return data.caption(picture) if picture.caption or picture.thing else None


def _copy_of(new: _Kept, others: Iterable[_Kept]) -> _Kept | None:
    return next(
        (
            other
            for other in others
            if other.picture.sha256 == new.picture.sha256 or near(new.picture, other.picture, new.print, other.print)
        ),
        None,
    )


def _write(out: Path, kept: list[_Kept], rule: CaptionRule, done: Imported) -> None:
    fresh = [each for each in kept if each.home is None or each.home != each.picture.path]
    try:
        out.mkdir(parents=True, exist_ok=True)
        taken = {path.name for path in out.iterdir()}
        names = file_names((each.picture for each in fresh if each.home is None), taken)
        for each in fresh:
            if each.home is None:
                target = out / names[each.picture.path]
                done.added.append(target.name)
            else:
                target = each.home.with_suffix(
                    ".png" if needs_redrawing(each.picture) else each.picture.path.suffix.lower()
                )
                done.replaced.append(target.name)
            text = target.with_suffix(".txt")
            if each.caption is not None and not text.exists():
                _put(text, (rule.complete(each.caption) + "\n").encode())
            _put(target, content(each.picture))
            if each.home is not None and each.home != target:
                each.home.unlink()
    except OSError as error:
        raise TrainingFailed(f"cannot write into {shown(out)}: {error.strerror}") from error


def _put(path: Path, data: bytes) -> None:
    with written_aside(path) as aside:
        aside.write_bytes(data)


def _print(picture: Picture) -> int:
    assert picture.thumbnail is not None
    return fingerprint(picture.thumbnail)


def _pixels(picture: Picture) -> int:
    return picture.width * picture.height
