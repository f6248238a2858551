"""Text in a picture: a signature, a date, a caption along an edge, a word in the middle. Found without reading it."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from PIL import Image

from overlay.errors import InvalidImage
from overlay.images import open_image
from training.dataset.folder import read_file
from training.dataset.marks.chains import Chain, chains_in
from training.dataset.pictures import MAX_PIXELS, Picture

UPPER, LOWER, MIDDLE = "along the upper edge", "along the lower edge", "in the middle"
_SIDE = 1024
"""At 512 pixels a font of 3% has letters of 8 pixels with gaps of half a pixel, which flow together."""
_BAND = 0.2
"""Of the height: where text is called that of an edge and looked for at the full 1024 pixels. By hand."""
_KEPT = 4096
"""Answers remembered, a short string each: more than any data set has pictures."""


def texts_in(pictures: Sequence[Picture]) -> list[str]:
    """`text_in` of each picture's file, computed once as long as the file stays the same; "" where it is gone."""
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda picture: _text_in_file(picture.path, picture.sha256), pictures))


@lru_cache(_KEPT)
def _text_in_file(path: Path, _sha256: str) -> str:
    try:
        return text_in(open_image(read_file(path), name="it", max_pixels=MAX_PIXELS, shrunk_to=2 * _SIDE).image)
    except (OSError, InvalidImage):
        return ""  # it could be read a moment ago: what became of it is told when the folder is read again


def text_in(image: Image.Image) -> str:
    """Where horizontal text stands: "along the lower edge", several places joined by "and", "" where there is none.

    Rows of regions are looked for in the upper and lower fifth at 1024 pixels, and everywhere at 512. Text is a row
    that stands by itself, on one line, of one colour and stroke, whose regions differ as letters do.

    `python -m benchmarks.lettering` measured it, on seeds that the thresholds were not chosen on.
    Print along an edge, six kinds, at full contrast: 96% of 360 from 3% of the height, 75% of 120 at 2%; at a
    quarter of the contrast 90% from 3%. Thin script 25% at 3%, 70% at 6%; over textures 42%; a bare word across the
    figure 3%; banners of ours 70% (ribbon), 100% (plate), 20% (arc). Without text: none of 1,200 drawings (200
    of lettered things among them), none of the demo's own 35 pictures, 2 of 1,100 textures (both
    of pebbles). 0.049 CPU seconds a picture, at most 0.157.
    """
    found = {place for place, chain in _rows_in(image.convert("RGB")) if _is_text(chain)}
    return " and ".join(place for place in (UPPER, LOWER, MIDDLE) if place in found)


def _rows_in(image: Image.Image) -> Iterator[tuple[str, Chain]]:
    scale = _SIDE / (image.width * image.height) ** 0.5  # of whatever shape, so many pixels
    wide, high = (round(side * scale) for side in image.size)
    large = image.resize((wide, high), Image.Resampling.BICUBIC)
    band = round(high * _BAND)
    for place, top in ((UPPER, 0), (LOWER, high - band)):
        for chain in chains_in(large.crop((0, top, wide, top + band)), reach=12, lowest=8, highest=60):
            yield place, chain
    for chain in chains_in(large.resize((wide // 2, high // 2), Image.Resampling.BOX), reach=14, lowest=10, highest=90):
        middle = (chain.box[1] + chain.box[3]) / high
        yield UPPER if middle < _BAND else LOWER if middle > 1 - _BAND else MIDDLE, chain


def _is_text(row: Chain) -> bool:
    if row.gap <= 0 or row.ink_spread >= 32 or row.crossed[0] > 2.1 or row.crossed_spread[0] > 0.75:
        return False  # of several colours, or pieces of thin outlines, as of beads
    return _printed(row) or _written(row) or _framed(row)


def _printed(row: Chain) -> bool:
    """Whether the regions differ in how often a row or column cuts them, as "o", "l" and "e" do.

    The limits lie near the outer 2 to 5% of 232 rows of text with five letters and more. Of 1,771 such rows in textures
    half were of regions that every row and column cuts once, with 0.68 as many edges above them as inside.
    """
    return (
        row.busy[0] < 0.3 and row.busy[1] < 0.4 and row.busy[2] < 0.25
        and row.crossed[0] > 1.04 and row.crossed[1] > 1.08 and sum(row.crossed) > 2.25
        and row.crossed_spread[0] > 0.06 and row.crossed_spread[1] > 0.13 and sum(row.crossed_spread) > 0.32
        and row.strokes_spread < (0.2 if row.letters > 4 else 0.14)
        and row.heights_spread < 0.22 and 0.025 < row.fill_spread < 0.24
        and row.solid <= 0.34 and row.aligned() >= 0.6
    )  # fmt: skip


def _written(row: Chain) -> bool:
    """The same for thin script, whose letters fall apart into strokes that a row cuts once: stricter in the rest."""
    return (
        row.letters >= 5 and max(row.busy[:2]) < 0.2 and row.busy[2] < 1
        and row.crossed[1] > 1.18 and row.crossed_spread[1] > 0.13
        and row.strokes_spread < 0.135 and row.heights_spread < 0.27 and 0.045 < row.fill_spread < 0.2
        and row.solid == 0 and row.aligned() >= 0.8
    )  # fmt: skip


def _framed(row: Chain) -> bool:
    """The same for capitals on a banner or over a busy ground: of one height, and surely letters in all else."""
    return (
        row.letters >= 5 and max(row.busy) < 1.7
        and min(row.crossed) > 1.15 and sum(row.crossed) > 2.6 and min(row.crossed_spread) > 0.2
        and row.strokes_spread < 0.11 and row.heights_spread < 0.06 and 0.04 < row.fill_spread < 0.16
        and row.solid == 0 and 0.08 < row.gap < 0.5 and row.aligned() >= 0.8
    )  # fmt: skip
