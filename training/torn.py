"""Torn places of a figure with outlines on a plain background, found from pixels, with no model."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

SIDE = 256  # that of the demo's portraits; what follows in pixels is for it
_INK = 105  # luminance below which a pixel counts as outline; the illustrator's ink has 31
_REACH = 7  # a boundary pixel has an outline if one lies within 3 pixels
_FLAT = 20  # how far a background pixel may be from the background's colour, per channel
_FEET = 0.79  # below this share of the height lies the shadow, which has no outline
TORN = 0.003
"""Of the boundary. 99 of 100 fresh drawings of the demo have less."""


def torn_share(image: Image.Image) -> float:
    """The share of the boundary between background and figure that has no outline: 0 to 1.

    Open outlines let the background in, and blobs without outline border on it: both lengthen that share. A portrait
    with more than `TORN` is torn.
    """
    picture = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX)
    outside = background(picture)
    grown = _near(outside, 3)
    boundary = grown & ~outside
    dark = np.asarray(picture.convert("L")) < _INK
    boundary[round(_FEET * SIDE) :] = False
    if not boundary.any():
        return 1.0
    return float((boundary & ~_near(dark, _REACH)).sum() / boundary.sum())


def background(picture: Image.Image) -> NDArray[np.bool_]:
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
