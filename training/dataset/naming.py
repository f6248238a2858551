"""What the naming page reads and writes: the pictures of a folder, what each holds, and what speaks against a picture.

A caption is one file beside its picture, written at once and whole. A picture that is left out moves to the hidden
folder `.left_out`, with its caption, and comes back from there; nothing is ever deleted.
"""

import io
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image

from configs.printable import without_controls
from configs.sections.translation import TranslationSettings
from inference import InvalidRequest, understand
from inference.files import written_aside
from inference.translation.glossary import load_glossary
from training.dataset.captioner import Captioner
from training.dataset.captions import CaptionRule
from training.dataset.checks import BLURRED, CUT, MARKED, OFTEN, SIZE, TEXT, UNLIKE, check
from training.dataset.folder import shown
from training.dataset.importing import ASIDE
from training.dataset.pictures import DataSet, Picture, read_data_set, upright
from training.embedding import Embed
from training.errors import DataSetError, TrainingFailed

_OFFERED = 12
"""Suggestions under a field, by hand: a list that is seen at one glance."""
LONGEST = 120
"""Characters of what a character holds: a longer answer is a description, and belongs into the caption file itself."""


@dataclass(frozen=True)
class PictureCard:
    """One picture on the page. `object` as it was read, `caption` as it is trained, `marks` what speaks against it."""

    name: str
    object: str
    caption: str
    saved: bool
    left_out: bool
    width: int
    height: int
    marks: tuple[str, ...] = ()


class Naming:
    """A folder while its pictures are named. Only names that were listed are ever read or written."""

    def __init__(
        self, folder: Path, rule: CaptionRule, translation: TranslationSettings, captioner: Captioner | None = None,
        embed: Embed | None = None,
    ) -> None:  # fmt: skip
        """Raises DataSetError where the folder holds no picture, or is an archive."""
        if not folder.is_dir():
            raise DataSetError(f"{shown(folder)} is no folder: import the pictures into one first")
        self.folder, self.rule, self._translation, self._embed = folder, rule, translation, embed
        self._captioner = captioner or Captioner("")
        self._pictures: dict[str, Picture] = {}
        self._sets()

    def read(self) -> list[PictureCard]:
        """All pictures as they lie there now, those that are left out last."""
        cards: list[PictureCard] = []
        for left_out, data in self._sets():
            marks = _marks(data, self._embed)
            for key, picture in _listed(data, left_out).items():
                cards.append(_card(data, picture, key, left_out, tuple(marks.get(picture.name, ()))))
        return cards

    def _sets(self) -> list[tuple[bool, DataSet]]:
        """The set, and what is left out of it (True), where there are pictures; notes which there are."""
        sets: list[tuple[bool, DataSet]] = []
        self._pictures = {}
        for left_out, folder in ((False, self.folder), (True, self.folder / ASIDE)):
            try:
                data = read_data_set(folder, self.rule)
            except DataSetError:
                if not left_out and not (self.folder / ASIDE).is_dir():
                    raise
                continue
            sets.append((left_out, data))
            self._pictures |= _listed(data, left_out)
        return sets

    def thumbnail(self, name: str) -> bytes:
        """A small WebP of a listed picture. Raises KeyError for any other name."""
        pixels = self._pictures[name].thumbnail
        assert pixels is not None
        out = io.BytesIO()
        Image.fromarray(pixels).save(out, "WEBP", quality=82, method=2)
        return out.getvalue()

    @property
    def guesses(self) -> bool:
        """Whether a captioning model is there to guess what a picture shows."""
        return self._captioner.ready

    def guess(self, name: str) -> str:
        """What the captioning model takes a listed picture's object for, "" where nothing. Raises KeyError else."""
        return self._captioner.guess(upright(self._pictures[name].path))

    def put_object(self, name: str, said: str) -> dict[str, str]:
        """Write the caption of a picture of `said`, in English or Russian; "" removes it.

        Returns the English and the caption. Raises KeyError for a name that was not listed, InvalidRequest where the
        words are not understood, TrainingFailed where the file cannot be written.
        """
        picture = self._pictures[name]
        said = " ".join(without_controls(said).split())
        if len(said) > LONGEST:
            raise InvalidRequest(f"{len(said)} characters: say what is held in at most {LONGEST}")
        text = picture.path.with_suffix(".txt")
        try:
            if not said:
                text.unlink(missing_ok=True)
                return {"english": "", "caption": ""}
            english = understand(said, self._translation).english
            caption = self.rule.made_for(english)
            with written_aside(text) as aside:
                aside.write_text(caption + "\n", encoding="utf-8")
        except OSError as error:
            raise TrainingFailed(f"cannot write {shown(text)}: {error.strerror}") from error
        return {"english": english, "caption": caption}

    def leave_out(self, name: str, out: bool) -> str:
        """Move a picture and its caption out of the set, or back; its name from now on."""
        picture = self._pictures[name]
        target = self.folder / ASIDE if out else self.folder
        try:
            target.mkdir(exist_ok=True)
            moved = _free(target, picture.path.name)
            text = picture.path.with_suffix(".txt")
            if text.is_file():
                text.replace(moved.with_suffix(".txt"))
            picture.path.replace(moved)
        except OSError as error:
            raise TrainingFailed(f"cannot move {shown(picture.path)}: {error.strerror}") from error
        del self._pictures[name]
        key = f"{ASIDE}/{moved.name}" if out else moved.name
        self._pictures[key] = replace(picture, path=moved, name=moved.name)  # the others need not be decoded again
        return key


