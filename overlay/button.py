"""A badge for a button or a sticker: nothing cut by the trim line, and the background continued into the bleed.

A button maker cuts round, `bleed` outside the line that will be seen; what matters (figure, banner, ring) must lie
inside that line. The badge is made as large as its smallest enclosing circle allows, or as large as the square; what
is beyond it goes on in the picture's own background. Sizes are pixels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from overlay.banner import draw_print
from overlay.drawing.composition import middle_of_circle, placed
from overlay.drawing.placement import find_figure
from overlay.images import as_portrait
from overlay.styles import DEFAULT_STYLE

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SAFE = 0.02
"""Of the diameter that stays free inside the trim line: cutters are off by half a millimetre on a button of 25."""
MOST_SCALE = 1.1
"""A badge with much air around it is not made larger than this of the trimmed size."""
_LOOK = 512
"""Pixels at which a badge is drawn to find out what must not be cut."""


def draw_button(
    portrait: Image.Image, text: str, style: str = DEFAULT_STYLE, *, trim: int, bleed: int = 0, round_: bool = True
) -> Image.Image:
    """A badge for a button of `trim` pixels across, with `bleed` more on every side; RGB, `trim` + 2 `bleed` square.

    The banner is drawn at that size. With `round_` False the trim line is a square. Raises what `draw_banner` raises.
    """
    picture = as_portrait(portrait)
    seen = draw_print(picture, text, style, _LOOK)
    scale, middle = _fit(seen, round_)
    side = max(64, round(scale * trim))
    return _mounted(draw_print(picture, text, style, side), middle, trim + 2 * bleed)


def place_on_button(badge: Image.Image, *, trim: int, bleed: int = 0, round_: bool = True) -> Image.Image:
    """A finished badge, its banner already on it, enlarged or shrunk for a button as `draw_button` would draw it."""
    picture = badge.convert("RGBA" if badge.mode in ("RGBA", "LA", "PA") else "RGB")
    scale, middle = _fit(picture, round_)
    side = max(64, round(scale * trim))
    size = round(picture.width * side / max(picture.size)), round(picture.height * side / max(picture.size))
    if picture.mode == "RGBA":
        small = picture.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    else:
        small = picture.resize(size, Image.Resampling.LANCZOS)
    return _mounted(small, middle, trim + 2 * bleed)


def _fit(badge: Image.Image, round_: bool) -> tuple[float, tuple[float, float]]:
    """(scale of the badge's side to the trim line's, which point of the badge comes to the middle, as shares)."""
    import numpy as np

    if not round_:
        return 1.0, (0.5, 0.5)
    points = _matters(badge)
    middle = middle_of_circle(points)
    middle[0] = 0.5 + np.clip(middle[0] - 0.5, -0.08, 0.08)
    radius = float(np.hypot(*(points - middle).T).max())
    return min(MOST_SCALE, (0.5 - SAFE) / max(radius, 0.1)), (float(middle[0]), float(middle[1]))


def _matters(badge: Image.Image) -> NDArray[np.float32]:
    """Points that must not be cut, shape (count, 2), as shares: what is not transparent, or stands out.

    Where the background is not plain, only the banner is known to matter: the strip that any style's lies in.
    """
    import numpy as np

    if badge.mode == "RGBA":
        small = np.asarray(badge.getchannel("A").resize((128, 128), Image.Resampling.BOX))
        y, x = np.nonzero(small > 100)
        return np.stack([(x + 0.5) / 128, (y + 0.5) / 128], axis=1).astype(np.float32)
    figure = find_figure(badge)
    if figure is not None:
        return figure.points
    corners = [(0.03, 0.75), (0.97, 0.75), (0.05, 0.97), (0.95, 0.97), (0.5, 0.03)]
    return np.array(corners, np.float32)


def _mounted(badge: Image.Image, middle: tuple[float, float], side: int) -> Image.Image:
    """The badge with `middle` in the middle of a square, its background continued all around."""
    left, top = round(side / 2 - middle[0] * badge.width), round(side / 2 - middle[1] * badge.height)
    if badge.mode == "RGBA":
        ground = Image.new("RGB", (side, side), _ground(badge))
        ground.paste(badge, (left, top), badge)
        return ground
    return placed(badge, (side, side), left, top)


def _ground(badge: Image.Image) -> tuple[int, int, int]:
    """The colour inside the ring, along the upper half of its inner edge."""
    import numpy as np

    pixels = np.asarray(badge.resize((256, 256), Image.Resampling.BOX))
    angles = np.linspace(np.pi * 1.15, np.pi * 1.85, 60)
    # 320 u from (512, 462) u, the ring's middle: above the figure's head, and not yet in the ring's shade.
    x, y = 128 + 80 * np.cos(angles), 115.5 + 80 * np.sin(angles)
    inside = pixels[y.astype(int), x.astype(int)]
    shown = inside[inside[:, 3] > 250][:, :3]
    red, green, blue = (int(v) for v in (np.median(shown, axis=0) if len(shown) else (255, 255, 255)))
    return red, green, blue
