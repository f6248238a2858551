"""Filling masks with colour: gradients along the banner's own axes, soft shadows, compositing.

A `Layer` is a picture in the making: premultiplied float-free RGBA over a box, painted from back to front.
Colours are (r, g, b) 0..255 or "#RRGGBB"; opacity is 0..1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from PIL import Image, ImageChops, ImageFilter

from overlay.raster import Box

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Stops = tuple[tuple[float, str], ...]
"""Gradient stops: (position 0..1, "#RRGGBB"), ascending."""


def rgb(colour: str) -> tuple[int, int, int]:
    """(r, g, b) of "#RRGGBB"."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


@lru_cache(maxsize=64)
def ramp(stops: Stops, steps: int = 512) -> NDArray[np.uint8]:
    """A gradient as a table of `steps` colours, shape (steps, 3); interpolated in sRGB as design tools do."""
    import numpy as np

    where = np.linspace(0.0, 1.0, steps)
    positions = [position for position, _ in stops]
    colours = np.array([rgb(colour) for _, colour in stops], dtype=np.float64)
    channels = [np.interp(where, positions, colours[:, channel]) for channel in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8)


def gradient(stops: Stops, position: NDArray[np.float32], size: tuple[int, int]) -> Image.Image:
    """An RGB image of `size` whose colour at each pixel is the gradient at `position` (0..1, clamped).

    `position` has the image's shape (height, width), or is one row or one column of it.
    """
    import numpy as np

    table = ramp(stops)
    index = (np.clip(position, 0.0, 1.0) * (len(table) - 1)).astype(np.uint16)
    image = Image.fromarray(table[index])
    return image if image.size == size else image.resize(size, Image.Resampling.NEAREST)


def faded(mask: Image.Image, opacity: float) -> Image.Image:
    """The mask at `opacity` of its strength."""
    return mask if opacity >= 1 else mask.point([round(v * opacity) for v in range(256)])


def blurred(mask: Image.Image, radius: float) -> Image.Image:
    """The mask through a Gaussian of standard deviation `radius`/2 pixels; large ones at reduced size."""
    sigma = radius / 2
    if sigma > 12:
        small = mask.reduce(4)
        return small.filter(ImageFilter.GaussianBlur(sigma / 4)).resize(mask.size, Image.Resampling.BILINEAR)
    return mask.filter(ImageFilter.GaussianBlur(sigma))


@dataclass
class Layer:
    """RGB and alpha over `box`, kept apart so that painting never darkens edges."""

    box: Box
    image: Image.Image

    @staticmethod
    def empty(box: Box) -> Layer:
        """A transparent layer over `box`."""
        return Layer(box, Image.new("RGBA", box.size))

    def paint(self, mask: Image.Image, fill: Image.Image | str, opacity: float = 1.0) -> None:
        """Lay a colour, or an RGB picture of the box's size, over the layer where the mask says."""
        mask = faded(mask, opacity)
        top = Image.new("RGB", self.box.size, rgb(fill)) if isinstance(fill, str) else fill
        top = top.convert("RGBA")
        top.putalpha(mask)
        self.image.alpha_composite(top)

    def moved(self, dx: int, dy: int) -> Layer:
        """The same pixels elsewhere; nothing is copied."""
        box = self.box
        return Layer(Box(box.left + dx, box.top + dy, box.right + dx, box.bottom + dy), self.image)

    def onto(self, image: Image.Image) -> None:
        """Composite the layer over an RGB or RGBA image, in place."""
        visible = self.box.clipped(*image.size)
        if not visible.width or not visible.height:
            return
        part = self.image
        if visible != self.box:
            part = part.crop((visible.left - self.box.left, visible.top - self.box.top,
                              visible.right - self.box.left, visible.bottom - self.box.top))
        if image.mode == "RGBA":
            image.alpha_composite(part, (visible.left, visible.top))
        else:
            image.paste(part, (visible.left, visible.top), part)


def shifted(mask: Image.Image, dx: int, dy: int) -> Image.Image:
    """The mask moved by whole pixels; what leaves the box is lost."""
    moved = Image.new("L", mask.size)
    moved.paste(mask, (dx, dy))
    return moved


def without(mask: Image.Image, cut: Image.Image) -> Image.Image:
    """The mask where `cut` is not."""
    return ImageChops.multiply(mask, ImageChops.invert(cut))
