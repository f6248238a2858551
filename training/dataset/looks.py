"""How pictures look, as numbers: background clean or busy, a fingerprint for near copies, the difference of two."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
_RING = 0.07
_OFF = 48


def background(pixels: Pixels) -> float:
    """0 (one calm colour) to 1 (busy): how much of the outer ring is an edge or far from the ring's own middle colour.

    The ring is 7% of the side wide, without the bottom, where the figure is cut off. `pixels` is H x W x 3 RGB.
    """
    values = pixels.astype(np.int16)
    high, wide = values.shape[:2]
    ring = np.zeros((high, wide), bool)
    y, x = max(1, round(high * _RING)), max(1, round(wide * _RING))
    ring[: high // 2, :x] = ring[: high // 2, -x:] = ring[:y] = True
    colours = values[ring]
    far = np.abs(colours - np.median(colours, axis=0)).max(axis=1) > _OFF
    grey = values.mean(axis=2)
    edge = np.zeros((high, wide), bool)
    edge[:, 1:] |= np.abs(np.diff(grey, axis=1)) > 24
    edge[1:] |= np.abs(np.diff(grey, axis=0)) > 24
    return float(min(1.0, 0.6 * far.mean() + 1.6 * edge[ring].mean()))


def blank(pixels: Pixels) -> str:
    """What is said of a picture that shows nothing: of one colour, or a mask; "" for any other."""
    values = pixels.astype(np.int16)
    if int(np.ptp(values, axis=(0, 1)).max()) <= 8:
        r, g, b = (int(value) for value in np.median(values, axis=(0, 1)))
        return f"of one colour, ({r}, {g}, {b}): there is nothing to learn in it"
    grey = int(np.ptp(values, axis=2).max()) <= 8
    dark, light = (values[..., 0] < 16).mean(), (values[..., 0] > 239).mean()
    if grey and dark + light > 0.97 and min(dark, light) > 0.01:
        return "of black and white alone: it looks like a mask"
    return ""


def fingerprint(pixels: Pixels) -> int:
    """A 64-bit difference hash: whether each of 8 x 8 cells is darker than its right neighbour."""
    small = np.asarray(Image.fromarray(pixels).convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = (small[:, 1:] > small[:, :-1]).flatten()
    return int("".join("1" if bit else "0" for bit in bits), 2)


def difference(one: Pixels, other: Pixels) -> float:
    """Mean absolute difference of two pictures at 64 x 64, 0 to 1."""
    a, b = (
        np.asarray(Image.fromarray(p).resize((64, 64), Image.Resampling.BOX), dtype=np.float32) for p in (one, other)
    )
    return float(np.abs(a - b).mean() / 255)
