"""Exact-coverage masks for polygons and glyphs, in the pixels of one rectangle.

HarfBuzz's rasterizer fills glyph outlines with analytic antialiasing, several times faster and smoother
than drawing at 4x and shrinking. It only takes glyphs, so a polygon is handed to it as the single glyph of
a TrueType face built in memory (OpenType `glyf` table, on-curve points only). Everything here is in image
pixels with y pointing down; a mask is an "L" image, 255 where the shape covers the whole pixel. Overlapping
parts of one mask unite (non-zero winding).
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import uharfbuzz as hb
from PIL import Image, ImageChops

Point = tuple[float, float]
Contour = Sequence[Point]
Affine = tuple[float, float, float, float, float, float]
"""(xx, yx, xy, yy, dx, dy) as HarfBuzz has it: x' = xx*x + xy*y + dx, y' = yx*x + yy*y + dy."""

_SPAN = 16_000  # polygon coordinates are stored as -16000..16000, so that deltas fit in int16


@dataclass(frozen=True)
class Box:
    """A pixel rectangle: left, top inclusive; right, bottom exclusive."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def width(self) -> int:
        """Width in pixels."""
        return self.right - self.left

    @property
    def height(self) -> int:
        """Height in pixels."""
        return self.bottom - self.top

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), as Pillow wants it."""
        return self.width, self.height

    def as_tuple(self) -> tuple[int, int, int, int]:
        """(left, top, right, bottom), as Pillow's crop wants it."""
        return self.left, self.top, self.right, self.bottom

    def clipped(self, width: int, height: int) -> Box:
        """The part inside an image of this size; of zero area when there is none."""
        left, top = min(max(0, self.left), width), min(max(0, self.top), height)
        return Box(left, top, max(left, min(width, self.right)), max(top, min(height, self.bottom)))

    @staticmethod
    def around(contours: Sequence[Contour], margin: float = 0.0) -> Box:
        """The smallest box that holds every point with `margin` pixels to spare."""
        xs = [x for contour in contours for x, _ in contour]
        ys = [y for contour in contours for _, y in contour]
        return Box(
            math.floor(min(xs) - margin),
            math.floor(min(ys) - margin),
            math.ceil(max(xs) + margin),
            math.ceil(max(ys) + margin),
        )


def ring(radius: float) -> list[Point]:
    """Offsets that grow a shape by `radius` when it is drawn at each: enough that corners look round."""
    if radius <= 0:
        return [(0.0, 0.0)]
    count = max(16, min(64, 8 * math.ceil(radius / 2)))
    step = 2 * math.pi / count
    return [(0.0, 0.0)] + [(radius * math.cos(k * step), radius * math.sin(k * step)) for k in range(count)]


class Rasterizer:
    """Collects shapes and renders them as one mask of `box`."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._draw = hb.RasterDraw()
        # The rasterizer's y points up: the box stands with its bottom edge at -bottom.
        self._draw.extents = hb.RasterExtents(box.left, -box.bottom, box.width, box.height, 0)

    def glyph(self, font: hb.Font, glyph: int, place: Affine, offsets: Sequence[Point] = ((0.0, 0.0),)) -> None:
        """Add a glyph; `place` maps font units (y up) to pixels (y down), repeated at each offset."""
        xx, yx, xy, yy, dx, dy = place
        for ox, oy in offsets:
            self._draw.transform = (xx, -yx, xy, -yy, dx + ox, -(dy + oy))
            self._draw.draw_glyph(font, glyph)

    def polygons(self, contours: Sequence[Contour] | Polygons, offsets: Sequence[Point] = ((0.0, 0.0),)) -> None:
        """Add closed polygons, given in pixels, repeated at each offset."""
        shape = contours if isinstance(contours, Polygons) else Polygons(contours)
        self.glyph(shape.font, 0, shape.place, offsets)

    def mask(self) -> Image.Image:
        """The collected shapes as an "L" image of the box's size."""
        image = self._draw.render()
        if image is None or not self._box.width or not self._box.height:
            return Image.new("L", self._box.size)
        extents = image.extents
        return Image.frombytes("L", (extents.width, extents.height), image.buffer, "raw", "L", extents.stride, -1)


