"""Paints a logo: left of the text on the plate, or in a disc on the ring's top."""

from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

from PIL import Image

from overlay.drawing.geometry import Bend, circle
from overlay.drawing.paint import rgb
from overlay.drawing.raster import Box, polygon_mask
from overlay.errors import InvalidTheme, printable
from overlay.style import BannerStyle, Logo, Ring
from overlay.text.layout import TextLayout

MAX_PIXELS = 16_000_000
"""By hand: 64 MB as RGBA. Known before anything is decoded."""
DISC = 66.0
"""Radius of the disc on the ring, in u: twice the ring's width, so that it reads as a medal on it."""


def paint_logo(image: Image.Image, layout: TextLayout, style: BannerStyle, bend: Bend, u: float) -> None:
    """Draw the style's logo onto an RGB or RGBA picture, in place."""
    logo = style.logo
    if logo is None:
        return
    if logo.place == "ring" and style.ring is not None:
        _paint_on_ring(image, logo, style.ring, u)
        return
    side = logo.size * layout.plate_height
    s = (layout.ink[0] - logo.gap - side / 2) * u
    x, y = bend.point(s, 0.0)
    picture = _fitted(logo.file, max(1, round(side * u)))
    turn = bend.turn(s)
    if turn:
        picture = picture.rotate(-math.degrees(turn), Image.Resampling.BICUBIC, expand=True)
    _put(image, picture, x, y)


def _paint_on_ring(image: Image.Image, logo: Logo, ring: Ring, u: float) -> None:
    x, y = 512 * u, (ring.centre_y - ring.radius + ring.width / 2) * u
    y = max(y, (DISC + ring.outline_width + ring.border) * u)
    for grow, colour in (
        (ring.outline_width + ring.border, ring.border_colour),
        (ring.outline_width, ring.outline),
        (0.0, ring.gold[len(ring.gold) // 2][1]),
        (-0.16 * DISC, ring.gold[-1][1]),
    ):
        disc = [circle(x, y, (DISC + grow) * u)]
        box = Box.around(disc, 1).clipped(*image.size)
        fill = (*rgb(colour), 255)[: len(image.getbands())]
        image.paste(fill, box.as_tuple(), polygon_mask(box, disc))
    _put(image, _fitted(logo.file, max(1, round(1.1 * DISC * u))), x, y)


def _put(image: Image.Image, picture: Image.Image, x: float, y: float) -> None:
    at = round(x - picture.width / 2), round(y - picture.height / 2)
    if image.mode == "RGBA":
        image.alpha_composite(picture, at)
    else:
        image.paste(picture, at, picture)


@lru_cache(maxsize=32)
def _fitted(file: str, side: int) -> Image.Image:
    """The logo with its longer side `side` pixels, shrunk premultiplied so that nothing hidden shows at its edges."""
    logo = open_logo(file)
    scale = side / max(logo.size)
    size = max(1, round(logo.width * scale)), max(1, round(logo.height * scale))
    return logo.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")


@lru_cache(maxsize=8)
def open_logo(file: str) -> Image.Image:
    """The PNG as RGBA without its transparent margins. Raises InvalidTheme."""
    try:
        with Image.open(Path(file), formats=("PNG",)) as image:
            if image.width * image.height > MAX_PIXELS:
                raise InvalidTheme(
                    f"the logo {printable(file, 200)} has too many pixels ({image.width} x {image.height})"
                )
            logo = image.convert("RGBA")
    except FileNotFoundError as error:
        raise InvalidTheme(f"the logo {printable(file, 200)} does not exist") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidTheme(f"the logo {printable(file, 200)} is not a readable PNG") from error
    seen = logo.getbbox(alpha_only=True)
    if seen is None:
        raise InvalidTheme(f"the logo {printable(file, 200)} is fully transparent")
    return logo.crop(seen)
