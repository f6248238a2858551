"""Where the banner goes: the place that hides least of what a person looks at.

Faces and held things stand out from their background by colour and by edges, whatever drew them; legs and ground
at the picture's foot matter less, but skin matters anywhere. So each possible height is charged with what stands
out under the banner's own outline and with its distance from the style's usual height, which therefore wins
unless another place is clearly better. The top of the picture is a last resort. Coordinates are pixels; maps are
float32 of shape (rows, columns) with values 0..1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image

from overlay.drawing.paint import Layer

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GRID = 128
"""Cells along the picture's shorter side."""
STEP = 8.0
"""Distance between the heights tried, in u."""
MOST_PLACES = 64
"""Heights tried at the foot, by hand: in a very tall picture the steps become longer instead of more."""
CLEARLY = 0.3
"""Distance from the background, of colours whose channels go from 0 to 1: the shadow on the ground has 0.2 of it."""
PLAIN = 0.75
"""How plain a background must be for its colour to tell the figure apart: see `_background`."""
UPPER = 0.76
"""What lies lower in a round badge is under the ribbon anyway; a share of the height."""
MOVE_COST = 0.35
"""Charge for moving by the picture's whole height."""
TOP_COST = 0.20
"""Further charge for leaving the foot of the picture for its top."""
LOWEST, HIGHEST = 1006.0, 640.0
"""Where the banner's outline may end below, and begin above, when it stays at the foot; in u."""


@dataclass(frozen=True)
class Subject:
    """What stands out of a picture with a plain background: its box (left, top, right, bottom) as shares 0..1."""

    box: tuple[float, float, float, float]
    background: tuple[int, int, int]
    reach: float
    """How far its upper part lies from the point between its sides at half the picture's height, in pixels."""


def saliency(portrait: Image.Image) -> NDArray[np.float32]:
    """How much each cell of an RGB picture would be missed: it stands out, high in the picture or as skin does."""
    import numpy as np

    cells = _cells(portrait)
    background, plain = _background(cells)
    distance = np.clip(np.linalg.norm(cells - background, axis=2) / 0.35, 0.0, 1.0)
    light = cells @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    edges = np.zeros_like(light)
    edges[:, 1:] += np.abs(np.diff(light, axis=1))
    edges[1:] += np.abs(np.diff(light, axis=0))
    found = _smooth(plain * 0.6 * distance + 0.4 * np.clip(edges * 4.0, 0.0, 1.0))
    # What is everywhere does not stand out: a busy picture has no place better than another.
    found = np.clip(found - np.median(found), 0.0, 1.0)
    skin = _smooth(_is_skin(cells) & (distance > 0.3)) if plain > 0.5 else np.zeros_like(found)
    result: NDArray[np.float32] = (found * (_importance(len(found))[:, None] + 0.8 * skin)).astype(np.float32)
    return result


def _smooth(cells: NDArray[np.float32] | NDArray[np.bool_]) -> NDArray[np.float32]:
    """Each cell's mean with its neighbours up to two cells away."""
    import numpy as np

    padded = np.pad(cells.astype(np.float32), 2, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (5, 5))
    smooth: NDArray[np.float32] = windows.mean(axis=(2, 3), dtype=np.float32)
    return smooth


