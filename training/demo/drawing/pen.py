"""A pen that draws outlined flat shapes through a movable frame.

Every shape is flattened to a polygon in the pen's own units, carried through an affine frame, and drawn with Pillow
on a canvas several times larger than the picture; `Canvas.finish` shrinks it, which is the anti-aliasing. A frame
remembers the extent of what was drawn through it, so that the caller knows the box of the thing it drew.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw

if TYPE_CHECKING:
    from training.demo.drawing.things.colour import Tint

Point = tuple[float, float]
Color = tuple[int, int, int]
Box = tuple[float, float, float, float]

INK: Color = (38, 28, 38)


class Canvas:
    """A square picture of `size` pixels, drawn `supersample` times larger; pen units are 1/256 of its side."""

    def __init__(self, size: int, supersample: int, background: Color) -> None:
        self.size = size
        self.unit = size * supersample / 256
        side = size * supersample
        self.image = Image.new("RGB", (side, side), background)
        self.draw = ImageDraw.Draw(self.image)

    def finish(self) -> Image.Image:
        """The picture at its own size."""
        return self.image.resize((self.size, self.size), Image.Resampling.BOX)


@dataclass
class Pen:
    """Draws in a frame: mirrored left to right if asked, scaled, turned by `angle` degrees clockwise, moved to (x, y).

    `tint` gives fills another colour; outlines stay in `ink`.
    """

    canvas: Canvas
    x: float = 0.0
    y: float = 0.0
    angle: float = 0.0
    scale: float = 1.0
    stroke: float = 3.6
    ink: Color = INK
    mirror: bool = False
    tint: "Tint | None" = None
    _points: list[Point] = field(default_factory=list)

    def at(self, x: float, y: float, angle: float = 0.0, scale: float = 1.0) -> "Pen":
        """A pen whose origin lies at (x, y) of this one; its extent is its own."""
        px, py = self.map((x, y))
        turn = self.angle + (-angle if self.mirror else angle)
        return Pen(self.canvas, px, py, turn, self.scale * scale, self.stroke, self.ink, self.mirror, self.tint)

    def part(self, x: float, y: float, angle: float = 0.0, scale: float = 1.0) -> "Pen":
        """Like `at`, for a part of the same thing: what it draws counts to this pen's extent."""
        pen = self.at(x, y, angle, scale)
        pen._points = self._points
        return pen

    def map(self, point: Point) -> Point:
        """A point of this frame in canvas units (0 to 256)."""
        turn = math.radians(self.angle)
        c, s = math.cos(turn) * self.scale, math.sin(turn) * self.scale
        across = -point[0] if self.mirror else point[0]
        return self.x + across * c - point[1] * s, self.y + across * s + point[1] * c

    def unmap(self, point: Point) -> Point:
        """The inverse of `map`: a point of the canvas in this frame."""
        turn = math.radians(self.angle)
        c, s = math.cos(turn), math.sin(turn)
        dx, dy = (point[0] - self.x) / self.scale, (point[1] - self.y) / self.scale
        across = dx * c + dy * s
        return (-across if self.mirror else across), dy * c - dx * s

    def reach(self, points: Iterable[Point]) -> None:
        """Counts points (in canvas units) to the extent, of something drawn by other means."""
        self._points += points

    def colored(self, color: Color) -> Color:
        """A fill's colour under this pen's tint."""
        return self.tint(color) if self.tint and color != self.ink else color

    @property
    def extent(self) -> Box:
        """(left, top, right, bottom) in canvas units of all that this pen drew, outlines included."""
        edge = self.stroke * self.scale / 2
        xs, ys = [p[0] for p in self._points], [p[1] for p in self._points]
        return min(xs) - edge, min(ys) - edge, max(xs) + edge, max(ys) + edge

    def poly(
        self, points: Sequence[Point], fill: Color | None, outline: bool = True, width: float | None = None
    ) -> None:
        """A closed polygon, filled, and outlined with round joints unless told otherwise."""
        mapped = [self.map(p) for p in points]
        self._points += mapped
        u = self.canvas.unit
        flat = [(px * u, py * u) for px, py in mapped]
        if fill is not None:
            self.canvas.draw.polygon(flat, fill=self.colored(fill))
        if outline:
            thick = self._thick(width)
            self.canvas.draw.line([*flat, flat[0], flat[1]], fill=self.ink, width=thick, joint="curve")

    def line(self, points: Sequence[Point], color: Color | None = None, width: float | None = None) -> None:
        """An open line with round ends; `width` in pen units (the outline's width when left out)."""
        mapped = [self.map(p) for p in points]
        self._points += mapped
        u, thick = self.canvas.unit, self._thick(width)
        flat = [(px * u, py * u) for px, py in mapped]
        color = self.ink if color is None else self.colored(color)
        self.canvas.draw.line(flat, fill=color, width=thick, joint="curve")
        r = thick / 2
        for px, py in (flat[0], flat[-1]):
            self.canvas.draw.ellipse((px - r, py - r, px + r, py + r), fill=color)

    def limb(self, points: Sequence[Point], color: Color, width: float) -> None:
        """A thick line with an outline: an arm, a handle, a pole."""
        self.line(points, self.ink, width + self.stroke)
        self.line(points, color, width - self.stroke)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        fill: Color | None,
        outline: bool = True,
        width: float | None = None,
    ) -> None:
        """An ellipse with its centre at (x, y)."""
        self.poly(arc(x, y, rx, ry, 0, 360), fill, outline, width)

    def rect(
        self, left: float, top: float, right: float, bottom: float, fill: Color, radius: float = 0, outline: bool = True
    ) -> None:
        """A rectangle, with round corners when `radius` is given."""
        if not radius:
            self.poly([(left, top), (right, top), (right, bottom), (left, bottom)], fill, outline)
            return
        r = radius
        corners = [
            (right - r, bottom - r, 0),
            (left + r, bottom - r, 90),
            (left + r, top + r, 180),
            (right - r, top + r, 270),
        ]
        self.poly([p for x, y, a in corners for p in arc(x, y, r, r, a, a + 90, 7)], fill, outline)

    def blob(self, points: Sequence[Point], fill: Color | None, outline: bool = True) -> None:
        """A smooth closed shape through the points (Catmull-Rom)."""
        self.poly(smooth(points, closed=True), fill, outline)

    def curve(self, points: Sequence[Point], color: Color | None = None, width: float | None = None) -> None:
        """A smooth open line through the points."""
        self.line(smooth(points, closed=False), color, width)

    def _thick(self, width: float | None) -> int:
        return max(1, round((self.stroke if width is None else width) * self.scale * self.canvas.unit))


