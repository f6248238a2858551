"""What is good and bad about a data set: one pass over what `read_data_set` found.

Errors stop a training; warnings make it worse; notes say what is done about a thing by itself.
"""

import logging
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from PIL import Image

from training.dataset.captions import CaptionRule
from training.dataset.folder import shown
from training.dataset.looks import (
    Pixels,
    background,
    blank,
    blurred,
    cropped,
    difference,
    fingerprint,
    one_view,
    outlying,
    unlike,
)
from training.dataset.marks import marked, texts_in
from training.dataset.pictures import DataSet, Picture, read_data_set
from training.embedding import Embed
from training.errors import DataSetError

FEWEST, GOOD = 5, (15, 25)  # usable pictures: below 5, by hand, it is refused; 15 to 25 the project was asked for
SIZE, TINY = 1024, 256  # the largest size trained at; half the smallest, by hand: less is enlarged more than twice
BUSY = 0.30  # by hand: our own 20 pictures have at most 0.05; more lets patterned grounds pass
NEAR, ALIKE = 10, 0.02
"""Bits of 64, mean difference. Our own 20 as JPEG, some smaller: up to 2 and 0.008; any two: from 6 and 0.079."""
VARIED, OFTEN = 0.6, 2  # objects a picture, pictures an object; by hand: what is there too often is learned too
_NAMED, _TOLD = 30, 5  # names before the rest is only counted, in the report and in one remark; by hand
UNLIKE, BLURRED, CUT = "unlike the others", "blurred", "cut off at the edge"
MARKED, TEXT = "a mark near the edge", "text "
_NAMELESS = "neither a caption nor the file's name says what is held: write a caption, or rename the file"

log = logging.getLogger(__name__)

Level = Literal["error", "warning", "note"]


@dataclass(frozen=True)
class Finding:
    """One remark; `name` is the file's, "" for the set as a whole; `mendable` where `repair` mends it."""

    level: Level
    name: str
    text: str
    mendable: bool = False

    def line(self) -> str:
        """The remark as one line."""
        return f"{self.name}: {self.text}" if self.name else self.text


