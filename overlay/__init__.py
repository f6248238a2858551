"""The banner over a portrait: `draw_banner(image, text, style="ribbon")`, image in, image out.

Pure drawing: nothing here reads settings, the environment or the network. Styles are data (overlay/styles/), the
text engine is HarfBuzz (overlay/text/), sizes follow from numbers (overlay/text/layout.py), the banner's height in the
picture from what it would hide (overlay/drawing/placement.py); overlay/exports.py writes the files. What can go wrong
is a `BannerError` (overlay/errors.py).
"""

from typing import TYPE_CHECKING

from configs.faces import lazily

if TYPE_CHECKING:
    from overlay.banner import check_text, draw_banner, draw_print
    from overlay.errors import (
        BannerError,
        InvalidImage,
        InvalidText,
        InvalidTheme,
        NotDrawable,
        TextTooLong,
        UnknownStyle,
    )
    from overlay.exports import to_jpeg, to_png, to_print_pdf, to_print_png, to_sticker, to_webp
    from overlay.images import open_portrait
    from overlay.style import BannerStyle
    from overlay.styles import DEFAULT_STYLE, STYLES, style_names
    from overlay.text.clean import MAX_GRAPHEMES, clean_text
    from overlay.themes import use_themes
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "overlay.banner": ["check_text", "draw_banner", "draw_print"],
            "overlay.errors": [
                "BannerError",
                "InvalidImage",
                "InvalidText",
                "InvalidTheme",
                "NotDrawable",
                "TextTooLong",
                "UnknownStyle",
            ],
            "overlay.exports": ["to_jpeg", "to_png", "to_print_pdf", "to_print_png", "to_sticker", "to_webp"],
            "overlay.images": ["open_portrait"],
            "overlay.style": ["BannerStyle"],
            "overlay.styles": ["DEFAULT_STYLE", "STYLES", "style_names"],
            "overlay.text.clean": ["MAX_GRAPHEMES", "clean_text"],
            "overlay.themes": ["use_themes"],
        },
    )

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