def arc(x: float, y: float, rx: float, ry: float, start: float, end: float, count: int = 40) -> list[Point]:
    """Points of an elliptic arc from `start` to `end` degrees (0 is right, 90 is down)."""
    turns = (math.radians(start + (end - start) * i / (count - 1)) for i in range(count))
    return [(x + rx * math.cos(t), y + ry * math.sin(t)) for t in turns]


def star(x: float, y: float, outer: float, inner: float, rays: int) -> list[Point]:
    """Points of a star with its first ray up."""
    turns: Iterable[tuple[int, float]] = ((i, math.pi * i / rays - math.pi / 2) for i in range(2 * rays))
    return [
        (x + (inner if i % 2 else outer) * math.cos(t), y + (inner if i % 2 else outer) * math.sin(t)) for i, t in turns
    ]


def smooth(points: Sequence[Point], closed: bool, steps: int = 8) -> list[Point]:
    """A Catmull-Rom curve through the points."""
    n = len(points)
    out: list[Point] = []
    for i in range(n if closed else n - 1):
        if closed:
            a, b, c, d = (points[(i + k - 1) % n] for k in range(4))
        else:
            a, b, c, d = (points[min(max(i + k - 1, 0), n - 1)] for k in range(4))
        for s in range(steps):
            t = s / steps
            out.append(
                tuple(  # type: ignore[arg-type]
                    0.5
                    * (
                        2 * b[k]
                        + (c[k] - a[k]) * t
                        + (2 * a[k] - 5 * b[k] + 4 * c[k] - d[k]) * t * t
                        + (3 * b[k] - a[k] - 3 * c[k] + d[k]) * t**3
                    )
                    for k in (0, 1)
                )
            )
    return out if closed else [*out, points[-1]]