def counted(number: int, what: str) -> str:
    """ "1 picture", "2 pictures"."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def load_data_set(folder: Path, rule: CaptionRule) -> DataSet:
    """A data set that can be trained on. Raises DataSetError with the first thing that stands in the way."""
    data = read_data_set(folder, rule)
    for each in data.left_out[:_TOLD]:
        log.warning("left out: %s (%s)", each.name, each.why)
    if len(data.left_out) > _TOLD:
        log.warning("left out: %d more files", len(data.left_out) - _TOLD)
    errors = [finding for finding in _remarks(data) if finding.level == "error"]
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise DataSetError(f"{errors[0].line()}{more}; python -m training.dataset check {shown(folder)} shows all")
    return data


def check(data: DataSet, embed: Embed | None = None) -> list[Finding]:
    """All remarks on `data`: on the set first, then picture by picture.

    `embed` tells how alike pictures look, where a model for that is on the disk; their colours tell in any case.
    """
    return [*_remarks(data, embed), *_texts(data)]


def _remarks(data: DataSet, embed: Embed | None = None) -> list[Finding]:
    """What can be told from names, captions and thumbnails."""
    found = [*_count(data), *_left_out(data), *_captions(data), *_variety(data), *_lacks(data)]
    found += [*_duplicates(data), *_unlike(data, embed), *_marked(data)]
    for picture in data.pictures:
        found += _picture(picture)
        found += _caption(data, picture)
    return found


def _count(data: DataSet) -> list[Finding]:
    usable = sum(not picture.problem for picture in data.pictures)
    if usable < FEWEST:
        text = f"{counted(usable, 'usable picture')}: a style needs at least {FEWEST}, better {GOOD[0]}-{GOOD[1]}"
        return [Finding("error", "", text)]
    if not GOOD[0] <= usable <= GOOD[1]:
        return [Finding("warning", "", f"{counted(usable, 'usable picture')}: {GOOD[0]}-{GOOD[1]} work best")]
    return []


def _left_out(data: DataSet) -> list[Finding]:
    found = [Finding("warning", each.name, f"left out: {each.why}") for each in data.left_out[:_NAMED]]
    if len(data.left_out) > _NAMED:
        found.append(Finding("warning", "", f"{counted(len(data.left_out) - _NAMED, 'more file')} left out"))
    return found


def _captions(data: DataSet) -> list[Finding]:
    bare = [p for p in data.pictures if p.caption is None and not p.caption_problem and not p.problem]
    if not bare:
        return []
    text = f"{counted(len(bare), 'picture')} without a caption: made from the file's name, shown in brackets"
    nameless = [Finding("warning", p.name, _NAMELESS) for p in bare if not p.thing]
    return [Finding("note", "", text, mendable=True), *nameless]


def _variety(data: DataSet) -> list[Finding]:
    things = Counter(picture.thing for picture in data.pictures if not picture.problem and picture.thing)
    total = sum(things.values())
    if total < 2:
        return []
    most, times = things.most_common(1)[0]
    found = []
    if len(things) < VARIED * total:
        learns = f"the LoRA will learn {'it' if len(things) == 1 else 'them'} too"
        text = f"only {counted(len(things), 'object')} in {total} pictures ({most} {times} times): {learns}"
        found.append(Finding("warning", "", text))
    for thing, times in things.items() if len(things) > 1 else ():
        if times > OFTEN:
            names = [picture.name for picture in data.pictures if picture.thing == thing and not picture.problem]
            more = f" and {times - _TOLD} more" if times > _TOLD else ""
            text = f"{thing} {times} times ({', '.join(names[:_TOLD])}{more}): {OFTEN} of them are enough"
            found.append(Finding("warning", "", text))
    return found


def _lacks(data: DataSet) -> list[Finding]:
    """What would make a usable set better, and where to see to it."""
    usable = [picture for picture in data.pictures if not picture.problem]
    things = {picture.thing for picture in usable if picture.thing}
    without = [picture for picture in usable if not picture.thing]
    nameless = sum(picture.caption is None for picture in without)
    objects = len(things) + len(without)  # what a caption says in other words counts as one of its own
    lacks = []
    if len(usable) < GOOD[0]:
        lacks.append(counted(GOOD[0] - len(usable), "more picture"))
    if nameless:
        lacks.append(f"what {counted(nameless, 'picture')} show{'s' if nameless == 1 else ''}")
    if objects < GOOD[0]:
        lacks.append(counted(GOOD[0] - objects, "more object"))
    if len(usable) >= FEWEST and one_view([p.thumbnail for p in usable if p.thumbnail is not None]):
        lacks.append("other views (all show the figure in the same place and size)")
    if not lacks:
        return []
    page = f"python -m training.dataset name {shown(data.folder)}"
    where = f"; see it on a page: {page}" if data.folder.is_dir() else ""  # the page writes, and not into archives
    return [Finding("note", "", f"a good set still lacks {', '.join(lacks)}{where}")]


def _whole(data: DataSet) -> tuple[list[Picture], list[Pixels]]:
    """The pictures that could be read, and their thumbnails."""
    whole = [(picture, picture.thumbnail) for picture in data.pictures if picture.thumbnail is not None]
    return [picture for picture, _ in whole], [pixels for _, pixels in whole]


def _unlike(data: DataSet, embed: Embed | None) -> list[Finding]:
    whole, pixels = _whole(data)
    # Blurring mixes colours, and has a remark of its own.
    by_colour = [odd and not blurred(each) for odd, each in zip(unlike(pixels), pixels, strict=True)]
    by_look = [False] * len(pixels)
    if embed is not None and whole:
        by_look = outlying(embed([Image.fromarray(each) for each in pixels]))
    found = []
    for picture, colour, look in zip(whole, by_colour, by_look, strict=True):
        if colour or look:
            how = " in its colours" if colour else " to the image model"
            text = f"{UNLIKE}{how}: another character or style? The LoRA would learn both"
            found.append(Finding("warning", picture.name, text))
    return found


def _marked(data: DataSet) -> list[Finding]:
    whole, pixels = _whole(data)
    text = f"{MARKED} at the same place as the others: a watermark or signature is learned like everything else"
    return [Finding("warning", picture.name, text) for picture, has in zip(whole, marked(pixels), strict=True) if has]


def _texts(data: DataSet) -> list[Finding]:
    whole, _ = _whole(data)
    way = "crop or paint it out, or the LoRA learns it"
    places = zip(whole, texts_in(whole), strict=True)
    return [Finding("warning", picture.name, f"{TEXT}{place}: {way}") for picture, place in places if place]


def _duplicates(data: DataSet) -> list[Finding]:
    found: list[Finding] = []
    first: dict[str, str] = {}
    whole, pixels = _whole(data)
    prints = {picture.path: fingerprint(each) for picture, each in zip(whole, pixels, strict=True)}
    for number, picture in enumerate(whole):
        if picture.sha256 in first:
            same = f"the same picture as {first[picture.sha256]}"
            found.append(Finding("warning", picture.name, same, mendable=True))
            continue
        first[picture.sha256] = picture.name
        for other in whole[:number]:
            if other.sha256 != picture.sha256 and near(picture, other, prints[picture.path], prints[other.path]):
                found.append(Finding("warning", picture.name, f"nearly the same as {other.name}"))
                break
    return found


def near(one: Picture, other: Picture, a: int, b: int) -> bool:
    """Whether two pictures are copies in another size or quality; `a` and `b` are their fingerprints."""
    if (a ^ b).bit_count() > NEAR or one.thumbnail is None or other.thumbnail is None:
        return False
    # Pictures of one style share their layout; only nearly equal pixels make a near copy.
    return difference(one.thumbnail, other.thumbnail) < ALIKE


def _picture(picture: Picture) -> list[Finding]:
    name = picture.name
    if picture.problem:
        return [Finding("error", name, f"{picture.problem}; remove it or let repair leave it out", mendable=True)]
    found = []
    short = min(picture.width, picture.height)
    if short < TINY:
        found.append(Finding("error", name, f"{picture.width}x{picture.height} is too small: {SIZE}x{SIZE} or larger"))
    elif short < SIZE:
        found.append(Finding("warning", name, f"{picture.width}x{picture.height}: {SIZE}x{SIZE} or larger is better"))
    if max(picture.width, picture.height) > 2 * short:
        found.append(Finding("warning", name, f"{picture.width}x{picture.height} is very long: its sides will be cut"))
    if picture.rotated:
        found.append(Finding("note", name, "turned by EXIF: trained upright", mendable=True))
    if picture.alpha:
        found.append(Finding("warning", name, "has transparency: trained on white", mendable=True))
    if picture.converted:
        found.append(Finding("note", name, "its colours are converted from its own profile to sRGB", mendable=True))
    if picture.frames > 1:
        found.append(Finding("warning", name, "more than one picture in it: the first is trained", mendable=True))
    if picture.mode not in ("RGB", "RGBA", "L", "P"):
        found.append(Finding("note", name, f"mode {picture.mode}: trained as RGB", mendable=True))
    assert picture.thumbnail is not None
    if empty := blank(picture.thumbnail):
        found.append(Finding("warning", name, empty))
        return found
    measure = background(picture.thumbnail)
    if measure > BUSY:
        found.append(Finding("warning", name, f"busy background ({measure:.2f}, clean is at most {BUSY:.2f})"))
    if blurred(picture.thumbnail):
        found.append(Finding("warning", name, f"{BLURRED}: its softness is learned too"))
    if cropped(picture.thumbnail):
        found.append(Finding("warning", name, f"{CUT}: half a figure is learned too"))
    return found


def _caption(data: DataSet, picture: Picture) -> list[Finding]:
    name, rule, file = picture.caption_name, data.rule, picture.caption_file
    if picture.problem:
        return []
    if picture.caption_problem:
        level: Level = "note" if picture.caption_problem == "is empty" else "error"
        way = "; repair makes one from the name" if level == "note" else ""
        return [Finding(level, name, f"the caption {picture.caption_problem}{way}", mendable=level == "note")]
    if picture.caption is None:
        return []
    found = []
    if file and file.encoding:
        text = f'the caption is in {file.encoding}, not UTF-8, and is read as "{picture.caption[:60]}"'
        found.append(Finding("warning", name, text, mendable=True))
    if file and file.cleaned:
        found.append(Finding("warning", name, "the caption holds control characters: they are left out", mendable=True))
    if file and file.lost:
        found.append(Finding("warning", name, "the caption has lost letters (U+FFFD) before: write it anew"))
    if rule.trigger not in picture.caption:
        found.append(Finding("warning", name, f"without the trigger {rule.trigger}: it is put in front", mendable=True))
    if rule.trigger_out_of_reach(picture.caption):
        text = f"the trigger {rule.trigger} stands beyond CLIP's 77 tokens: move it to the front"
        found.append(Finding("warning", name, text))
    words = rule.style_words(picture.caption)
    if words:
        text = f"names the style ({', '.join(words)}): leave that to the trigger"
        found.append(Finding("warning", name, text))
    return found


def mean_background(data: DataSet) -> float:
    """The set's mean background measure, 0 (clean) to 1."""
    values = [background(p.thumbnail) for p in data.pictures if p.thumbnail is not None]
    return float(np.mean(values)) if values else 0.0
