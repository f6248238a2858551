"""A watermark, logo or signature: what stands at the same place near the upper or lower edge of most pictures."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
# Chosen on the pictures that `marked` names, which also says what they find there and what they leave alone.
_FEWEST = 6  # pictures; among fewer, more than half have an edge in common by chance
_SIDE = 256  # that of the thumbnails
_BAND = 0.15  # of the height; a wider one reaches what the figure holds or stands on
_EDGE = 10.0  # of 255, in the median picture; more misses faint marks, less takes noise for one
_STROKES = 40  # pixels of edges that a mark has at least; fewer may coincide, and more misses small marks
_ALIKE = 0.55  # correlation with the common edges; less marks pictures without the mark, too


def marked(pictures: Sequence[Pixels]) -> list[bool]:
    """Which pictures carry a mark that most of them have at the same place, apart from the figure.

    Edges that more than half of the pictures have in common are looked at. What hangs together with the middle of the
    picture is the figure, or a frame around it; what lies alone in the upper or lower 15% is a mark. A picture has it
    where its own edges there are alike. Fewer than six pictures have nothing in common yet.

    `pictures` are H x W x 3 RGB. Calibrated on our 20 training pictures and 15 more of that character: words in four
    corners and three fonts, 2 to 6% of the side high, were found in 188 of 192 sets at opacities from 1 to 0.25, and
    in 39 of 48 at 0.15. Clean, nothing was marked in those, in drawings of ten characters, in 48 portraits of the demo
    with its LoRA and without, nor in 600 sets of drawings and 400 of portraits that were picked at random.
    """
    if len(pictures) < _FEWEST:
        return [False] * len(pictures)
    edges = np.stack([_edges(each) for each in pictures])
    common = np.median(edges, axis=0)
    place = _alone(common > _EDGE)
    if np.count_nonzero(place & (common > _EDGE)) < _STROKES:
        return [False] * len(pictures)
    here = common[place] - common[place].mean()
    found = []
    for each in edges:
        own = each[place] - each[place].mean()
        size = float(np.linalg.norm(own) * np.linalg.norm(here))
        found.append(size > 0 and float(own @ here) / size > _ALIKE)
    return found


def _edges(pixels: Pixels) -> NDArray[np.float32]:
    """How much the grey changes at each of 256 x 256 places, 0 to 255."""
    small = Image.fromarray(pixels).convert("L").resize((_SIDE, _SIDE), Image.Resampling.BOX)
    grey = np.asarray(small, dtype=np.float32)
    change = np.zeros_like(grey)
    change[:, 1:] = np.abs(np.diff(grey, axis=1))
    change[1:] = np.maximum(change[1:], np.abs(np.diff(grey, axis=0)))
    return change


def _alone(strong: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The places near the upper and lower edge around what does not hang together with the rest of the picture."""
    joined = _grown(strong, 7)
    band = round(_SIDE * _BAND)
    reached = joined.copy()
    reached[:band] = reached[-band:] = False
    while True:
        more = _grown(reached, 3) & joined
        if np.array_equal(more, reached):
            return joined & ~reached
        reached = more


def _grown(mask: NDArray[np.bool_], by: int) -> NDArray[np.bool_]:
    return np.asarray(Image.fromarray(mask).convert("L").filter(ImageFilter.MaxFilter(by))) > 0
