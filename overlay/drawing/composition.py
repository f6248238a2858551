"""Where the figure stands above the banner: its feet on the banner's edge, never cut by it at the shin.

Where a figure ends behind the banner, the portrait is moved up, and made smaller if there is no room above, until its
feet show; the background is continued from the picture's edges. A figure that the picture's own edge cuts (a bust), and
one on a background that is not plain, stay as they are: what is beyond cannot be known. The pictures' own units are
shares of their height or width.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image

from overlay.drawing.paint import Layer
from overlay.drawing.placement import Figure, find_figure

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GAP = 0.006
"""Between feet and banner: they stand on its edge, and its shadow falls between them."""
ROOM = 0.02
"""That stays free above the figure."""
LEAST_SCALE = 0.72
"""A figure is not made smaller than this."""
_TOUCHES = 0.015
"""Nearer to the picture's edge than this a figure is cut by it."""
_STRIP = 0.012
"""As much of an edge is averaged to continue it."""


def composed(portrait: Image.Image, banner: Layer) -> Image.Image:
    """`portrait` with its figure above `banner`, which lies where the style usually has it; itself where it is well."""
    figure = find_figure(portrait)
    if figure is None:
        return portrait
    left, top, right, bottom = figure.box
    edge = _upper_edge(banner, portrait.size, figure.feet) - GAP
    if bottom <= edge + GAP or bottom >= 1 - _TOUCHES or top <= _TOUCHES:
        return portrait
    scale = min(1.0, (edge - ROOM) / (bottom - top))
    if scale < LEAST_SCALE or (scale < 1 and (left <= _TOUCHES or right >= 1 - _TOUCHES)):
        return portrait
    middle = (left + right) / 2
    x = (1 - scale) * min(max(middle, 0.5 - _TOUCHES), 0.5 + _TOUCHES)  # a figure in the middle stays there
    width, height = portrait.size
    small = portrait
    if scale < 1:
        small = portrait.resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
    return placed(small, portrait.size, round(x * width), round((edge - bottom * scale) * height))


def _upper_edge(banner: Layer, size: tuple[int, int], between: tuple[float, float]) -> float:
    """Where the banner's opaque part begins, between these columns."""
    width, height = size
    first = max(0, round(between[0] * width) - banner.box.left)
    last = min(banner.box.width, round(between[1] * width) - banner.box.left)
    if last <= first:
        return 1.0
    part = banner.image.getchannel("A").crop((first, 0, last, banner.box.height))
    box = part.point([0] * 140 + [255] * 116).getbbox()
    return (banner.box.top + box[1]) / height if box else 1.0


def placed(picture: Image.Image, size: tuple[int, int], left: int, top: int) -> Image.Image:
    """An RGB picture of `size` that shows `picture` with its corner at (left, top), its edges continued around it."""
    import numpy as np

    pixels = np.asarray(picture)[max(0, -top) : size[1] - top, max(0, -left) : size[0] - left]
    strip = max(1, round(_STRIP * min(picture.size)))
    below, right = size[1] - max(0, top) - len(pixels), size[0] - max(0, left) - pixels.shape[1]
    tall = np.concatenate([_continued(pixels[:strip], top), pixels, _continued(pixels[-strip:], below)])
    sides = tall.swapaxes(0, 1)
    wide = np.concatenate([_continued(sides[:strip], left), sides, _continued(sides[-strip:], right)])
    return Image.fromarray(np.ascontiguousarray(wide.swapaxes(0, 1)))


def _continued(strip: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """`count` rows that go on from the rows of `strip`: their mean, smoothed along the edge so that no streak shows."""
    import numpy as np

    line = strip.astype(np.float32).mean(axis=0)
    reach = 2 * len(strip) + 1
    padded = np.pad(line, ((reach // 2, reach // 2), (0, 0)), mode="edge")
    sums = np.cumsum(np.concatenate([np.zeros((1, 3), np.float32), padded]), axis=0, dtype=np.float64)
    smooth = ((sums[reach:] - sums[:-reach]) / reach).round().astype(np.uint8)
    return np.broadcast_to(smooth, (max(0, count), *smooth.shape))


def fit_into_circle(
    figure: Figure, size: tuple[int, int], window: float, most: float, edge: NDArray[np.float32]
) -> tuple[float, float, float] | None:
    """(scale, dx, dy) at which the whole figure lies in a circle about (0, 0) and stands above the banner.

    `size` is the portrait's, `window` the circle's radius, `most` the largest scale; dx, dy move the portrait's middle,
    all in pixels. `edge` is the height of the banner's upper edge in each column of the circle's square, infinite
    where it has none. None where the figure would become smaller than `LEAST_SCALE` of `most`.
    """
    import numpy as np

    hull = _hull((figure.points - 0.5) * np.array(size, np.float32))
    middle = middle_of_circle(hull)
    feet_x = (np.array(figure.feet) - 0.5) * size[0]
    feet_y = (figure.box[3] - 0.5) * size[1]
    for scale in most * np.linspace(1.0, LEAST_SCALE, 29):
        dx, dy = -middle * scale
        first, last = np.clip(np.round(feet_x * scale + dx + window), 0, len(edge) - 1).astype(int)
        dy = min(dy, float(edge[first : last + 1].min()) - feet_y * scale)
        if np.hypot(hull[:, 0] * scale + dx, hull[:, 1] * scale + dy).max() <= window:
            return float(scale), float(dx), float(dy)
    return None


def _hull(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """The farthest of the points in each of 64 directions."""
    import numpy as np

    angles = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    directions = np.stack([np.cos(angles), np.sin(angles)])
    found: NDArray[np.float32] = points[np.unique((points @ directions).argmax(axis=0))]
    return found


def middle_of_circle(points: NDArray[np.float32]) -> NDArray[np.float64]:
    """The middle of the smallest circle around the points, nearly (Badoiu and Clarkson 2003)."""
    import numpy as np

    middle: NDArray[np.float64] = points.mean(axis=0, dtype=np.float64)
    for step in range(1, 200):
        farthest = points[np.hypot(*(points - middle).T).argmax()]
        middle += (farthest - middle) / (step + 1)
    return middle
