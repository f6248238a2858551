"""Draws the ribbon: shadow, two tails with folds, the plate, its keylines and its volume.

Works in the flat plane of the banner, (0, 0) being the middle of the plate, and lets a `Bend` carry it into
the picture; everything is in pixels after the multiplication by u. Painted back to front on a `Layer`.
"""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageChops

from overlay.geometry import Bend, bent, rectangle
from overlay.paint import Layer, blurred, gradient, shifted, without
from overlay.raster import Box, Point, polygon_mask
from overlay.style import RibbonBody, Shadow


@dataclass(frozen=True)
class RibbonShape:
    """The outlines of one ribbon in image pixels."""

    plate: list[Point]
    tails: list[list[Point]]
    folds: list[list[Point]]


def ribbon_layer(body: RibbonBody, shadow: Shadow | None, bend: Bend, size: tuple[float, float], u: float) -> Layer:
    """The ribbon as a layer; `size` is the plate's (width, height) in pixels, `bend` maps its middle."""
    half_w, half_h = size[0] / 2, size[1] / 2
    shape = _shape(body, bend, half_w, half_h, u)
    edge = body.outline_width * u
    margin = edge + (shadow.reach * u if shadow else 0) + 2
    box = Box.around([shape.plate, *shape.tails, *shape.folds], margin)
    layer = Layer.empty(box)
    s, t = bend.fields(box)

    tails = polygon_mask(box, shape.tails)
    behind = polygon_mask(box, [*shape.tails, *shape.folds], edge)
    plate = polygon_mask(box, [shape.plate])
    front = polygon_mask(box, [shape.plate], edge)
    if shadow:
        cast_shadow(layer, ImageChops.lighter(behind, front), shadow, u)

    layer.paint(behind, body.outline)
    drop = body.tail_drop * u
    layer.paint(tails, gradient(body.tail, (t - drop + half_h) / (2 * half_h), box.size))
    # The plate throws a shade on the tails; it fades over half their length.
    away = (abs(s) - half_w) / (0.6 * body.tail_extend * u)
    shade = gradient(((0.0, "#FFFFFF"), (1.0, "#000000")), away, box.size).convert("L")
    layer.paint(ImageChops.multiply(shade, tails), body.outline, 0.55)
    inset = polygon_mask(box, shape.tails, -9 * u)
    line = without(inset, polygon_mask(box, shape.tails, -11.2 * u))
    layer.paint(line, body.light, 0.5)
    layer.paint(polygon_mask(box, shape.folds, edge), body.outline)
    layer.paint(polygon_mask(box, shape.folds), body.fold)

    layer.paint(front, body.outline)
    _paint_plate(layer, body, plate, shape, bend, half_w, half_h, u)
    return layer


def cast_shadow(layer: Layer, silhouette: Image.Image, shadow: Shadow, u: float) -> None:
    """A soft shadow of the silhouette, under whatever is painted next."""
    layer.paint(blurred(shifted(silhouette, 0, round(shadow.drop * u)), shadow.blur * u), shadow.colour, shadow.opacity)


def _shape(body: RibbonBody, bend: Bend, half_w: float, half_h: float, u: float) -> RibbonShape:
    """Plate, tails and folds. A tail drops below the plate, or rises above it where the drop is negative."""
    step = 8 * u
    drop, tuck, extend, notch = (v * u for v in (body.tail_drop, body.tail_tuck, body.tail_extend, body.notch))
    plate = bent(bend, rectangle(-half_w, -half_h, half_w, half_h, body.corner * u), step)
    tails, folds = [], []
    for side in (-1, 1):
        inner, outer = side * (half_w - tuck), side * (half_w + extend)
        top, bottom = drop - half_h, drop + half_h
        tail = [(inner, top), (outer, top), (outer - side * notch, drop), (outer, bottom), (inner, bottom)]
        edge = half_h if drop > 0 else -half_h
        fold = [(side * half_w, edge), (inner, edge), (inner, edge + drop)]
        tails.append(bent(bend, tail if side > 0 else tail[::-1], step))
        folds.append(bent(bend, fold if (side > 0) == (drop > 0) else fold[::-1], step))
    return RibbonShape(plate, tails, folds)


def _paint_plate(
    layer: Layer, body: RibbonBody, plate: Image.Image, shape: RibbonShape, bend: Bend, half_w: float, half_h: float, u: float
) -> None:
    """The gold face: gradient across, keylines along both edges, darker where it curls over to the tails."""
    box = layer.box
    s, t = bend.fields(box)
    layer.paint(plate, gradient(body.face, (t + half_h) / (2 * half_h), box.size))

    ends = (abs(s) - (half_w - 70 * u)) / (70 * u)
    curl = gradient(((0.0, "#000000"), (0.5, "#262626"), (1.0, "#FFFFFF")), ends, box.size).convert("L")
    layer.paint(ImageChops.multiply(curl, plate), "#7A4300", 0.34)

    step = 8 * u
    for top, bottom, colour, opacity in (
        (-half_h, -half_h + 3 * u, "#FFFFFF", 0.75),
        (-half_h + 12.5 * u, -half_h + 14.5 * u, body.dark, 0.7),
        (-half_h + 14.5 * u, -half_h + 16 * u, body.light, 0.8),
        (half_h - 17.5 * u, half_h - 15.5 * u, body.dark, 0.7),
        (half_h - 15.5 * u, half_h - 13 * u, body.light, 0.75),
        (half_h - 4 * u, half_h, body.dark, 0.6),
    ):
        line = polygon_mask(box, [bent(bend, rectangle(-half_w, top, half_w, bottom), step)])
        layer.paint(ImageChops.multiply(line, plate), colour, opacity)
