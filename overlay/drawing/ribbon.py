"""Draws the ribbon: shadow, two tails with folds, the plate, its keylines and its volume.

Works in the flat plane of the banner, (0, 0) being the middle of the plate, and lets a `Bend` carry it into
the picture; everything is in pixels after the multiplication by u. Painted back to front on a `Layer`.
"""

from dataclasses import dataclass

from PIL import Image, ImageChops

from overlay.drawing.geometry import Bend, bent, rectangle
from overlay.drawing.paint import Gradient, Layer
from overlay.drawing.raster import Box, Point, polygon_mask
from overlay.style import RibbonBody, Shadow

_STEP = 8.0
"""Edges are cut into pieces of so many u where they bend."""


@dataclass(frozen=True)
class RibbonShape:
    """The outlines of one ribbon in image pixels."""

    plate: list[Point]
    tails: list[list[Point]]
    folds: list[list[Point]]

    @property
    def silhouette(self) -> list[list[Point]]:
        """Everything that the ribbon covers, without its outline's width."""
        return [self.plate, *self.tails, *self.folds]


def ribbon_shape(body: RibbonBody, bend: Bend, size: tuple[float, float], u: float) -> RibbonShape:
    """Plate, tails and folds. A tail drops below the plate, or rises above it where the drop is negative."""
    half_w, half_h = size[0] / 2, size[1] / 2
    drop, tuck, extend, notch = (v * u for v in (body.tail_drop, body.tail_tuck, body.tail_extend, body.notch))
    plate = bent(bend, rectangle(-half_w, -half_h, half_w, half_h, body.corner * u), _STEP * u)
    tails: list[list[Point]] = []
    folds: list[list[Point]] = []
    for side in (-1, 1) if extend else ():
        inner, outer = side * (half_w - tuck), side * (half_w + extend)
        top, bottom = drop - half_h, drop + half_h
        tail = [(inner, top), (outer, top), (outer - side * notch, drop), (outer, bottom), (inner, bottom)]
        edge = half_h if drop > 0 else -half_h
        fold = [(side * half_w, edge), (inner, edge), (inner, edge + drop)]
        tails.append(bent(bend, tail if side > 0 else tail[::-1], _STEP * u))
        folds.append(bent(bend, fold if (side > 0) == (drop > 0) else fold[::-1], _STEP * u))
    return RibbonShape(plate, tails, folds)


def ribbon_layer(body: RibbonBody, shadow: Shadow | None, bend: Bend, size: tuple[float, float], u: float) -> Layer:
    """The ribbon as a layer; `size` is the plate's (width, height) in pixels, `bend` maps its middle."""
    shape = ribbon_shape(body, bend, size, u)
    edge = body.outline_width * u
    box = Box.around(shape.silhouette, edge + (shadow.reach * u if shadow else 0) + 2)
    behind = polygon_mask(box, [*shape.tails, *shape.folds], edge) if shape.tails else Image.new("L", box.size)
    front = polygon_mask(box, [shape.plate], edge)
    layer = with_shadow(box, [behind, front], shadow, u)
    layer.ground(behind, body.outline)
    _paint_tails(layer, body, shape, bend, size, u)
    layer.ground(front, body.outline)
    _paint_plate(layer, body, shape, bend, size, u)
    return layer


def with_shadow(box: Box, silhouettes: list[Image.Image], shadow: Shadow | None, u: float) -> Layer:
    """A layer with the soft shadow of some masks united, or an empty one."""
    if shadow is None:
        return Layer.empty(box)
    whole = silhouettes[0]
    for mask in silhouettes[1:]:
        whole = ImageChops.lighter(whole, mask)
    return Layer.shadow(box, whole, shadow.colour, round(shadow.drop * u), shadow.blur * u, shadow.opacity)


def _paint_tails(
    layer: Layer, body: RibbonBody, shape: RibbonShape, bend: Bend, size: tuple[float, float], u: float
) -> None:
    """Two swallow tails, darker where the plate throws its shade on them, each with a keyline; then the folds."""
    half_w, half_h = size[0] / 2, size[1] / 2
    if not shape.tails:
        return
    drop = body.tail_drop * u
    gold = Gradient(bend, body.tail, drop - half_h, drop + half_h)
    shade = Gradient(
        bend, ((0.0, "#FFFFFF"), (1.0, "#000000")), half_w, half_w + 0.6 * body.tail_extend * u, outwards=True
    )
    for tail in shape.tails:
        layer.fill([tail], gold)
        layer.fill([tail], body.outline, opacity=0.55 * body.relief, fade=shade)
        box = Box.around([tail], 1)
        line = ImageChops.subtract(polygon_mask(box, [tail], -9 * u), polygon_mask(box, [tail], -11.2 * u))
        layer.stamp(box, line, body.light, 0.5 * body.relief)
    for fold in shape.folds:
        layer.fill([fold], body.outline, grow=0.5 * body.outline_width * u)
        layer.fill([fold], body.fold)


def _paint_plate(
    layer: Layer, body: RibbonBody, shape: RibbonShape, bend: Bend, size: tuple[float, float], u: float
) -> None:
    """The gold face: gradient across, darker where it curls over to the tails, keylines along both edges."""
    half_w, half_h = size[0] / 2, size[1] / 2
    layer.fill([shape.plate], Gradient(bend, body.face, -half_h, half_h))
    if not body.relief:
        return

    ends = ((0.0, "#000000"), (0.5, "#262626"), (1.0, "#FFFFFF"))
    reach = min(70 * u, half_w)
    curl = Gradient(bend, ends, half_w - reach, half_w, outwards=True)
    for side in (-1, 1):
        left, right = sorted((side * (half_w - reach), side * half_w))
        layer.fill(
            [bent(bend, rectangle(left, -half_h, right, half_h), _STEP * u)],
            body.curl,
            opacity=0.34 * body.relief,
            fade=curl,
        )

    for top, bottom, colour, opacity in (
        (0.0, 3.0, "#FFFFFF", 0.75),
        (12.5, 14.5, body.dark, 0.7),
        (14.5, 16.0, body.light, 0.8),
        (-17.5, -15.5, body.dark, 0.7),
        (-15.5, -13.0, body.light, 0.75),
        (-4.0, 0.0, body.dark, 0.6),
    ):
        edge = -half_h if top >= 0 else half_h
        strip = rectangle(-half_w + u, edge + top * u, half_w - u, edge + bottom * u)
        layer.fill([bent(bend, strip, _STEP * u)], colour, opacity * body.relief)
