"""Draws the round badge around the portrait: a golden ring, a white border about everything, nothing outside.

The portrait is shrunk into the ring, so that little of it is lost but its corners. The parts that do not depend
on the portrait (border, ring) are layers of their own and can be kept.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PIL import Image, ImageChops

from overlay.drawing.composition import fit_into_circle, placed
from overlay.drawing.geometry import Grid, circle
from overlay.drawing.paint import Colours, Layer, Paint, coloured
from overlay.drawing.placement import Subject, find_figure
from overlay.drawing.raster import Box, Contour, Polygons, Rasterizer, polygon_mask
from overlay.drawing.raster import ring as ring_of_offsets
from overlay.drawing.ribbon import with_shadow
from overlay.style import Ring, Shadow

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_LIGHT = -118.0
"""Where the light comes from, in degrees clockwise from the right."""
LEAST_SCALE = 0.7
"""A portrait is not shrunk further than this into its ring."""


def ring_layer(ring: Ring, box: Box, u: float) -> Layer:
    """The golden ring over `box` (a picture whose side is 1024 u), and the shade it throws on the portrait."""
    outer, inner, edge = ring.radius, ring.radius - ring.width, ring.outline_width
    layer = Layer.empty(box, ring.outline)
    _fill_ring(layer, ring, inner - 60, inner, u, ring.outline, _Shade(ring, u))
    _fill_ring(layer, ring, inner - edge, outer + edge, u, ring.outline)
    _fill_ring(layer, ring, inner, outer, u, _Polish(ring, u))
    for at, width, opacity in ((0.5, 2.0, 0.8), (0.06, 1.6, 0.5), (0.94, 1.6, 0.65)):
        middle = inner + at * ring.width
        _fill_ring(layer, ring, middle - width / 2, middle + width / 2, u, ring.gold[-1][1], opacity=opacity)
    return layer


def _fill_ring(
    layer: Layer, ring: Ring, inner: float, outer: float, u: float, paint: Paint, fade: Colours | None = None,
    opacity: float = 1.0,
) -> None:  # fmt: skip
    """Paint between two radii (in u), tile by tile, so that the large empty middle costs nothing."""
    cx, cy, inner, outer = 512 * u, ring.centre_y * u, inner * u, outer * u
    shape = Polygons([circle(cx, cy, outer), circle(cx, cy, inner)[::-1]])
    reach = Box(*(round(v) for v in (cx - outer - 2, cy - outer - 2, cx + outer + 2, cy + outer + 2)))
    size = max(64, round(96 * u))
    for top in range(reach.top, reach.bottom, size):
        for left in range(reach.left, reach.right, size):
            tile = Box(left, top, min(left + size, reach.right), min(top + size, reach.bottom)).clipped(*layer.box.size)
            near = math.hypot(max(tile.left - cx, 0, cx - tile.right), max(tile.top - cy, 0, cy - tile.bottom))
            far = math.hypot(
                max(abs(tile.left - cx), abs(tile.right - cx)), max(abs(tile.top - cy), abs(tile.bottom - cy))
            )
            if not tile.width or not tile.height or near > outer + 1 or far < inner - 1:
                continue
            mask = polygon_mask(tile, shape)
            if fade is not None:
                mask = ImageChops.multiply(mask, fade.image(tile).getchannel("R"))
            layer.stamp(tile, mask, paint, opacity)


@dataclass(frozen=True)
class _Shade:
    """White for full shade at the ring's inner edge, black for none; deeper above, since the light is there."""

    ring: Ring
    u: float

    def image(self, box: Box) -> Image.Image:
        """The depth of the shade over `box` as grey RGBA."""
        import numpy as np

        grid = Grid.over(box, max(1, round(self.u)))
        x, y = grid.x() - np.float32(514 * self.u), grid.y() - np.float32((self.ring.centre_y + 10) * self.u)
        edge = (self.ring.radius - self.ring.width) * self.u
        depth = np.clip((np.hypot(x, y) - np.float32(edge - 42 * self.u)) / np.float32(48 * self.u), 0, 1)
        return coloured(((0.0, "#000000"), (1.0, "#808080")), depth * depth, box.size)


