"""The banner: `draw_banner` puts a text on a portrait in one of the styles. Image in, image out, nothing else."""

from __future__ import annotations

from functools import lru_cache

from PIL import Image

from overlay.errors import UnknownStyle
from overlay.geometry import Bend, Flat
from overlay.layout import lay_out
from overlay.lettering import paint_text
from overlay.paint import Layer
from overlay.ribbon import ribbon_layer
from overlay.style import BannerStyle
from overlay.styles import DEFAULT_STYLE, STYLES
from overlay.text import clean_text


def draw_banner(image: Image.Image, text: str, style: str = DEFAULT_STYLE) -> Image.Image:
    """A new RGB image: the portrait with a banner that says `text`. The portrait itself is left as it was.

    Raises InvalidText, InvalidImage or UnknownStyle (all BannerError), with a message for the person who asked.
    """
    chosen = STYLES.get(style)
    if chosen is None:
        raise UnknownStyle(style, STYLES)
    said = clean_text(text)
    result = image.convert("RGB") if image.mode != "RGB" else image.copy()
    width, height = result.size
    u = min(width, height) / 1024
    layout = lay_out(said, chosen, u, width)
    bend = Flat(width / 2, round(chosen.centre_y * height))
    _body(chosen, bend, layout.plate_width, u).onto(result)
    paint_text(result, layout, chosen.lettering, bend)
    return result


@lru_cache(maxsize=24)
def _body(style: BannerStyle, bend: Bend, width: float, u: float) -> Layer:
    return ribbon_layer(style, style.body, bend, width, u)
