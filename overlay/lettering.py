"""Paints a laid-out text: dark extruded stroke below, a bright gradient face above."""

from __future__ import annotations

from PIL import Image, ImageChops

from overlay.geometry import Bend, place_glyph
from overlay.layout import TextLayout
from overlay.paint import gradient, rgb
from overlay.raster import Affine, Box, Canvas, ring
from overlay.style import Lettering


def paint_text(image: Image.Image, layout: TextLayout, lettering: Lettering, bend: Bend) -> None:
    """Draw the text onto an RGB or RGBA image, in place."""
    if not layout.glyphs:
        return
    size = layout.size
    stroke, depth = lettering.stroke_width * size, lettering.extrude * size
    places: list[tuple[Affine, object]] = []
    canvas_points = []
    for g in layout.glyphs:
        unit = g.glyph.font.unit
        left, top, right, bottom = g.glyph.font.ink(g.glyph.index)
        for x in (left, right):
            for y in (top, bottom):
                canvas_points.append(bend.point(g.s + x * g.scale_x, g.t + y * g.scale_y))
        places.append(
            (place_glyph(bend, g.s, g.t, g.glyph.advance * g.scale_x / 2, unit * g.scale_x, unit * g.scale_y), g)
        )
    box = Box.around([canvas_points], stroke + depth + 4).clipped(*image.size)
    if not box.width or not box.height:
        return
    faces, under = Canvas(box), Canvas(box)
    rims = ring(stroke)
    steps = max(1, round(depth / max(1.0, stroke / 2)))
    offsets = rims + [(x, y + depth * k / steps) for k in range(1, steps + 1) for x, y in rims]
    for place, g in places:
        faces.glyph(g.glyph.font.font, g.glyph.index, place)
        under.glyph(g.glyph.font.font, g.glyph.index, place, offsets)
    part = image.crop(box.as_tuple())
    part.paste(rgb(lettering.stroke), (0, 0), under.mask())
    _, t = bend.fields(box)
    top = min(g.t for g in layout.glyphs) - 0.75 * size
    bottom = max(g.t for g in layout.glyphs) + 0.05 * size
    part.paste(gradient(lettering.face, (t - top) / (bottom - top), box.size), (0, 0), faces.mask())
    image.paste(part, (box.left, box.top))
