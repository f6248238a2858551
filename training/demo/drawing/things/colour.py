"""Gives a thing another colour: its main fill takes the new one, shading and other fills stay.

The main fill is the commonest hue of a thing's pixels, or its greys where few pixels have a hue at all. Works on
pixels (emoji) and on single colours (what the pen draws) alike.
"""

import colorsys
import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from training.demo.drawing.vocabulary import Color, colours

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
# Degrees of hue that count as the main fill: all of it, and where it ends. Shading turns a hue by up to 25 degrees.
_NEAR, _FAR = 34.0, 50.0
# Below this share of a thing's pixels a new main fill would not make it "a red one".
_ENOUGH = 0.34


@dataclass(frozen=True)
class Fill:
    """A thing's main fill: its hue in degrees (None: grey), mean luminance (0 to 1), share of pixels."""

    hue: float | None
    light: float
    share: float

    @property
    def can_change(self) -> bool:
        """Whether the fill is large enough to carry a colour word."""
        return self.share >= _ENOUGH


@dataclass(frozen=True)
class Tint:
    """Another colour for a main fill."""

    fill: Fill
    target: Color

    def pixels(self, rgb: Pixels) -> Pixels:
        """The same pixels (... x 3) with the main fill in the new colour."""
        return recoloured(rgb, self.fill, self.target)

    def __call__(self, color: Color) -> Color:
        """One colour."""
        return _one(self, color)


@lru_cache(maxsize=4096)
def _one(tint: Tint, color: Color) -> Color:
    r, g, b = (int(v) for v in tint.pixels(np.array(color, np.uint8)))
    return r, g, b


def main_fill(rgb: Pixels) -> Fill:
    """The main fill of N x 3 pixels."""
    hue, saturation, value = _hsv(rgb)
    colourful = (saturation > 0.22) & (value > 0.2)
    if colourful.mean() < 0.34:
        member = _membership(rgb, None)
        light = float((_light(rgb) * member).sum() / max(1e-6, float(member.sum())))
        return Fill(None, light, float(member.mean()))
    histogram, _ = np.histogram(hue[colourful], 36, (0, 360), weights=saturation[colourful])
    ring = np.concatenate([histogram[-2:], histogram, histogram[:2]])
    smooth = np.convolve(ring, [1, 2, 3, 2, 1], "valid")
    peak = float(np.argmax(smooth) * 10 + 5)
    member = _membership(rgb, peak)
    light = float((_light(rgb) * member).sum() / max(1e-6, float(member.sum())))
    return Fill(peak, light, float(member.mean()))


def recoloured(rgb: Pixels, fill: Fill, target: Color) -> Pixels:
    """`rgb` (... x 3) with the fill's pixels in `target`, as much darker or lighter than it as they were."""
    member = _membership(rgb, fill.hue)[..., None]
    t = (_light(rgb) / max(0.08, fill.light))[..., None]
    goal = np.array(target, np.float32)
    dark = goal * (0.25 + 0.75 * np.minimum(t, 1))
    new = dark + (255 - dark) * np.clip((t - 1) * 0.55, 0, 0.85)
    mixed = rgb.astype(np.float32) * (1 - member) + new * member
    changed: Pixels = np.clip(np.rint(mixed), 0, 255).astype(np.uint8)
    return changed


def natural_name(fill: Fill, rgb: Pixels) -> str | None:
    """The colour word that the thing's main fill already is, if it clearly is one."""
    member = _membership(rgb, fill.hue) > 0.5
    if not fill.can_change or not member.any():
        return None
    middle = np.median(rgb[member].astype(np.float32), axis=0)
    distances = sorted((_distance(middle, colour.rgb), name) for name, colour in colours().items())
    return distances[0][1] if distances[0][0] < 0.6 * distances[1][0] else None


def _distance(a: NDArray[np.float32], b: Color) -> float:
    """A distance in which hue counts more than light."""
    ha, sa, va = colorsys.rgb_to_hsv(*(float(v) / 255 for v in a))
    hb, sb, vb = colorsys.rgb_to_hsv(*(v / 255 for v in b))
    turn = min(abs(ha - hb), 1 - abs(ha - hb)) * 2 * min(sa, sb) * 3
    return math.sqrt(turn**2 + 0.6 * (sa - sb) ** 2 + 0.8 * (va - vb) ** 2)


def _membership(rgb: Pixels, hue: float | None) -> Floats:
    """How much each pixel belongs to a fill, 0 to 1."""
    angle, saturation, value = _hsv(rgb)
    member: Floats
    if hue is None:
        member = np.clip((0.3 - saturation) / 0.1, 0, 1).astype(np.float32)
        return member
    off = np.abs((angle - hue + 180) % 360 - 180)
    near = np.clip((_FAR - off) / (_FAR - _NEAR), 0, 1)
    bright = np.clip((value - 0.08) / 0.1, 0, 1)
    member = (near * np.clip((saturation - 0.1) / 0.12, 0, 1) * bright).astype(np.float32)
    return member


def _light(rgb: Pixels) -> Floats:
    weights = np.array([0.299, 0.587, 0.114], np.float32) / 255
    return (rgb.astype(np.float32) @ weights).astype(np.float32)


def _hsv(rgb: Pixels) -> tuple[Floats, Floats, Floats]:
    """Hue in degrees, saturation and value of pixels (... x 3)."""
    x = rgb.astype(np.float32) / 255
    r, g, b = x[..., 0], x[..., 1], x[..., 2]
    top, low = x.max(-1), x.min(-1)
    span = top - low
    safe = np.where(span > 0, span, 1)
    hue = np.where(top == r, (g - b) / safe % 6, np.where(top == g, (b - r) / safe + 2, (r - g) / safe + 4))
    return (hue * 60).astype(np.float32), (span / np.maximum(top, 1e-6)).astype(np.float32), top.astype(np.float32)
