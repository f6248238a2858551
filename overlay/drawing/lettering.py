"""Paints a laid-out text: a dark stroke drawn down as if the letters were thick, a bright gradient face above.

Emoji are painted in their own colours (COLRv1) over a thin dark rim of their own outline.
"""

import math
from functools import lru_cache

import uharfbuzz as hb
from PIL import Image, ImageFilter

from overlay.drawing.geometry import Bend, place_glyph
from overlay.drawing.paint import Gradient, rgb
from overlay.drawing.raster import Affine, Box, Point, Rasterizer, ring
from overlay.style import Lettering
from overlay.text.fonts import FontFile
from overlay.text.layout import PlacedGlyph, TextLayout


def paint_text(image: Image.Image, layout: TextLayout, lettering: Lettering, bend: Bend, u: float) -> None:
    """Draw the text onto an RGB or RGBA image, in place; `bend` maps the plate's middle, u is pixels per unit."""
    masks = text_masks(layout, lettering, bend, u)
    if masks is not None:
        box, faces, under = masks
        area = box.as_tuple()
        image.paste((*rgb(lettering.stroke), 255)[: len(image.getbands())], area, under)
        image.paste(_face(layout, lettering, bend, u).image(box), area, faces)
    for g in layout.glyphs:
        if g.glyph.font.colour:
            _paint_emoji(image, g, bend, u, lettering.stroke)


def text_masks(
    layout: TextLayout, lettering: Lettering, bend: Bend, u: float
) -> tuple[Box, Image.Image, Image.Image] | None:
    """(box, faces, stroke with faces): the letters' masks over a box in the picture; None if all are emoji."""
    size = layout.size * u
    stroke, depth = lettering.stroke_width * size, lettering.extrude * size
    letters = [g for g in layout.glyphs if not g.glyph.font.colour]
    if not letters:
        return None
    box = Box.around([_corners(g, bend, u) for g in letters], stroke + depth + 3)
    faces, under = Rasterizer(box), Rasterizer(box)
    offsets = _extruded(stroke, depth)
    for g in letters:
        place = _place(g, bend, u)
        faces.glyph(g.glyph.font.font, g.glyph.index, place)
        under.glyph(g.glyph.font.font, g.glyph.index, place, offsets)
    return box, faces.mask(), under.mask()


def _extruded(stroke: float, depth: float) -> list[Point]:
    """The ring of the stroke, and the same further down in steps that leave no notches."""
    rim = ring(stroke)
    steps = max(1, round(depth / max(1.0, 0.6 * stroke)))
    return rim + [(x, y + depth * k / steps) for k in range(1, steps + 1) for x, y in rim[1:] if y >= 0]


def _place(g: PlacedGlyph, bend: Bend, u: float) -> Affine:
    """Where the glyph goes in the picture, turned about the middle of its advance."""
    unit = g.glyph.font.unit * u
    middle = g.glyph.advance * g.em_x * u / 2
    return place_glyph(bend, g.s * u, g.t * u, middle, unit * g.em_x, unit * g.em_y)


def _corners(g: PlacedGlyph, bend: Bend, u: float) -> list[Point]:
    """The corners of the glyph's ink in the picture."""
    xx, yx, xy, yy, dx, dy = _place(g, bend, u)
    unit = g.glyph.font.unit
    left, top, right, bottom = (v / unit for v in g.glyph.font.ink(g.glyph.index))
    corners = ((left, -top), (right, -top), (right, -bottom), (left, -bottom))
    return [(xx * x + xy * y + dx, yx * x + yy * y + dy) for x, y in corners]


def _face(layout: TextLayout, lettering: Lettering, bend: Bend, u: float) -> Gradient:
    """The gradient of the letters, once over for each line."""
    cap, foot = 0.74 * layout.size * u, 0.02 * layout.size * u
    start, end = layout.baselines[0] * u + foot - cap, layout.baselines[-1] * u + foot
    stops = [
        ((baseline * u + foot - cap * (1 - position) - start) / (end - start), colour)
        for baseline in layout.baselines
        for position, colour in lettering.face
    ]
    return Gradient(bend, tuple(stops), start, end)


def _paint_emoji(image: Image.Image, g: PlacedGlyph, bend: Bend, u: float, rim_colour: str) -> None:
    """Paint one colour glyph, turned with the banner, over a thin dark rim."""
    rim = max(1, round(0.022 * g.em_y * u))
    picture = _emoji(g.glyph.font, g.glyph.index, round(g.em_y * u, 1), 3 * rim)
    angle = bend.turn(g.s * u + g.glyph.advance * g.em_x * u / 2)
    if angle:
        picture = picture.rotate(-math.degrees(angle), Image.Resampling.BICUBIC, expand=True)
    corners = _corners(g, bend, u)
    left = round(sum(x for x, _ in corners) / 4 - picture.width / 2)
    top = round(sum(y for _, y in corners) / 4 - picture.height / 2)
    alpha = picture.getchannel("A")
    grown = alpha.filter(ImageFilter.MaxFilter(2 * rim + 1)).filter(ImageFilter.GaussianBlur(rim / 3))
    image.paste(rgb(rim_colour), (left, top, left + picture.width, top + picture.height), grown)
    image.paste(picture.convert("RGB"), (left, top), alpha)


@lru_cache(maxsize=64)
def _emoji(font: FontFile, glyph: int, em: float, margin: int) -> Image.Image:
    """A colour glyph at `em` pixels as RGBA, its ink in the middle with `margin` about it.

    HarfBuzz paints premultiplied BGRA, rows from the bottom; it paints nothing under a turned transform (15.0),
    so turning is left to Pillow.
    """
    left, top, right, bottom = (v * em for v in font.ink(glyph))
    width, height = math.ceil(right - left) + 2 * margin, math.ceil(bottom - top) + 2 * margin
    painter = hb.RasterPaint()
    scale = font.unit * em
    painter.transform = (scale, 0.0, 0.0, scale, (width - right - left) / 2, (height + bottom + top) / 2)
    painter.extents = hb.RasterExtents(0, 0, width, height, 0)
    painter.paint_glyph(font.font, glyph)
    raster = painter.render()
    stride = raster.extents.stride
    return Image.frombytes("RGBa", (width, height), raster.buffer, "raw", "BGRa", stride, -1).convert("RGBA")
