"""Filling shapes with colour: a `Layer` is painted from back to front with plain colours and gradients.

Every fill works on the shape's own rectangle only, and gradients are computed no finer than they change, which
is what keeps a 4096-pixel print under a second. Colours are "#RRGGBB"; opacity is 0..1; lengths are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

from PIL import Image, ImageChops, ImageFilter

from overlay.drawing.geometry import Bend
from overlay.drawing.raster import Box, Contour, polygon_mask
from overlay.style import Stops

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def rgb(colour: str) -> tuple[int, int, int]:
    """(r, g, b) of "#RRGGBB"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=64)
def ramp(stops: Stops, steps: int = 1024) -> NDArray[np.uint8]:
    """A gradient as a table of opaque colours, shape (steps, 4); interpolated in sRGB as design tools do."""
    import numpy as np

    where = np.linspace(0.0, 1.0, steps)
    positions = [position for position, _ in stops]
    colours = np.array([rgb(colour) for _, colour in stops], dtype=np.float64)
    channels = [np.interp(where, positions, colours[:, channel]) for channel in range(3)]
    return np.stack([*channels, np.full(steps, 255.0)], axis=1).round().astype(np.uint8)


def coloured(stops: Stops, position: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    """An RGBA image of `size`: the gradient at `position` (0..1, clamped), a coarser grid or one row or column."""
    import numpy as np

    table = ramp(stops)
    index = (np.clip(position, 0.0, 1.0) * (len(table) - 1)).astype(np.uint16)
    image = Image.fromarray(table[index])
    if image.size == size:
        return image
    stretched = image.width == 1 or image.height == 1
    return image.resize(size, Image.Resampling.NEAREST if stretched else Image.Resampling.BILINEAR)


@dataclass(frozen=True)
class Gradient:
    """Colours across the banner (t from `start` to `end`), or from its middle outwards (|s|)."""

    bend: Bend
    stops: Stops
    start: float
    end: float
    outwards: bool = False

    def image(self, box: Box) -> Image.Image:
        """The colours over `box` as RGBA."""
        coarse = self.bend.coarse(box, abs(self.end - self.start))
        position = abs(self.bend.along(coarse)) if self.outwards else self.bend.across(coarse)
        return coloured(self.stops, (position - self.start) / (self.end - self.start), box.size)

    def mask(self, box: Box) -> Image.Image:
        """The red channel over `box`, for fading a fill in and out."""
        return self.image(box).getchannel("R")


class Colours(Protocol):
    """Anything that has a colour at every point."""

    def image(self, box: Box) -> Image.Image:
        """The colours over `box` as RGBA."""


Paint = str | Colours


def faded(mask: Image.Image, opacity: float) -> Image.Image:
    """The mask at `opacity` of its strength."""
    return mask if opacity >= 1 else mask.point([round(v * opacity) for v in range(256)])


def blurred(mask: Image.Image, radius: float) -> Image.Image:
    """The mask through a Gaussian of standard deviation `radius`/2 pixels; wide ones at reduced size."""
    sigma = radius / 2
    factor = max(1, int(sigma / 4))
    if factor == 1:
        return mask.filter(ImageFilter.GaussianBlur(sigma))
    small = mask.reduce(factor).filter(ImageFilter.GaussianBlur(sigma / factor))
    return small.resize(mask.size, Image.Resampling.BILINEAR)


def shifted(mask: Image.Image, dx: int, dy: int) -> Image.Image:
    """The mask moved by whole pixels; what leaves the box is lost."""
    moved = Image.new("L", mask.size)
    moved.paste(mask, (dx, dy))
    return moved


def without(mask: Image.Image, cut: Image.Image) -> Image.Image:
    """The mask where `cut` is not."""
    return ImageChops.multiply(mask, ImageChops.invert(cut))


@dataclass
class Layer:
    """An RGBA picture over `box`, on its way onto a larger one."""

    box: Box
    image: Image.Image

    @staticmethod
    def shadow(box: Box, silhouette: Image.Image, colour: str, drop: int, blur: float, opacity: float) -> Layer:
        """A layer with nothing but the soft shadow of a silhouette (a mask of the box)."""
        image = Image.new("RGBA", box.size, rgb(colour))
        image.putalpha(faded(blurred(shifted(silhouette, 0, drop), blur), opacity))
        return Layer(box, image)

    @staticmethod
    def empty(box: Box, colour: str = "#000000") -> Layer:
        """A transparent layer; `colour` is what its first fill has, so that soft edges need no ground."""
        return Layer(box, Image.new("RGBA", box.size, (*rgb(colour), 0)))

    def ground(self, mask: Image.Image, colour: str) -> None:
        """Composite a plain colour through a mask of the whole box: what later fills stand on."""
        top = Image.new("RGBA", self.box.size, rgb(colour))
        top.putalpha(mask)
        self.image.alpha_composite(top)

    def fill(
        self, contours: Sequence[Contour], paint: Paint, opacity: float = 1.0, grow: float = 0.0,
        fade: Gradient | None = None, hole: Sequence[Contour] = (),
    ) -> None:  # fmt: skip
        """Paint polygons that lie on opaque ground, grown by `grow` pixels; `hole` is left out, `fade` thins."""
        box = self._within(Box.around(contours, max(0.0, grow) + 1))
        if not box.width or not box.height:
            return
        mask = polygon_mask(box, contours, grow)
        if hole:
            mask = without(mask, polygon_mask(box, hole))
        if fade is not None:
            mask = ImageChops.multiply(mask, fade.mask(box))
        self.stamp(box, mask, paint, opacity)

    def stamp(self, box: Box, mask: Image.Image, paint: Paint, opacity: float = 1.0) -> None:
        """Paint through a mask of `box`, a part of this layer, onto opaque ground."""
        at = (box.left - self.box.left, box.top - self.box.top)
        area = (*at, at[0] + box.width, at[1] + box.height)
        if isinstance(paint, str):
            self.image.paste((*rgb(paint), 255), area, faded(mask, opacity))
        else:
            self.image.paste(paint.image(box), area, faded(mask, opacity))

    def _within(self, box: Box) -> Box:
        return Box(
            max(box.left, self.box.left), max(box.top, self.box.top),
            max(self.box.left, min(box.right, self.box.right)), max(self.box.top, min(box.bottom, self.box.bottom)),
        )  # fmt: skip

    def moved(self, dx: int, dy: int) -> Layer:
        """The same pixels elsewhere; nothing is copied."""
        box = self.box
        return Layer(Box(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy), self.image)

    def onto(self, image: Image.Image) -> None:
        """Composite the layer over an RGB or RGBA image, in place."""
        visible = self.box.clipped(*image.size)
        if not visible.width or not visible.height:
            return
        left, top = visible.left - self.box.left, visible.top - self.box.top
        whole = visible == self.box
        part = self.image if whole else self.image.crop((left, top, left + visible.width, top + visible.height))
        if image.mode == "RGBA":
            image.alpha_composite(part, (visible.left, visible.top))
        else:
            image.paste(part, (visible.left, visible.top), part)