def _listed(data: DataSet, left_out: bool) -> dict[str, Picture]:
    """The pictures that the page may name, by what it calls them."""
    usable = [picture for picture in data.pictures if not picture.problem and "/" not in picture.name]
    return {f"{ASIDE}/{picture.name}" if left_out else picture.name: picture for picture in usable}


def _card(data: DataSet, picture: Picture, key: str, left_out: bool, marks: tuple[str, ...]) -> PictureCard:
    saved = picture.caption is not None
    caption = data.caption(picture) if saved or picture.thing else ""
    return PictureCard(key, picture.thing, caption, saved, left_out, picture.width, picture.height, marks)


def _marks(data: DataSet, embed: Embed | None) -> dict[str, list[str]]:
    """What speaks against each picture, in a few words."""
    marks: dict[str, list[str]] = {}
    whole = [p for p in data.pictures if p.thumbnail is not None]
    things = Counter(p.thing for p in whole if p.thing)
    for picture in whole:
        assert picture.thumbnail is not None
        found = marks.setdefault(picture.name, [])
        if min(picture.width, picture.height) < SIZE // 2:
            found.append(f"small: {picture.width} x {picture.height}")
        if picture.thing and things[picture.thing] > OFTEN:
            found.append(f"{picture.thing}: {things[picture.thing]} times")
    for finding in check(data, embed):
        if finding.name in marks and finding.text.startswith(
            ("nearly the same", "the same picture", "busy background", BLURRED, CUT, UNLIKE, MARKED, TEXT)
        ):
            marks[finding.name].append(finding.text)
    return marks


def _free(folder: Path, name: str) -> Path:
    """A name in `folder` that neither a picture nor a caption has."""
    target, number = folder / name, 2
    taken = {path.stem.casefold() for path in folder.iterdir()}
    while target.stem.casefold() in taken:
        target = folder / f"{Path(name).stem}_{number}{Path(name).suffix}"
        number += 1
    return target


def suggestions(start: str) -> list[str]:
    """Up to a dozen things of the shipped glossary that begin with `start`, in the language of `start`."""
    start = start.strip().lower()
    if len(start) < 2:
        return []
    every = _things()
    found = [word for word in every if word.startswith(start)]
    return sorted(found, key=lambda word: (len(word), word))[:_OFFERED]


@cache
def _things() -> tuple[str, ...]:
    known = load_glossary().kinds
    return tuple(dict.fromkeys(word.lower() for _kind, entry in known for word in (entry.meanings[0], entry.russian)))