def _is_skin(cells: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Cells in the range of human skin of any tone in YCbCr: Cb 77..127, Cr 133..173 (Chai and Ngan, 1999)."""
    red, green, blue = (255 * cells[..., k] for k in range(3))
    cb = 128 - 0.169 * red - 0.331 * green + 0.5 * blue
    cr = 128 + 0.5 * red - 0.419 * green - 0.081 * blue
    result: NDArray[np.bool_] = (cb >= 77) & (cb <= 127) & (cr >= 133) & (cr <= 173)
    return result


def find_subject(portrait: Image.Image) -> Subject | None:
    """The box of all that stands out from a plain background; None where the background is not plain."""
    import numpy as np

    cells = _cells(portrait)
    background, plain = _background(cells)
    if plain < PLAIN:
        return None
    there = np.linalg.norm(cells - background, axis=2) > 0.09
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    height, width = there.shape
    left, right = float(columns[0] / width), float((columns[-1] + 1) / width)
    y, x = np.nonzero(there[: round(UPPER * height)])
    away = np.hypot((x + 0.5) - (left + right) / 2 * width, (y + 0.5) - height / 2)
    # A stray cell or two may stay outside.
    reach = float(np.quantile(away, 0.998)) * _cell(portrait) if len(away) else 0.0
    red, green, blue = (round(float(v) * 255) for v in background)
    box = (left, float(rows[0] / height), right, float((rows[-1] + 1) / height))
    return Subject(box, (red, green, blue), reach)


def plain_background(picture: Image.Image) -> NDArray[np.float32] | None:
    """The colour of a plain background, its channels from 0 to 1; None where it is not plain."""
    colour, plain = _background(_cells(picture))
    return colour if plain >= PLAIN else None


@dataclass(frozen=True)
class Figure:
    """What stands out clearly, its outlines and colours, no shadows: where it begins and ends, as shares 0..1."""

    box: tuple[float, float, float, float]
    feet: tuple[float, float]
    """From where to where its lowest tenth goes."""
    points: NDArray[np.float32]
    """Its cells' middles, shape (count, 2): x and y, as shares of the picture's width and height."""


def find_figure(portrait: Image.Image) -> Figure | None:
    """The figure; None where there is none, or where the background is not plain all along the picture's edges."""
    import numpy as np

    cells = _cells(portrait)
    background, plain = _background(cells)
    around = np.concatenate([cells[-2:].reshape(-1, 3), cells[:, :2].reshape(-1, 3), cells[:, -2:].reshape(-1, 3)])
    if plain < PLAIN or (np.linalg.norm(around - background, axis=1) > CLEARLY).mean() > 0.25:
        return None
    there = np.linalg.norm(cells - background, axis=2) > CLEARLY
    # One cell in a row is a speck, not the figure's end.
    there &= (there.sum(axis=1) > 1)[:, None] & (there.sum(axis=0) > 1)
    rows, columns = np.flatnonzero(there.any(axis=1)), np.flatnonzero(there.any(axis=0))
    if not len(rows):
        return None
    height, width = there.shape
    lowest = there[rows[-1] - (rows[-1] - rows[0]) // 10 :]
    feet = np.flatnonzero(lowest.any(axis=0))
    y, x = np.nonzero(there)
    points = np.stack([(x + 0.5) / width, (y + 0.5) / height], axis=1).astype(np.float32)
    box = (columns[0] / width, rows[0] / height, (columns[-1] + 1) / width, (rows[-1] + 1) / height)
    return Figure(tuple(map(float, box)), (float(feet[0] / width), float((feet[-1] + 1) / width)), points)  # type: ignore[arg-type]


def find_height(portrait: Image.Image, banner: Layer, usual: int) -> int:
    """The y in pixels at which `banner` (drawn about (0, 0)) hides least; `usual` unless another is clearly better."""
    import numpy as np

    width, height = portrait.size
    u = min(width, height) / 1024
    cell = _cell(portrait)
    weighted = saliency(portrait)
    mask = _outline(banner, cell, width)
    heights = _heights(banner, mask, cell, usual, height, u)
    costs = []
    for y in heights:
        first = round((y + banner.box.top) / cell)
        rows = range(max(0, first), min(len(weighted), first + len(mask)))
        under = float((weighted[rows.start : rows.stop] * mask[rows.start - first : rows.stop - first]).sum())
        charge = MOVE_COST * abs(y - usual) / height
        at_top = y < height / 2
        costs.append(under / max(1.0, float(mask.sum())) + (TOP_COST if at_top else charge))
    return heights[int(np.argmin(costs))]


def _heights(banner: Layer, mask: NDArray[np.float32], cell: float, usual: int, height: int, u: float) -> list[int]:
    """The places to try, the usual one first: a range at the foot of the picture, and one at its top."""
    import numpy as np

    rows = np.flatnonzero(mask.any(axis=1))
    above = banner.box.top + round(float(rows[0]) * cell)
    below = banner.box.top + round(float(rows[-1] + 1) * cell)
    scale = height / 1024
    lowest = max(usual, round(LOWEST * scale) - below)
    highest = min(usual, round(HIGHEST * scale) - above)
    step = max(1, round(STEP * u), (lowest - highest) // MOST_PLACES)
    return [
        usual,
        *range(usual + step, lowest + 1, step),
        *range(usual - step, highest - 1, -step),
        round(14 * u) - above,
    ]


def _outline(banner: Layer, cell: float, width: int) -> NDArray[np.float32]:
    """Which cells the banner's opaque part covers, from its box's first row on, over the picture's whole width."""
    import numpy as np

    columns, rows = round(width / cell), max(1, round(banner.box.height / cell))
    size = max(1, round(banner.box.width / cell)), rows
    alpha = banner.image.getchannel("A").resize(size, Image.Resampling.BOX, reducing_gap=2.0)
    mask = np.zeros((rows, columns), dtype=np.float32)
    left = round((banner.box.left + width / 2) / cell)
    part = (np.asarray(alpha, dtype=np.float32)[:, max(0, -left) : max(0, columns - left)] > 140).astype(np.float32)
    mask[:, max(0, left) : max(0, left) + part.shape[1]] = part
    return mask


def _importance(rows: int) -> NDArray[np.float32]:
    """The weight of each row: full down to 0.62 of the height, a quarter from 0.9 on."""
    import numpy as np

    y = (np.arange(rows, dtype=np.float32) + 0.5) / rows
    return np.interp(y, [0.62, 0.9], [1.0, 0.25]).astype(np.float32)


def _cell(portrait: Image.Image) -> float:
    """The side of a cell in pixels."""
    return max(min(portrait.size) / GRID, max(portrait.size) / (4 * GRID))


def _cells(portrait: Image.Image) -> NDArray[np.float32]:
    """The picture as a small grid of colours 0..1, shape (rows, columns, 3)."""
    import numpy as np

    width, height = portrait.size
    cell = _cell(portrait)
    factor = max(1, int(cell / 2))
    small = portrait.reduce(factor) if factor > 1 else portrait
    small = small.resize((round(width / cell), round(height / cell)), Image.Resampling.BOX)
    return np.asarray(small, dtype=np.float32) / np.float32(255)


def _background(cells: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """The colour along the upper edges, and how plain it is: 1 one colour, 0 anything."""
    import numpy as np

    rows = round(0.6 * len(cells))
    edge = np.concatenate([cells[:2].reshape(-1, 3), cells[:rows, :2].reshape(-1, 3), cells[:rows, -2:].reshape(-1, 3)])
    colour: NDArray[np.float32] = np.median(edge, axis=0).astype(np.float32)
    off = np.linalg.norm(edge - colour, axis=1) > 0.08
    return colour, float(np.clip(1.0 - 2.0 * off.mean(), 0.0, 1.0))
