"""Rows of regions that could be letters of one line, and what tells letters from bricks, blades and beads."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.dataset.marks.regions import Regions, regions_of

Floats = NDArray[np.float64]
Grey = NDArray[np.uint8]
FEWEST = 4
"""Letters in a line: three regions in a row stand in every second drawing."""
_CONTRAST = 24
"""Of 255, between ink and ground; an edge has half of it. By hand: more misses faint text, less finds it in noise."""
_INK = 0.42
"""The share of the span between darkest and lightest nearby that still is ink: under a half, so that letters of 15
pixels, whose gaps are grey, do not flow together."""
_MOST = 1500
"""So many regions of a letter's size are a texture, or a page of print, which nobody takes for a drawing."""
_SAMPLED = 24
"""Letters whose line is looked for: every two of them are tried, so twice as many take eight times as long."""


@dataclass(frozen=True)
class Chain:
    """A row of regions; lengths as shares of the letters' height. `box` is left, top, right, bottom in pixels."""

    box: tuple[float, float, float, float]
    letters: int
    busy: tuple[float, float, float]
    """Edges above, below and at the quieter end, as shares of those inside: a line of text stands by itself."""
    crossed: tuple[float, float]
    """In how many pieces a row, and a column, cuts a region: one for bricks, bars and blades, more for letters."""
    crossed_spread: tuple[float, float]
    heights_spread: float
    strokes_spread: float
    fill_spread: float
    solid: float
    gap: float
    ink_spread: float
    aligned: Callable[[], float]
    """The share of letters that stand on one straight line; slow, therefore computed where the rest fits."""


def chains_in(image: Image.Image, reach: int, lowest: int, highest: int) -> Iterator[Chain]:
    """The chains of an RGB picture whose regions are `lowest` to `highest` pixels high.

    A pixel is ink where it is near the darkest, or the lightest, within `reach` pixels.
    """
    colours = np.asarray(image)
    grey = np.asarray(image.convert("L"))
    edges = _edges(grey)
    low, high = _window(grey, reach, np.minimum), _window(grey, reach, np.maximum)
    span = high - low
    ink, strong = (span * _INK).astype(np.uint8), span > _CONTRAST
    for mask in (strong & (grey < low + ink), strong & (grey > high - ink)):
        regions = _letters(regions_of(mask), mask.shape, lowest, highest)
        if FEWEST <= len(regions.area) <= _MOST:
            for members in _rows(regions):
                yield _measured(regions, members, edges, colours)


def _window(grey: Grey, reach: int, least_or_most: Callable[..., Grey]) -> Grey:
    """The least or greatest value within `reach` pixels, by windows that double: a dozen passes for any reach."""
    out = np.pad(grey, reach, mode="edge")
    for axis in (0, 1):
        length, done = 2 * reach + 1, 1
        while done < length:
            step = min(done, length - done)
            ahead, behind = np.split(out, [step], axis=axis)[1], np.split(out, [out.shape[axis] - step], axis=axis)[0]
            out = least_or_most(ahead, behind)
            done += step
    return out


def _edges(grey: Grey) -> Floats:
    """How many pixels up to each row and column, exclusive, differ from a neighbour."""
    values = grey.astype(np.int16)
    edge = np.zeros(grey.shape, bool)
    edge[:, 1:] |= np.abs(np.diff(values, axis=1)) > _CONTRAST // 2
    edge[1:] |= np.abs(np.diff(values, axis=0)) > _CONTRAST // 2
    total = np.zeros((grey.shape[0] + 1, grey.shape[1] + 1))
    total[1:, 1:] = edge.cumsum(0).cumsum(1)
    return total


def _letters(regions: Regions, size: tuple[int, ...], lowest: int, highest: int) -> Regions:
    """Those with a letter's size and proportions that no edge of the picture cuts."""
    high, wide = regions.bottom - regions.top, regions.right - regions.left
    fits = (high >= lowest) & (high <= highest) & (wide <= 2.2 * high) & (12 * wide >= high)
    fits &= (regions.area >= 0.12 * high * wide) & (regions.top > 0) & (regions.left > 0)
    fits &= (regions.bottom < size[0]) & (regions.right < size[1])
    return regions.only(fits)


