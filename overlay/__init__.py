"""The banner over a portrait: `draw_banner(image, text, style="ribbon")`, image in, image out.

Pure drawing: nothing here reads settings, the environment or the network.
"""

from overlay.banner import draw_banner
from overlay.errors import BannerError, InvalidImage, InvalidText, UnknownStyle
from overlay.images import open_portrait
from overlay.style import BannerStyle
from overlay.styles import AUTO, DEFAULT_STYLE, STYLES
from overlay.text import MAX_GRAPHEMES, clean_text


def style_names() -> list[str]:
    """Every style that `draw_banner` takes, in alphabetical order."""
    return sorted([*STYLES, AUTO])


__all__ = [
    "DEFAULT_STYLE", "MAX_GRAPHEMES", "STYLES", "BannerError", "BannerStyle", "InvalidImage", "InvalidText",
    "UnknownStyle", "clean_text", "draw_banner", "open_portrait", "style_names",
]  # fmt: skip
