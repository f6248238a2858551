"""The banner over a portrait: `draw_banner(image, text, style="ribbon")`, image in, image out.

Pure drawing: nothing here reads settings, the environment or the network. Styles are data (overlay/styles/), the
text engine is HarfBuzz (overlay/text/), sizes follow from numbers (overlay/text/layout.py), the banner's height in the
picture from what it would hide (overlay/drawing/placement.py); overlay/exports.py writes the files. What can go wrong
is a `BannerError` (overlay/errors.py).
"""

from overlay.banner import check_text, draw_banner, draw_print
from overlay.errors import BannerError, InvalidImage, InvalidText, InvalidTheme, NotDrawable, TextTooLong, UnknownStyle
from overlay.exports import to_jpeg, to_png, to_print_pdf, to_print_png, to_sticker, to_webp
from overlay.images import open_portrait
from overlay.style import BannerStyle
from overlay.styles import DEFAULT_STYLE, STYLES, style_names
from overlay.text.clean import MAX_GRAPHEMES, clean_text
from overlay.themes import use_themes

__all__ = [
    "DEFAULT_STYLE",
    "MAX_GRAPHEMES",
    "STYLES",
    "BannerError",
    "BannerStyle",
    "InvalidImage",
    "InvalidText",
    "InvalidTheme",
    "NotDrawable",
    "TextTooLong",
    "UnknownStyle",
    "check_text",
    "clean_text",
    "draw_banner",
    "draw_print",
    "open_portrait",
    "style_names",
    "to_jpeg",
    "to_png",
    "to_print_pdf",
    "to_print_png",
    "to_sticker",
    "to_webp",
    "use_themes",
]
