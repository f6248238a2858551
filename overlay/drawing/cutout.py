"""A finished badge cut out for a sticker: its background flooded away from the edges, a white line around the rest.

The flood runs over what has the background's colour, the banner's soft shadow on it included, and stops where colours
change at once: at outlines. A picture whose background is not plain, or that nothing would be left of, is cut as a
rounded square instead. Masks are boolean arrays of shape (rows, columns), True where the badge is kept.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFilter

from overlay.drawing.placement import plain_background

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE = 1024
"""Pixels of the longer side at which a badge is cut out; twice a sticker's, so that shrinking smooths the edges."""
LINE = 18
"""Width of the white line, in those pixels."""
_CORNER = 0.13
"""Radius of a rounded square, of its shorter side."""
_ALIKE = 0.075
"""How far from the background a colour may lie whose channels go from 0 to 1: twice the noise of FLUX's decoder."""
_DARKEST = 0.45
"""The banner's shadow leaves so much of the background's light, or more (overlay/style.py: opacity 0.45)."""
_STEP = 0.05
"""Change from one pixel to the next, of a channel. A shadow of the built-in styles has at most 0.02, an edge 0.1."""
_EDGE = 3
"""Pixels over which an edge is blended with the background, which would be seen as a rim on the white line."""
_LEAST, _MOST = 0.04, 0.97
"""Of the picture; less or more than this is not a figure."""


def cut_out(badge: Image.Image) -> Image.Image:
    """The badge without its background, RGBA, `SIDE` pixels and a line on each side of it; transparent outside.

    A badge that is transparent already (a ring's) is returned as it is.
    """
    picture = badge.convert("RGBA")
    if picture.getchannel("A").getextrema() != (255, 255):
        return picture
    scale = SIDE / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    opaque = picture.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    kept = _figure(opaque)
    return _lined(opaque, _rounded(size) if kept is None else kept)


def _figure(picture: Image.Image) -> NDArray[np.bool_] | None:
    """What is not background; None where the background is not plain."""
    import numpy as np

    background = plain_background(picture)
    if background is None:
        return None
    pixels = np.asarray(picture.filter(ImageFilter.BoxBlur(1)), dtype=np.float32) / np.float32(255)
    alike = _has_colour(pixels, background)
    steps = np.zeros(alike.shape, np.float32)
    for axis in (0, 1):
        change = np.abs(np.diff(pixels, axis=axis)).max(axis=2)
        for first in (True, False):
            part = slice(None, -1) if first else slice(1, None)
            view = steps[part] if axis == 0 else steps[:, part]
            np.maximum(view, change, out=view)
    gone = _flooded(alike & (steps < _STEP))
    for _ in range(_EDGE):
        gone |= _grown(gone, 1.0) & alike
    kept: NDArray[np.bool_] = ~gone
    return _without_specks(kept) if _LEAST < kept.mean() < _MOST else None


def _has_colour(pixels: NDArray[np.float32], background: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where a pixel has the background's colour, or that colour in the shade."""
    import numpy as np

    light = np.clip(pixels @ background / max(float(background @ background), 1e-6), _DARKEST, 1.0)
    near: NDArray[np.bool_] = np.linalg.norm(pixels - light[..., None] * background, axis=2) < _ALIKE
    return near


def _flooded(free: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """What of `free` hangs together with the picture's edges (four neighbours)."""
    import numpy as np

    reached = np.zeros_like(free)
    for edge in (np.s_[0], np.s_[-1], np.s_[:, 0], np.s_[:, -1]):
        reached[edge] = free[edge]
    before = 0
    while (count := int(reached.sum())) != before:
        before = count
        reached |= _along_rows(free, reached)
        reached |= _along_rows(free.T, reached.T).T
    return reached


def _along_rows(free: NDArray[np.bool_], reached: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Each run of `free` pixels in a row, where some pixel of it is reached."""
    import numpy as np

    walls = ~free
    walls[:, 0] = True  # a run ends with its row; the edges' own pixels are reached from the start
    runs = np.cumsum(walls)
    run = np.bincount(runs[(reached & ~walls).ravel()], minlength=int(runs[-1]) + 1) > 0
    found: NDArray[np.bool_] = run[runs].reshape(free.shape) & free & ~walls
    return found


def _without_specks(kept: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`kept` without what is smaller than a few pixels across, which the white line would make a blot."""
    import numpy as np

    opened = _grown(~_grown(~kept, 2.0), 4.0)
    result: NDArray[np.bool_] = np.logical_and(kept, opened)
    return result


def _grown(mask: NDArray[np.bool_], radius: float) -> NDArray[np.bool_]:
    """`mask` and all that lies at most `radius` pixels away from it."""
    import numpy as np

    reach = math.ceil(radius)
    rows, columns = mask.shape
    padded = np.pad(mask, reach)
    result = mask.copy()
    for dy in range(-reach, reach + 1):
        dx = math.isqrt(max(0, math.floor(radius * radius) - dy * dy))
        strip = padded[reach + dy : reach + dy + rows]
        sums = np.cumsum(np.pad(strip, ((0, 0), (1, 0))), axis=1, dtype=np.int32)
        first = reach - dx
        result |= sums[:, first + 2 * dx + 1 : first + 2 * dx + 1 + columns] > sums[:, first : first + columns]
    return result


def _rounded(size: tuple[int, int]) -> NDArray[np.bool_]:
    import numpy as np

    mask = Image.new("L", size)
    box = (0, 0, size[0] - 1, size[1] - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, _CORNER * min(size), fill=255)
    result: NDArray[np.bool_] = np.asarray(mask) > 0
    return result


def _lined(picture: Image.Image, kept: NDArray[np.bool_]) -> Image.Image:
    """The kept part on white that reaches `LINE` pixels beyond it, its holes filled."""
    import numpy as np

    room = LINE + 2
    wide = np.pad(kept, room)
    line = ~_flooded(~_grown(wide, LINE))
    size = wide.shape[1], wide.shape[0]
    sheet = Image.new("RGB", size, "white")
    inside = Image.fromarray(wide.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(0.8))
    around = Image.new("RGB", size, "white")
    around.paste(picture, (room, room))
    sheet.paste(around, (0, 0), inside)
    sheet.putalpha(Image.fromarray(line.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(0.8)))
    return sheet
