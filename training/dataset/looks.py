"""How pictures look, as numbers: background clean or busy, a fingerprint for near copies, the difference of two."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
_RING = 0.07
"""Width of the ring that is taken for background, of the side; by hand. A wider one reaches into the figure."""
_OFF = 48
"""Of 255, in any channel; by hand. Less takes noise and soft shadows for figure, more loses pale figures."""
_SOFT = 0.45
"""Between sharp drawings, from 0.74, and those blurred by a radius of 1, up to 0.39: see `blurred`."""
_CUT = 0.12
"""The share of an edge that is figure; by hand. Our 20 training pictures have 0, the same cropped at the left 0.65 or
more. Less marks what only touches the edge, more misses a figure that is only just cut."""
_FAR, _ALIKE = 1.35, 0.44
"""Between samurai of one style, up to 0.38 (1.15 times their median), and others, from 0.51 (1.5 times): `unlike`."""
_ONE_VIEW = 0.65
"""Between our drawings of one view, 0.69 and 0.71, and the same with every other at 0.9 of its size, 0.61."""
_LEAST_DEVIATION = 0.01
"""Between features of unit length. Rounding alone puts a row of up to 1024 float32 numbers up to 0.0013 from itself,
measured; three times 0.01 is far above that, and still a cosine of 0.9995: no other character is as near."""


def background(pixels: Pixels) -> float:
    """0 (one calm colour) to 1 (busy): how much of the outer ring is an edge or far from the ring's own middle colour.

    The ring is 7% of the side wide, without the bottom, where the figure is cut off. `pixels` is H x W x 3 RGB.
    """
    values = pixels.astype(np.int16)
    high, wide = values.shape[:2]
    ring = np.zeros((high, wide), bool)
    y, x = max(1, round(high * _RING)), max(1, round(wide * _RING))
    ring[: high // 2, :x] = ring[: high // 2, -x:] = ring[:y] = True
    colours = values[ring]
    far = np.abs(colours - np.median(colours, axis=0)).max(axis=1) > _OFF
    grey = values.mean(axis=2)
    edge = np.zeros((high, wide), bool)
    edge[:, 1:] |= np.abs(np.diff(grey, axis=1)) > 24
    edge[1:] |= np.abs(np.diff(grey, axis=0)) > 24
    return float(min(1.0, 0.6 * far.mean() + 1.6 * edge[ring].mean()))


def blank(pixels: Pixels) -> str:
    """What is said of a picture that shows nothing: of one colour, or a mask; "" for any other."""
    values = pixels.astype(np.int16)
    if int(np.ptp(values, axis=(0, 1)).max()) <= 8:
        r, g, b = (int(value) for value in np.median(values, axis=(0, 1)))
        return f"of one colour, ({r}, {g}, {b}): there is nothing to learn in it"
    grey = int(np.ptp(values, axis=2).max()) <= 8
    dark, light = (values[..., 0] < 16).mean(), (values[..., 0] > 239).mean()
    if grey and dark + light > 0.97 and min(dark, light) > 0.01:
        return "of black and white alone: it looks like a mask"
    return ""


def fingerprint(pixels: Pixels) -> int:
    """A 64-bit difference hash: whether each of 8 x 8 cells is darker than its right neighbour."""
    small = np.asarray(Image.fromarray(pixels).convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = (small[:, 1:] > small[:, :-1]).flatten()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def difference(one: Pixels, other: Pixels) -> float:
    """Mean absolute difference of two pictures at 64 x 64, 0 to 1."""
    a, b = (
        np.asarray(Image.fromarray(p).resize((64, 64), Image.Resampling.BOX), dtype=np.float32) for p in (one, other)
    )
    return float(np.abs(a - b).mean() / 255)


def blurred(pixels: Pixels) -> bool:
    """Whether even the strongest edges are soft: the steepest 0.2% of steps between neighbours, over the contrast.

    Calibrated on 45 drawings at 256 pixels: 0.74 to 0.98; blurred by a Gaussian of radius 1, 0.34 to 0.39, of 1.5,
    0.24 to 0.26. Of 20 pictures of two plain shapes, which have few edges: from 0.85; blurred by 1.5, 0.24 to 0.33.
    """
    grey = pixels.astype(np.float32).mean(axis=2)
    contrast = float(np.percentile(grey, 99) - np.percentile(grey, 1))
    if contrast < 16:
        return False  # there is nothing that could be sharp
    steps = np.concatenate([np.abs(np.diff(grey, axis=0)).ravel(), np.abs(np.diff(grey, axis=1)).ravel()])
    return float(np.percentile(steps, 99.8)) / contrast < _SOFT


def cropped(pixels: Pixels) -> bool:
    """Whether the figure is cut by the left, right or upper edge, where the ground is calm enough to tell."""
    values = pixels.astype(np.int16)
    edges = [values[: len(values) * 3 // 4, 0], values[: len(values) * 3 // 4, -1], values[0]]
    ground = np.median(np.concatenate(edges), axis=0)
    cut = [float((np.abs(edge - ground).max(axis=1) > _OFF).mean()) for edge in edges]
    return background(pixels) < 0.3 and max(cut) > _CUT


def unlike(pictures: Sequence[Pixels]) -> list[bool]:
    """Which pictures have other colours than most: another character or style.

    Each is described by how its figure's pixels spread over 6 x 6 x 6 colours and how much of it is edges. The picture
    that is nearest to most stands for the set; a picture is unlike the others where it is farther from that one than
    `_FAR` times the median distance. Fewer than six pictures say nothing about what is usual.

    Calibrated on 12 samurai of one style among 6 others: samurai up to 0.38 (median 0.33), others from 0.51. Where a
    set itself has many colours, nothing is marked.
    """
    if len(pictures) < 6:
        return [False] * len(pictures)
    described = np.stack([_colours(each) for each in pictures])
    # Hellinger distance: 0 for the same colours in the same shares, 1 for none in common.
    distances, others = _from_the_middle(np.sqrt(np.clip(1 - described @ described.T, 0, 1)))
    usual = float(np.median(others))
    return [bool(distance > max(_FAR * usual, _ALIKE)) for distance in distances]


def outlying(features: NDArray[np.float32]) -> list[bool]:
    """Which pictures look unlike most, by a model's features, shape (pictures, numbers), of unit length.

    No such model could be calibrated here, so the rule is one for any numbers, Hampel's: more than three deviations
    above the median of the distances, a deviation being 1.4826 times their median absolute deviation. That is 0 where
    more than half the distances are equal, as among copies, and any other distance would be too far: hence a least one.
    """
    if len(features) < 6:
        return [False] * len(features)
    distances, others = _from_the_middle(np.sqrt(np.clip(2 - 2 * features @ features.T, 0, None)))
    usual = float(np.median(others))
    deviation = max(1.4826 * float(np.median(np.abs(others - usual))), _LEAST_DEVIATION)
    return [bool(distance > usual + 3 * deviation) for distance in distances]


def _from_the_middle(apart: NDArray[np.floating]) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Each picture's distance from the one that is nearest to most, and the same without that one itself."""
    middle = int(np.argmin(np.median(apart, axis=1)))
    return apart[middle], np.delete(apart[middle], middle)