@dataclass(frozen=True)
class _Polish:
    """A polished ring: bright where it faces the light and opposite to it, as a cone reflects; a ridge across."""

    ring: Ring
    u: float

    def image(self, box: Box) -> Image.Image:
        """The metal's colours over `box` as RGBA."""
        import numpy as np

        grid = Grid.over(box, max(1, round(self.u)))
        x, y = grid.x() - np.float32(512 * self.u), grid.y() - np.float32(self.ring.centre_y * self.u)
        distance = np.hypot(x, y)
        angle = np.float32(math.radians(_LIGHT))
        facing = (x * np.cos(angle) + y * np.sin(angle)) / np.maximum(distance, 1)
        ridge = np.float32((self.ring.radius - self.ring.width / 2) * self.u)
        slope = np.clip((distance - ridge) / np.float32(2 * self.u), -1, 1)
        polish = 0.42 + 0.30 * (2 * facing * facing - 1) + (0.20 + 0.16 * slope) * facing
        return coloured(self.ring.gold, polish, box.size)


def border_layer(ring: Ring, box: Box, banner: Sequence[Contour], edge: float, shadow: Shadow, u: float) -> Layer:
    """White under ring and banner and a little beyond, with the sticker's own soft shadow.

    `banner` is what the banner covers, in pixels, without its outline, which is `edge` wide.
    """
    canvas = Rasterizer(box)
    outer = (ring.radius + ring.outline_width + ring.border) * u
    canvas.polygons([circle(512 * u, ring.centre_y * u, outer)])
    canvas.polygons(banner, ring_of_offsets(edge + ring.border * u))
    white = canvas.mask()
    layer = with_shadow(box, [white], shadow, u)
    layer.ground(white, ring.border_colour)
    return layer


def mount(
    result: Image.Image, portrait: Image.Image, subject: Subject | None, ring: Ring, u: float, banner: Layer
) -> None:
    """Put the portrait into the ring's window on the RGBA picture `result`, in place.

    Its shorter side spans the window. Where the background is plain and the subject would be cut by the circle or by
    the banner's upper edge, the picture is shrunk and moved until it is not, and the background continued.
    """
    radius = (ring.radius - ring.width / 2) * u
    width, height = portrait.size
    scale, dx, dy = fit_portrait(portrait, subject, ring, u, banner)
    new = max(1, round(width * scale)), max(1, round(height * scale))
    window = [circle(512 * u, ring.centre_y * u, radius)]
    box = Box.around(window, 1).clipped(*result.size)
    left, top = round(512 * u + dx - new[0] / 2), round(ring.centre_y * u + dy - new[1] / 2)
    small = portrait.resize(new, Image.Resampling.LANCZOS if scale < 1 else Image.Resampling.BICUBIC)
    picture = placed(small, box.size, left - box.left, top - box.top)
    result.paste(picture, (box.left, box.top), polygon_mask(box, window))


def fit_portrait(
    portrait: Image.Image, subject: Subject | None, ring: Ring, u: float, banner: Layer
) -> tuple[float, float, float]:
    """(scale, dx, dy): how large the portrait becomes, and how far its middle lies from the ring's, in pixels."""
    scale = 2 * ((ring.radius - ring.width / 2) * u + 1) / min(portrait.size)
    if subject is None:
        return scale, 0.0, 0.0
    inside = (ring.radius - ring.width - 8) * u
    figure = find_figure(portrait)
    whole = figure and fit_into_circle(figure, portrait.size, inside, scale, _upper_edge(banner, inside, ring, u))
    return whole or _fit_subject(subject, portrait.size, scale, inside)


def _upper_edge(banner: Layer, window: float, ring: Ring, u: float) -> "NDArray[np.float32]":
    """Where the banner begins below the ring's middle, in each column of the window's square; infinite for nowhere."""
    import numpy as np

    side = round(2 * window)
    left, top = round(512 * u - window), round(ring.centre_y * u)
    opaque = np.asarray(banner.image.getchannel("A").crop(
        (left - banner.box.left, 0, left - banner.box.left + side, banner.box.height)
    )) > 140  # fmt: skip
    first = opaque.argmax(axis=0).astype(np.float32) + np.float32(banner.box.top - top)
    found: NDArray[np.float32] = np.where(opaque.any(axis=0), first, np.inf).astype(np.float32)
    return found


def _fit_subject(subject: Subject, size: tuple[int, int], scale: float, window: float) -> tuple[float, float, float]:
    """(scale, dx, dy) at which the subject's upper part lies inside the window; dx, dy move the picture's middle."""
    smaller = min(scale, max(LEAST_SCALE * scale, window / max(subject.reach, 1.0)))
    middle = ((subject.box[0] + subject.box[2]) / 2 - 0.5) * size[0]
    return smaller, -middle * smaller, 0.0