def _rows(regions: Regions) -> Iterator[NDArray[np.intp]]:
    """Chains from left to right: each region's nearest partner on the right, where that has it as its nearest too."""
    box = (regions.left, regions.top, regions.right, regions.bottom)
    left, top, right, bottom = (side.astype(np.float32) for side in box)
    high, stroke = bottom - top, (regions.area / (regions.runs + regions.columns)).astype(np.float32)

    def taller(a: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.maximum(a[:, None], a[None])

    def lower(a: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.minimum(a[:, None], a[None])

    tall, gap = taller(high), left[None] - right[:, None]
    fits = (gap > -0.35 * tall) & (gap < 0.9 * tall) & ((left + right)[None] > (left + right)[:, None])
    fits &= tall < 2.3 * lower(high)  # an "l" beside an "e"
    fits &= (np.abs(bottom[:, None] - bottom[None]) < 0.16 * tall) | (np.abs(top[:, None] - top[None]) < 0.16 * tall)
    fits &= taller(stroke) < 1.9 * lower(stroke)
    fits &= lower(bottom) - taller(top) > 0.35 * lower(high)
    cost = np.where(fits, gap, np.inf)
    after, before = cost.argmin(1), cost.argmin(0)
    number = np.arange(len(high))
    following = np.where(np.isfinite(cost.min(1)) & (before[after] == number), after, -1)
    for first in np.setdiff1d(number, following):
        members = [int(first)]
        while following[members[-1]] >= 0:
            members.append(int(following[members[-1]]))
        if len(members) >= FEWEST:
            yield np.array(members)


def _measured(regions: Regions, members: NDArray[np.intp], edges: Floats, colours: NDArray[np.uint8]) -> Chain:
    own = regions.only(members)
    high, wide = own.bottom - own.top, own.right - own.left
    tall = float(np.percentile(high, 80))
    start, end = float(own.left.min()), float(own.right.max())
    top, bottom = float(np.percentile(own.top, 10)), float(np.percentile(own.bottom, 60))  # without tails, as of "p"
    inside = max(0.01, _share(edges, start, top, end, bottom))
    ends = [(start - 0.9 * tall, start - 0.25 * tall), (end + 0.25 * tall, end + 0.9 * tall)]
    busy = (
        _share(edges, start, top - 0.6 * tall, end, top - 0.15 * tall),
        _share(edges, start, bottom + 0.35 * tall, end, bottom + 0.8 * tall),
        min(_share(edges, a, top, b, bottom) for a, b in ends),
    )
    rows, columns, fill = own.runs / high, own.columns / wide, own.area / (high * wide)
    strokes = own.area / (own.runs + own.columns)
    ink = colours.reshape(-1, 3)[own.pixel].astype(np.float64)
    middle, feet = (own.left + own.right)[:_SAMPLED] / 2, own.bottom[:_SAMPLED].astype(np.float64)
    return Chain(
        (start, float(own.top.min()), end, float(own.bottom.max())), len(members),
        (busy[0] / inside, busy[1] / inside, busy[2] / inside),
        (float(rows.mean()), float(columns.mean())), (float(rows.std()), float(columns.std())),
        float(high.std()) / tall, float(strokes.std() / strokes.mean()), float(fill.std()),
        float((fill > 0.88).mean()), float(np.mean(own.left[1:] - own.right[:-1])) / tall,
        float(np.abs(ink - np.median(ink, axis=0)).max(axis=1).mean()),
        lambda: _aligned(middle, feet, 0.07 * tall + 0.5),
    )  # fmt: skip


def _share(edges: Floats, left: float, top: float, right: float, bottom: float) -> float:
    """The share of edges in a box, 0 for one outside the picture."""
    x, y = (
        np.clip([left, right], 0, edges.shape[1] - 1).astype(int),
        np.clip([top, bottom], 0, edges.shape[0] - 1).astype(int),
    )
    size = int((x[1] - x[0]) * (y[1] - y[0]))
    return float(edges[y[1], x[1]] - edges[y[0], x[1]] - edges[y[1], x[0]] + edges[y[0], x[0]]) / size if size else 0.0


def _aligned(across: Floats, feet: Floats, off: float) -> float:
    """The largest share that lies on the line through any two, which slopes by a fifth at most."""
    one, other = np.triu_indices(len(across), 1)
    apart = across[other] - across[one]
    slope = np.where(apart != 0, (feet[other] - feet[one]) / np.where(apart != 0, apart, 1), np.inf)
    level = np.abs(slope) <= 0.2
    if not level.any():
        return 0.0
    one, slope = one[level], slope[level]
    expected = feet[one, None] + slope[:, None] * (across[None] - across[one, None])
    return float((np.abs(expected - feet[None]) < off).mean(axis=1).max())
