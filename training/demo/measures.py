"""The thing's colour on a demo portrait, measured from pixels, with no model; torn places: training/torn.py."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw, paint
from training.demo.drawing.look import HEIGHTS, Variation
from training.demo.drawing.things import THINGS
from training.demo.drawing.vocabulary import colours
from training.torn import SIDE, background


def colour_share(image: Image.Image, character: str, thing: str, colour: str) -> float:
    """The share of the thing's main fill (where the illustrator has it, in the likeliest pose) in a colour: 0 to 1."""
    pixels = np.asarray(image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX))
    member = _fill_mask(pixels, character, thing)
    names = list(colours())
    palette = np.array([_lab(np.array(colours()[name].rgb, np.float32)) for name in names])
    inside = _lab(pixels[member].astype(np.float32))
    nearest = np.argmin((((inside[:, None] - palette[None]) * (0.55, 1, 1)) ** 2).sum(2), 1)
    return float(np.mean(nearest == names.index(colour)))


def _fill_mask(pixels: NDArray[np.uint8], character: str, thing: str) -> NDArray[np.bool_]:
    """Where the thing's main fill lies, from the drawing (of six poses) whose figure covers the picture's best."""
    figure = ~background(Image.fromarray(pixels))
    best, found = -1.0, None
    who, what = CHARACTERS[character], THINGS[thing]
    usual = draw(0, character, thing, 16, 1).look
    for mirrored in (False, True):
        for height in range(len(HEIGHTS)):
            look = replace(usual, mirrored=mirrored, height=height, lean=0.0, shift=(0.0, 0.0), scale=1.015,
                           thing_angle=0.0, thing_scale=0.98, colour="red", background=1, tint=(0, 0, 0))  # fmt: skip
            drawn = _pixels(look, who.name, what.name)
            covered = ~background(Image.fromarray(drawn))
            fit = float((covered & figure).sum() / max(1, (covered | figure).sum()))
            if fit > best:
                other = _pixels(replace(look, colour="turquoise"), who.name, what.name)
                best, found = fit, np.abs(drawn.astype(int) - other).sum(2) > 120
    assert found is not None
    where: NDArray[np.bool_] = found
    return where


def _pixels(look: Variation, character: str, thing: str) -> NDArray[np.uint8]:
    return np.asarray(paint(CHARACTERS[character], THINGS[thing], look, SIDE, 1)[0])


def _lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE L*a*b* of sRGB values from 0 to 255 (... x 3), D65."""
    x = rgb / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ matrix.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
