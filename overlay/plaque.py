"""Draws the plaque: a bevelled golden frame with cut corners, an enamel field, a rivet at either end.

The frame is a ridge: its outer facets face away from the field, its inner ones towards it, and each takes the
brightness of its angle to a light from the upper left. Flat plane and pixels as in overlay/ribbon.py.
"""

from __future__ import annotations

import math

from PIL import ImageChops

from overlay.geometry import Bend, bent, circle
from overlay.paint import Layer, blurred, gradient, ramp, shifted
from overlay.raster import Box, Point, polygon_mask
from overlay.ribbon import cast_shadow
from overlay.style import PlaqueBody, Shadow

_LIGHT = (-0.45, -0.89)


def plaque_layer(body: PlaqueBody, shadow: Shadow | None, bend: Bend, size: tuple[float, float], u: float) -> Layer:
    """The plaque as a layer; `size` is the text plate's (width, height) in pixels, `bend` maps its middle."""
    half_w, half_h = size[0] / 2 + body.overhang * u, size[1] / 2 + 4 * u
    edge, rim = body.outline_width * u, body.rim_width * u
    rings = [_octagon(half_w, half_h, body.cut * u, inset) for inset in (0.0, 0.42 * rim, 0.58 * rim, rim)]
    outer, ridge_out, ridge_in, inner = (bent(bend, ring, 8 * u) for ring in rings)
    box = Box.around([outer], edge + (shadow.reach * u if shadow else 0) + 2)
    layer = Layer.empty(box)
    _, t = bend.fields(box)

    silhouette = polygon_mask(box, [outer], edge)
    if shadow:
        cast_shadow(layer, silhouette, shadow, u)
    layer.paint(silhouette, body.outline)
    layer.paint(polygon_mask(box, [outer]), _metal(body, 0.35))
    for low, high, sign in ((rings[0], rings[1], 1.0), (rings[2], rings[3], -1.0)):
        for k in range(len(low)):
            a, b = low[k], low[(k + 1) % len(low)]
            c, d = high[(k + 1) % len(high)], high[k]
            facet = bent(bend, [a, b, c, d], 8 * u)
            layer.paint(polygon_mask(box, [facet]), _metal(body, sign * _facing(a, b)))
    crest = polygon_mask(box, [ridge_out])
    layer.paint(ImageChops.subtract(crest, polygon_mask(box, [ridge_in])), body.metal[-2][1])

    layer.paint(polygon_mask(box, [inner], 0.5 * edge), body.outline)
    field = polygon_mask(box, [inner])
    layer.paint(field, gradient(body.field, (t + half_h - rim) / (2 * (half_h - rim)), box.size))
    # The frame throws a shade into the field from above; the enamel catches a soft light below its middle.
    hollow = ImageChops.multiply(ImageChops.invert(shifted(field, 0, round(6 * u))), field)
    layer.paint(ImageChops.multiply(blurred(hollow, 10 * u), field), "#2A0302", 0.6)

    for side in (-1, 1):
        at = bend.point(side * (half_w - 0.5 * rim), 0.0)
        layer.paint(polygon_mask(box, [circle(*at, body.rivet * u)], 2.5 * u), body.outline)
        layer.paint(polygon_mask(box, [circle(*at, body.rivet * u)]), body.metal[-3][1])
        shine = circle(at[0] - 0.25 * body.rivet * u, at[1] - 0.3 * body.rivet * u, 0.5 * body.rivet * u)
        layer.paint(polygon_mask(box, [shine]), body.metal[-1][1])
    return layer


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
    red, green, blue = table[round((facing + 1) / 2 * (len(table) - 1))]
    return f"#{red:02X}{green:02X}{blue:02X}"
