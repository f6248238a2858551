"""Encoding a badge in the format that the file name's ending says."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from inference.errors import InvalidRequest
from inference.output.endings import ENDINGS, ending_of
from inference.output.recipe import Recipe, encode_png
from inference.types import Badge
from inference.upscale.enlarge import enlarge
from overlay import draw_print, to_jpeg, to_print_pdf, to_sticker, to_webp
from overlay.banner import PRINT_SIDE
from overlay.exports import DPI

Encoder = Callable[[Badge, Recipe], bytes]


def _printed(badge: Badge) -> Image.Image:
    """The badge at 4096 pixels: the portrait enlarged, the banner drawn at that size."""
    return draw_print(enlarge(badge.portrait.image, PRINT_SIDE), badge.request.text, badge.style, PRINT_SIDE)


_ENCODERS: dict[str, Encoder] = {
    ".print.png": lambda badge, recipe: encode_png(_printed(badge), recipe, DPI),
    ".png": lambda badge, recipe: encode_png(badge.image, recipe),
    ".jpg": lambda badge, _recipe: to_jpeg(badge.image),
    ".jpeg": lambda badge, _recipe: to_jpeg(badge.image),
    ".sticker.webp": lambda badge, _recipe: to_sticker(badge.image),
    ".webp": lambda badge, _recipe: to_webp(badge.image),
    ".pdf": lambda badge, _recipe: to_print_pdf(_printed(badge), f"{badge.request.object}: {badge.request.text}"),
}


def encoder_for(file: Path) -> Encoder:
    """What turns a badge into the bytes of `file`: PNG (which carries the recipe, prints too), JPEG, WebP, sticker,
    print (`.print.png` and `.pdf`, 4096 pixels at 300 DPI).

    Raises InvalidRequest for another ending, and for a folder.
    """
    ending = ending_of(file)
    if not ending or file.is_dir():
        raise InvalidRequest(f"--out {file}: name a .png file (or {', '.join(e for e in ENDINGS if e != '.png')})")
    return _ENCODERS[ending]
