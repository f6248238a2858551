"""Things drawn from the colour emoji in fonts/: vector glyphs, given the illustrator's outline.

HarfBuzz paints a glyph at the size it is drawn at; turning and mirroring are Pillow's, since HarfBuzz (15.0) paints
nothing under a turned transform. The outline is a round dilation of the glyph's alpha, all of it outside.
"""

import math
from functools import lru_cache
from pathlib import Path

import numpy as np
import uharfbuzz as hb
from PIL import Image, ImageChops

from training.demo.drawing.pen import Pen, Point
from training.demo.drawing.things.colour import Tint

FONT = Path(__file__).parents[4] / "fonts" / "noto-color-emoji" / "NotoColorEmoji-COLRv1.ttf"
LONGER_SIDE = 100.0  # pen units; hand-drawn things have about as many
_GRIP_SIDE = (-0.78, 0.62)  # the hand comes from the lower left
_GRIP_NEAR = 18.0


@lru_cache(maxsize=1)
def _font() -> hb.Font:
    return hb.Font(hb.Face(hb.Blob.from_file_path(str(FONT))))


@lru_cache(maxsize=1024)
def sprite(emoji: str, pose: str, pixels: int) -> Image.Image:
    """The emoji as RGBA, cropped to its ink, `pixels` along its longer side."""
    font = _font()
    buffer = hb.Buffer()
    buffer.add_str(emoji)
    buffer.guess_segment_properties()
    hb.shape(font, buffer)
    (glyph, *rest) = [info.codepoint for info in buffer.glyph_infos]
    if not glyph or rest:
        raise ValueError(f"the emoji font draws {emoji!r} as {1 + len(rest)} glyphs: one is needed")
    extents = font.get_glyph_extents(glyph)
    longer = max(abs(extents.width), abs(extents.height))
    scale = pixels / longer
    width, height = math.ceil(abs(extents.width) * scale) + 2, math.ceil(abs(extents.height) * scale) + 2
    painter = hb.RasterPaint()
    dx, dy = 1 - extents.x_bearing * scale, 1 - (extents.y_bearing + extents.height) * scale
    painter.transform = (scale, 0.0, 0.0, scale, dx, dy)
    painter.extents = hb.RasterExtents(0, 0, width, height, 0)
    painter.paint_glyph(font, glyph)
    raster = painter.render()
    stride = raster.extents.stride
    image = Image.frombytes("RGBa", (width, height), raster.buffer, "raw", "BGRa", stride, -1).convert("RGBA")
    if pose in ("mirror", "turn"):
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if pose in ("flip", "turn"):
        image = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    return image.crop(image.getbbox())


@lru_cache(maxsize=2048)
def grip(emoji: str, pose: str, mirrored: bool) -> Point:
    """Where the hand holds it, in pen units from its middle: near the lower left (or right) end of the opaque part."""
    image = _sided(sprite(emoji, pose, int(LONGER_SIDE)), pose, mirrored)
    rows, columns = np.nonzero(np.asarray(image.getchannel("A")) > 127)
    xs, ys = columns - image.width / 2, rows - image.height / 2
    away = xs * _GRIP_SIDE[0] * (-1 if mirrored else 1) + ys * _GRIP_SIDE[1]
    end = int(np.argmax(away))
    near = (xs - xs[end]) ** 2 + (ys - ys[end]) ** 2 < _GRIP_NEAR**2
    x, y = float(xs[near].mean()), float(ys[near].mean())
    return (-x if mirrored else x), y


def pixels_of(emoji: str, pose: str) -> "np.ndarray[tuple[int, ...], np.dtype[np.uint8]]":
    """Its opaque pixels at a small size, N x 3."""
    small = np.asarray(sprite(emoji, pose, int(LONGER_SIDE)))
    return small[small[..., 3] > 200][:, :3]


def size_of(emoji: str, pose: str) -> tuple[float, float]:
    """Width and height in pen units."""
    image = sprite(emoji, pose, int(LONGER_SIDE))
    return float(image.width), float(image.height)


def paint(pen: Pen, emoji: str, pose: str) -> None:
    """Pastes it at the pen's origin, outlined in the pen's ink."""
    unit = pen.canvas.unit
    image = _tinted(emoji, pose, max(8, round(LONGER_SIDE * pen.scale * unit)), pen.tint)
    image = _sided(image, pose, pen.mirror)
    outline = 0.95 * pen.stroke * pen.scale * unit
    margin = math.ceil(outline) + 2
    padded = Image.new("RGBA", (image.width + 2 * margin, image.height + 2 * margin))
    padded.paste(image, (margin, margin))
    if pen.angle:
        padded = padded.rotate(-pen.angle, Image.Resampling.BICUBIC, expand=True)
    alpha = padded.getchannel("A")
    left, top = round(pen.x * unit - padded.width / 2), round(pen.y * unit - padded.height / 2)
    pen.canvas.image.paste(pen.ink, (left, top), _grown(alpha, outline))
    pen.canvas.image.paste(padded.convert("RGB"), (left, top), alpha)
    box = alpha.getbbox()
    assert box, "a sprite has opaque pixels"
    pen.reach([((left + x) / unit, (top + y) / unit) for x in (box[0], box[2]) for y in (box[1], box[3])])


def _sided(image: Image.Image, pose: str, mirrored: bool) -> Image.Image:
    """A tool with a handle turns with the hand; other things (letters, clocks) stay readable."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT) if mirrored and pose else image


@lru_cache(maxsize=64)
def _tinted(emoji: str, pose: str, pixels: int, tint: Tint | None) -> Image.Image:
    image = sprite(emoji, pose, pixels)
    if tint is None:
        return image
    rgba = np.array(image)
    rgba[..., :3] = tint.pixels(rgba[..., :3])
    return Image.fromarray(rgba)


def _grown(alpha: Image.Image, radius: float) -> Image.Image:
    """The mask of all points within `radius` pixels of the opaque ones: the maximum over a disc of shifts."""
    hard = alpha.point(lambda v: 255 if v > 127 else 0)
    grown = hard
    for share, count in ((1.0, 32), (0.55, 16)):
        for i in range(count):
            turn = 2 * math.pi * i / count
            shift = round(radius * share * math.cos(turn)), round(radius * share * math.sin(turn))
            grown = ImageChops.lighter(grown, ImageChops.offset(hard, *shift))
    return grown
