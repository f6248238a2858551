"""The flat plane of a banner and how it lies in the picture.

Banner parts are described in flat coordinates (s, t): s runs along the banner from its middle, t across it,
both in pixels, t pointing down. A `Bend` maps that plane into the image: `Flat` shifts it, `Arc` bends it
into a smile around a circle centre above the banner. Shapes and glyphs therefore need one description each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from overlay.drawing.raster import Affine, Box, Point

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Grid:
    """Sample points over a rectangle: the middles of `columns` x `rows` equal cells."""

    left: float
    top: float
    right: float
    bottom: float
    columns: int
    rows: int

    def x(self) -> NDArray[np.float32]:
        """The columns' x, shape (1, columns)."""
        import numpy as np

        step = (self.right - self.left) / self.columns
        return (np.arange(self.columns, dtype=np.float32)[None, :] + 0.5) * np.float32(step) + np.float32(self.left)

    def y(self) -> NDArray[np.float32]:
        """The rows' y, shape (rows, 1)."""
        import numpy as np

        step = (self.bottom - self.top) / self.rows
        return (np.arange(self.rows, dtype=np.float32)[:, None] + 0.5) * np.float32(step) + np.float32(self.top)

    @staticmethod
    def over(box: Box, cell: int = 1) -> Grid:
        """Cells of about `cell` pixels over a box."""
        columns, rows = max(1, box.width // cell), max(1, box.height // cell)
        return Grid(box.left, box.top, box.right, box.bottom, columns, rows)


class Bend(Protocol):
    """A map from the flat plane of a banner to image pixels."""

    def point(self, s: float, t: float) -> Point:
        """The image point (x, y) of flat (s, t)."""

    def turn(self, s: float) -> float:
        """The rotation at s in radians, positive clockwise on screen."""

    def along(self, grid: Grid) -> NDArray[np.float32]:
        """s at the sample points, of the grid's shape or one row of it."""

    def across(self, grid: Grid) -> NDArray[np.float32]:
        """t at the sample points, of the grid's shape or one column of it."""

    def coarse(self, box: Box, span: float) -> Grid:
        """Sample points dense enough for a gradient over `span` pixels."""


@dataclass(frozen=True)
class Flat:
    """A straight banner with its middle at (x, y)."""

    x: float
    y: float

    def point(self, s: float, t: float) -> Point:
        """The image point (x, y) of flat (s, t)."""
        return self.x + s, self.y + t

    def turn(self, s: float) -> float:
        """Nothing turns on a straight banner."""
        return 0.0

    def along(self, grid: Grid) -> NDArray[np.float32]:
        """One row."""
        import numpy as np

        s: NDArray[np.float32] = grid.x() - np.float32(self.x)
        return s

    def across(self, grid: Grid) -> NDArray[np.float32]:
        """One column."""
        import numpy as np

        t: NDArray[np.float32] = grid.y() - np.float32(self.y)
        return t

    def coarse(self, box: Box, span: float) -> Grid:
        """Every row and column, since only one of either is ever computed."""
        return Grid.over(box)


@dataclass(frozen=True)
class Arc:
    """A banner on a circle of `radius` whose lowest point is (x, y): its ends rise, like a smile."""

    x: float
    y: float
    radius: float

    def point(self, s: float, t: float) -> Point:
        """The image point (x, y) of flat (s, t); s is measured along the circle itself."""
        angle, r = s / self.radius, self.radius + t
        return self.x + r * math.sin(angle), self.y - self.radius + r * math.cos(angle)

    def turn(self, s: float) -> float:
        """Right of the middle the banner turns anticlockwise, towards the circle's centre."""
        return -s / self.radius

    def along(self, grid: Grid) -> NDArray[np.float32]:
        """The angle about the circle's centre, as a length on the circle."""
        import numpy as np

        dx, dy = grid.x() - np.float32(self.x), grid.y() - np.float32(self.y - self.radius)
        s: NDArray[np.float32] = np.arctan2(dx, dy) * np.float32(self.radius)
        return s

    def across(self, grid: Grid) -> NDArray[np.float32]:
        """The distance from the circle."""
        import numpy as np

        dx, dy = grid.x() - np.float32(self.x), grid.y() - np.float32(self.y - self.radius)
        t: NDArray[np.float32] = np.hypot(dx, dy) - np.float32(self.radius)
        return t

    def coarse(self, box: Box, span: float) -> Grid:
        """Cells of a hundredth of the span, but never finer than pixels."""
        return Grid.over(box, max(1, int(span / 150)))


def place_glyph(bend: Bend, s: float, t: float, middle: float, scale_x: float, scale_y: float) -> Affine:
    """Where a glyph goes whose origin is flat (s, t) and whose middle is `middle` to the right of it.

    The glyph stays rigid and is turned about its own middle, so letters on an arc sit upright on the circle.
    """
    angle = bend.turn(s + middle)
    x, y = bend.point(s + middle, t)
    cos, sin = math.cos(angle), math.sin(angle)
    return (
        scale_x * cos,
        scale_x * sin,
        scale_y * sin,
        -scale_y * cos,
        x - middle * cos,
        y - middle * sin,
    )


def bent(bend: Bend, contour: Sequence[Point], step: float) -> list[Point]:
    """A flat contour in the image, its long edges cut into pieces of at most `step` pixels so that they curve."""
    points: list[Point] = []
    for (s0, t0), (s1, t1) in zip(contour, [*contour[1:], contour[0]], strict=True):
        pieces = 1 if isinstance(bend, Flat) else max(1, math.ceil(math.hypot(s1 - s0, t1 - t0) / step))
        for k in range(pieces):
            points.append(bend.point(s0 + (s1 - s0) * k / pieces, t0 + (t1 - t0) * k / pieces))
    return points


def rectangle(left: float, top: float, right: float, bottom: float, radius: float = 0.0) -> list[Point]:
    """A rectangle, clockwise from the top left, its corners rounded by `radius`."""
    if radius <= 0:
        return [(left, top), (right, top), (right, bottom), (left, bottom)]
    near, far = left + radius, right - radius
    corners = (
        (near, top + radius, 180),
        (far, top + radius, 270),
        (far, bottom - radius, 0),
        (near, bottom - radius, 90),
    )
    points: list[Point] = []
    for cx, cy, start in corners:
        for k in range(9):
            angle = math.radians(start + 90 * k / 8)
            points.append((cx + radius * math.cos(angle), cy + radius * math.sin(angle)))
    return points


def circle(x: float, y: float, radius: float) -> list[Point]:
    """A circle as a polygon fine enough that no corner shows (error under 1/50 pixel)."""
    count = max(24, min(720, math.ceil(math.pi / math.acos(1 - min(0.5, 0.02 / max(radius, 0.1))))))
    return [
        (x + radius * math.cos(2 * math.pi * k / count), y + radius * math.sin(2 * math.pi * k / count))
        for k in range(count)
    ]
