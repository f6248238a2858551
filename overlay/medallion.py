"""Draws the round badge around the portrait: a golden ring, a white border about everything, nothing outside.

The portrait is shrunk into the ring, so that little of it is lost but its corners. The parts that do not depend
on the portrait (border, ring) are layers of their own and can be kept.
"""

from __future__ import annotations

import math

from PIL import Image, ImageChops

from overlay.geometry import circle
from overlay.paint import Layer, blurred, gradient, rgb, shifted, without
from overlay.placement import Subject
from overlay.raster import Box, polygon_mask
from overlay.ribbon import cast_shadow
from overlay.style import Ring, Shadow


def ring_layer(ring: Ring, box: Box, u: float) -> Layer:
    """The golden ring over `box` (a picture whose side is 1024 u), and the shade it throws on the portrait."""
    import numpy as np

    layer = Layer.empty(box)
    cx, cy = 512 * u, ring.centre_y * u
    outer, inner = ring.radius * u, (ring.radius - ring.width) * u
    edge = ring.outline_width * u
    disc = polygon_mask(box, [circle(cx, cy, outer)])
    hole = polygon_mask(box, [circle(cx, cy, inner)])
    window = polygon_mask(box, [circle(cx, cy, inner - edge)])

    shade = blurred(ImageChops.invert(shifted(window, round(2 * u), round(9 * u))), 26 * u)
    layer.paint(ImageChops.multiply(shade, window), ring.outline, 0.5)
    layer.paint(without(polygon_mask(box, [circle(cx, cy, outer + edge)]), window), ring.outline)

    x = np.arange(box.left, box.right, dtype=np.float32)[None, :] + np.float32(0.5 - cx)
    y = np.arange(box.top, box.bottom, dtype=np.float32)[:, None] + np.float32(0.5 - cy)
    # A polished ring: bright where it faces the light and opposite to it, as a cone reflects; a ridge across.
    angle = np.arctan2(y, x) - np.float32(math.radians(-118))
    across = (np.hypot(x, y) - np.float32(inner)) / np.float32(outer - inner)
    polish = 0.42 + 0.30 * np.cos(2 * angle) + 0.20 * np.cos(angle)
    ridge = np.where(across > 0.5, 0.16 * np.cos(angle), -0.16 * np.cos(angle)).astype(np.float32)
    layer.paint(without(disc, hole), gradient(ring.gold, polish + ridge, box.size))
    for at, width, opacity in ((0.5, 2.0, 0.8), (0.06, 1.6, 0.5), (0.94, 1.6, 0.65)):
        radius = inner + at * (outer - inner)
        line = without(
            polygon_mask(box, [circle(cx, cy, radius + width * u / 2)]),
            polygon_mask(box, [circle(cx, cy, radius - width * u / 2)]),
        )
        layer.paint(line, ring.gold[-1][1], opacity)
    return layer


def border_layer(ring: Ring, box: Box, banner: Layer, shadow: Shadow, u: float) -> Layer:
    """White under ring and banner and a little beyond them, with the sticker's own soft shadow."""
    silhouette = polygon_mask(box, [circle(512 * u, ring.centre_y * u, (ring.radius + ring.outline_width) * u)])
    alpha = Image.new("L", box.size)
    alpha.paste(banner.image.getchannel("A"), (banner.box.left - box.left, banner.box.top - box.top))
    silhouette = ImageChops.lighter(silhouette, alpha.point([0] * 128 + [255] * 128))
    # Grown by distance: a blur of the silhouette, cut where it falls to a sixth, follows corners roundly.
    grown = _grow(silhouette, ring.border * u)
    layer = Layer.empty(box)
    cast_shadow(layer, grown, shadow, u)
    layer.paint(grown, ring.border_colour)
    return layer


def _grow(mask: Image.Image, radius: float) -> Image.Image:
    """The mask grown by `radius` pixels with round corners, antialiased: shifted copies on a ring, united."""
    result = mask
    steps = 48
    reach = math.ceil(radius)
    for distance in (radius, radius * 0.55):
        for k in range(steps):
            angle = 2 * math.pi * k / steps
            moved = ImageChops.offset(mask, round(distance * math.cos(angle)), round(distance * math.sin(angle)))
            result = ImageChops.lighter(result, moved)
    if reach > 2:
        soft = blurred(result, 2.4)
        result = soft.point([max(0, min(255, round((v - 128) * 1.7 + 128))) for v in range(256)])
    return result


def mounted(portrait: Image.Image, subject: Subject | None, ring: Ring, side: int, u: float) -> Image.Image:
    """The portrait in the ring's window, as RGBA of `side` x `side`, transparent outside the ring.

    Its shorter side spans the window. Where the background is plain and the subject would be cut by the circle,
    the picture is shrunk and moved until it is not, and the background continued.
    """
    radius = (ring.radius - ring.width / 2) * u
    width, height = portrait.size
    scale, dx, dy = 2 * (radius + 1) / min(width, height), 0.0, 0.0
    if subject is not None:
        scale, dx, dy = _fit_subject(subject, portrait.size, scale, (ring.radius - ring.width - 8) * u)
    new = max(1, round(width * scale)), max(1, round(height * scale))
    small = portrait.resize(new, Image.Resampling.LANCZOS, reducing_gap=3.0)
    picture = Image.new("RGB", (side, side), subject.background if subject else rgb(ring.outline))
    picture.paste(small, (round(512 * u + dx - new[0] / 2), round(ring.centre_y * u + dy - new[1] / 2)))
    picture.putalpha(polygon_mask(Box(0, 0, side, side), [circle(512 * u, ring.centre_y * u, radius)]))
    return picture


def _fit_subject(
    subject: Subject, size: tuple[int, int], scale: float, window: float
) -> tuple[float, float, float]:
    """(scale, dx, dy) at which the subject's upper corners lie inside the window; dx, dy move the picture's middle.

    Only the upper part is kept in view: the ribbon covers the foot of the window anyway.
    """
    left, top, right, _ = subject.box
    half = (right - left) / 2 * size[0]
    rise = (0.5 - top) * size[1]
    middle = ((left + right) / 2 - 0.5) * size[0]
    # A subject's box is rarely full in its corners: four fifths of its diagonal must fit.
    needed = 0.86 * math.hypot(half, 0.8 * rise)
    smaller = min(scale, max(0.72 * scale, window / max(needed, 1.0)))
    return smaller, -middle * smaller * 0.8, 0.0