def one_view(pictures: Sequence[Pixels]) -> bool:
    """Whether most show the figure at the same place and in the same size, where the ground is calm enough to tell.

    The median overlap of two figures, as intersection over union at 32 x 32. Our drawings of one view: 0.69 and 0.71;
    with every other one at 0.9 of its size 0.61, at 0.8 of it 0.50; mirrored, moved and in four sizes 0.29.
    """
    figures = [_figure(each) for each in pictures if background(each) < 0.3]
    if len(figures) < 5 or 2 * len(figures) < len(pictures):
        return False
    pairs = [(a, b) for number, a in enumerate(figures) for b in figures[:number]]
    overlaps = [np.minimum(a, b).sum() / max(1.0, np.maximum(a, b).sum()) for a, b in pairs]
    return float(np.median(overlaps)) > _ONE_VIEW


def _figure(pixels: Pixels) -> NDArray[np.float32]:
    """How much of each of 32 x 32 cells is not ground, 0 to 1."""
    values = pixels.astype(np.int16)
    sides = len(values) * 3 // 4
    ground = np.median(np.concatenate([values[0], values[:sides, 0], values[:sides, -1]]), axis=0)
    off = (np.abs(values - ground).max(axis=2) > _OFF).astype(np.float32)
    return np.asarray(Image.fromarray(off).resize((32, 32), Image.Resampling.BOX))


def _colours(pixels: Pixels) -> NDArray[np.float64]:
    """The square roots of the shares of 216 colours in the figure: what differs from the ring's middle colour."""
    values = pixels.reshape(-1, 3).astype(np.int16)
    y, x = pixels.shape[:2]
    ring = np.concatenate([pixels[0], pixels[:, 0], pixels[:, -1]]).reshape(-1, 3)
    figure = values[np.abs(values - np.median(ring, axis=0)).max(axis=1) > _OFF]
    if len(figure) < x * y // 50:
        figure = values
    cells = np.clip(figure * 6 // 256, 0, 5) @ np.array([36, 6, 1])
    shares = np.bincount(cells, minlength=216) / len(cells)
    root: NDArray[np.float64] = np.sqrt(shares)
    return root
