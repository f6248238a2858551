"""What can be measured on a demo portrait besides who is in it: the thing's colour, and torn places.

Both are told from pixels, with no model. Each has a limit of its own, which fresh drawings show.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw, paint
from training.demo.drawing.look import HEIGHTS, Look
from training.demo.drawing.things import THINGS
from training.demo.drawing.vocabulary import colours

SIDE = 256
_INK = 105  # luminance below which a pixel counts as outline; the illustrator's ink has 31
_REACH = 7  # a boundary pixel has an outline if one lies within 3 pixels
_FLAT = 20  # how far a background pixel may be from the background's colour, per channel
_FEET = 0.79  # below this share of the height lies the shadow, which has no outline
TORN = 0.003  # of the boundary: 99 of 100 fresh drawings have less


def torn_share(image: Image.Image) -> float:
    """The share of the boundary between background and figure that has no outline: 0 to 1.

    Open outlines let the background in, and blobs without outline border on it: both lengthen that share. A portrait
    with more than `TORN` is torn.
    """
    picture = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    outside = _background(picture)
    grown = _near(outside, 3)
    boundary = grown & ~outside
    dark = np.asarray(picture.convert("L")) < _INK
    boundary[round(_FEET * SIDE) :] = False
    if not boundary.any():
        return 1.0
    return float((boundary & ~_near(dark, _REACH)).sum() / boundary.sum())


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
    figure = ~_background(Image.fromarray(pixels))
    best, found = -1.0, None
    who, what = CHARACTERS[character], THINGS[thing]
    usual = draw(0, character, thing, 16, 1).look
    for mirrored in (False, True):
        for height in range(len(HEIGHTS)):
            look = replace(usual, mirrored=mirrored, height=height, lean=0.0, shift=(0.0, 0.0), scale=1.015,
                           thing_angle=0.0, thing_scale=0.98, colour="red", background=1, tint=(0, 0, 0))  # fmt: skip
            drawn = _pixels(look, who.name, what.name)
            covered = ~_background(Image.fromarray(drawn))
            fit = float((covered & figure).sum() / max(1, (covered | figure).sum()))
            if fit > best:
                other = _pixels(replace(look, colour="turquoise"), who.name, what.name)
                best, found = fit, np.abs(drawn.astype(int) - other).sum(2) > 120
    assert found is not None
    where: NDArray[np.bool_] = found
    return where


def _pixels(look: Look, character: str, thing: str) -> NDArray[np.uint8]:
    return np.asarray(paint(CHARACTERS[character], THINGS[thing], look, SIDE, 1)[0])


def _background(picture: Image.Image) -> NDArray[np.bool_]:
    """What is connected to the upper border in the background's colour, within a tolerance."""
    pixels = np.asarray(picture).astype(int)
    border = np.concatenate([pixels[0], pixels[: SIDE // 2, 0], pixels[: SIDE // 2, -1]])
    flat: NDArray[np.bool_] = (np.abs(pixels - np.median(border, 0)) <= _FLAT).all(2)
    reached: NDArray[np.bool_] = np.zeros_like(flat)
    reached[0], reached[:, 0], reached[:, -1] = flat[0], flat[:, 0], flat[:, -1]
    count = 0
    while (now := int(reached.sum())) != count:  # sweeps right, left, down and up until nothing is added
        count = now
        for turn in range(4):
            reached = np.rot90(_swept(np.rot90(reached, turn), np.rot90(flat, turn)), -turn)
    return reached


def _swept(seed: NDArray[np.bool_], open_: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Carries `seed` to the right along each row, as far as `open_` goes."""
    places = np.arange(1, seed.shape[1] + 1)
    last_seed = np.maximum.accumulate(np.where(seed & open_, places, 0), 1)
    last_wall = np.maximum.accumulate(np.where(open_, 0, places), 1)
    return last_seed > last_wall


def _near(mask: NDArray[np.bool_], size: int) -> NDArray[np.bool_]:
    """Pixels with one of `mask` in the square of `size` around them."""
    image = Image.fromarray(np.where(mask, 255, 0).astype(np.uint8))
    return np.asarray(image.filter(ImageFilter.MaxFilter(size))) > 0


def _lab(rgb: NDArray[np.float32]) -> NDArray[np.float32]:
    """CIE L*a*b* of sRGB values from 0 to 255 (... x 3), D65."""
    x = rgb / 255
    linear = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ matrix.T / np.array([0.9505, 1.0, 1.089])
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.stack([116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], -1)
