"""Draws the plaque: a bevelled golden frame with cut corners, an enamel field, a rivet at either end.

The frame is a ridge: its outer facets face away from the field, its inner ones towards it, and each takes the
brightness of its angle to a light from the upper left. Flat plane and pixels as in overlay/drawing/ribbon.py.
"""

import math

from PIL import ImageChops

from overlay.drawing.geometry import Bend, bent, circle
from overlay.drawing.paint import Gradient, Layer, blurred, ramp, shifted
from overlay.drawing.raster import Box, Point, polygon_mask
from overlay.drawing.ribbon import with_shadow
from overlay.style import PlaqueBody, Shadow

_LIGHT = (-0.45, -0.89)
"""Towards the light, y down; of length 1, and nearly where the medallion has it (-118 degrees)."""
_STEP = 8.0
"""Longest straight piece of a bent edge, in u; by eye. Longer ones show corners, shorter ones take longer to draw."""


def plaque_outline(body: PlaqueBody, bend: Bend, size: tuple[float, float], u: float) -> list[Point]:
    """The frame's outer edge in image pixels, without its outline's width."""
    return bent(bend, _octagon(*_half(body, size, u), body.cut * u, 0.0), _STEP * u)


def plaque_layer(body: PlaqueBody, shadow: Shadow | None, bend: Bend, size: tuple[float, float], u: float) -> Layer:
    """The plaque as a layer; `size` is the text plate's (width, height) in pixels, `bend` maps its middle."""
    half_w, half_h = _half(body, size, u)
    edge, rim = body.outline_width * u, body.rim_width * u
    rings = [_octagon(half_w, half_h, body.cut * u, inset) for inset in (0.0, 0.42 * rim, 0.58 * rim, rim)]
    outer, crest, _, inner = (bent(bend, ring, _STEP * u) for ring in rings)
    box = Box.around([outer], edge + (shadow.reach * u if shadow else 0) + 2)
    silhouette = polygon_mask(box, [outer], edge)
    layer = with_shadow(box, [silhouette], shadow, u)
    layer.ground(silhouette, body.outline)

    layer.fill([outer], _metal(body, 0.35))
    for low, high, sign in ((rings[0], rings[1], 1.0), (rings[2], rings[3], -1.0)):
        if sign < 0:
            layer.fill([crest], body.metal[-2][1])
        for k in range(len(low)):
            a, b = low[k], low[(k + 1) % len(low)]
            c, d = high[(k + 1) % len(high)], high[k]
            layer.fill([bent(bend, [a, b, c, d], _STEP * u)], _metal(body, sign * _facing(a, b)))

    layer.fill([inner], body.outline, grow=0.5 * edge)
    layer.fill([inner], Gradient(bend, body.field, rim - half_h, half_h - rim))
    # The frame throws a shade into the field from above.
    part = Box.around([inner])
    field = polygon_mask(part, [inner])
    hollow = ImageChops.multiply(ImageChops.invert(shifted(field, 0, round(6 * u))), field)
    layer.stamp(part, ImageChops.multiply(blurred(hollow, 10 * u), field), body.shade, 0.6)

    for side in (-1, 1):
        x, y = bend.point(side * (half_w - 0.5 * rim), 0.0)
        radius = body.rivet * u
        layer.fill([circle(x, y, radius)], body.outline, grow=2.5 * u)
        layer.fill([circle(x, y, radius)], body.metal[-3][1])
        layer.fill([circle(x - 0.25 * radius, y - 0.3 * radius, 0.5 * radius)], body.metal[-1][1])
    return layer


def _half(body: PlaqueBody, size: tuple[float, float], u: float) -> tuple[float, float]:
    """Half the frame's width and height in pixels."""
    return size[0] / 2 + body.overhang * u, size[1] / 2 + 4 * u


def _octagon(half_w: float, half_h: float, cut: float, inset: float) -> list[Point]:
    """A rectangle with its corners cut, every edge moved inwards by `inset`; clockwise from the top left."""
    w, h = half_w - inset, half_h - inset
    c = max(0.0, cut - inset * (2 - math.sqrt(2)))
    return [(-w + c, -h), (w - c, -h), (w, -h + c), (w, h - c), (w - c, h), (-w + c, h), (-w, h - c), (-w, -h + c)]


def _facing(a: Point, b: Point) -> float:
    """How much an outer facet on edge a-b faces the light: 1 fully, -1 not at all."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = math.hypot(dx, dy)
    return (dy / length) * _LIGHT[0] + (-dx / length) * _LIGHT[1]


def _metal(body: PlaqueBody, facing: float) -> str:
    """The metal's colour at a brightness of -1..1."""
    table = ramp(body.metal)
    red, green, blue, _ = table[round((facing + 1) / 2 * (len(table) - 1))]
    return f"#{red:02X}{green:02X}{blue:02X}"