def polygon_mask(box: Box, contours: Sequence[Contour] | Polygons, grow: float = 0.0) -> Image.Image:
    """The mask of polygons in `box`, grown by `grow` pixels; a negative value shrinks them."""
    if grow >= 0:
        canvas = Rasterizer(box)
        canvas.polygons(contours, ring(grow))
        return canvas.mask()
    if isinstance(contours, Polygons):
        raise TypeError("only plain contours can be shrunk")
    frame = Box.around(contours, margin=4 - 2 * grow)
    wall = [(frame.left, frame.top), (frame.right, frame.top), (frame.right, frame.bottom), (frame.left, frame.bottom)]
    outside: list[Contour] = [wall, *(_turned(contour, wall) for contour in contours)]
    canvas = Rasterizer(box)
    canvas.polygons(outside, ring(-grow))
    inner = Rasterizer(box)
    inner.polygons(contours)
    return ImageChops.multiply(inner.mask(), ImageChops.invert(canvas.mask()))


def _area(contour: Contour) -> float:
    """Twice the signed area (shoelace formula)."""
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(contour, [*contour[1:], contour[0]], strict=True))


def _turned(contour: Contour, against: Contour) -> list[Point]:
    """`contour` running the other way round than `against`, so that it cuts a hole."""
    points = list(contour)
    return points[::-1] if _area(contour) * _area(against) > 0 else points


class Polygons:
    """Closed polygons made ready for the rasterizer: a TrueType face with one glyph, scaled into int16."""

    def __init__(self, contours: Sequence[Contour]) -> None:
        frame = Box.around(contours)
        cx, cy = (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2
        scale = _SPAN / max(frame.width / 2, frame.height / 2, 1.0)
        points = [[(round((x - cx) * scale), round((cy - y) * scale)) for x, y in contour] for contour in contours]
        self.place: Affine = (1 / scale, 0.0, 0.0, -1 / scale, cx, cy)
        self._tables = _glyf_tables(points)
        self.font = hb.Font(hb.Face.create_for_tables(self._table, None))

    def _table(self, face: hb.Face, tag: str, user_data: object) -> bytes:
        return self._tables.get(tag, b"")


def _glyf_tables(contours: list[list[tuple[int, int]]]) -> dict[str, bytes]:
    """The OpenType tables of a face with one simple glyph (OpenType 1.9: head, maxp, hhea, hmtx, loca, glyf)."""
    flat = [point for contour in contours for point in contour]
    xs, ys = [x for x, _ in flat], [y for _, y in flat]
    ends, last = [], -1
    for contour in contours:
        last += len(contour)
        ends.append(last)
    deltas_x = [b - a for a, b in zip([0, *xs], xs, strict=False)]
    deltas_y = [b - a for a, b in zip([0, *ys], ys, strict=False)]
    glyf = struct.pack(">hhhhh", len(contours), min(xs), min(ys), max(xs), max(ys))
    glyf += struct.pack(f">{len(ends)}HH", *ends, 0) + b"\x01" * len(flat)
    glyf += struct.pack(f">{len(flat)}h", *deltas_x) + struct.pack(f">{len(flat)}h", *deltas_y)
    glyf += b"\0" * (-len(glyf) % 4)
    head = struct.pack(
        ">IIIIHHqqhhhhHHhhh",
        0x10000,
        0,
        0,
        0x5F0F3CF5,
        0,
        16384,
        0,
        0,
        min(xs),
        min(ys),
        max(xs),
        max(ys),
        0,
        8,
        2,
        1,
        0,
    )
    maxp = struct.pack(">IHHHHHHHHHHHHHH", 0x10000, 1, len(flat), len(contours), 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0)
    hhea = struct.pack(">IhhhHhhhhhhhhhhhH", 0x10000, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1)
    hmtx = struct.pack(">Hh", 0, min(xs))
    loca = struct.pack(">II", 0, len(glyf))
    return {"head": head, "maxp": maxp, "hhea": hhea, "hmtx": hmtx, "loca": loca, "glyf": glyf}
