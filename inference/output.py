"""Which bytes go into a file: told by the ending of its name."""

from collections.abc import Callable
from pathlib import Path

from PIL import Image

from inference.errors import InvalidRequest
from inference.recipe import Recipe, encode_png
from inference.types import Badge
from overlay import draw_print, to_jpeg, to_print_pdf, to_print_png, to_sticker, to_webp

Encoder = Callable[[Badge, Recipe], bytes]


def _printed(badge: Badge) -> Image.Image:
    """The badge at 4096 pixels: the portrait enlarged, the banner drawn at that size."""
    return draw_print(badge.portrait.image, badge.request.text, badge.style)


_ENCODERS: dict[str, Encoder] = {
    ".print.png": lambda badge, _recipe: to_print_png(_printed(badge)),
    ".png": lambda badge, recipe: encode_png(badge.image, recipe),
    ".jpg": lambda badge, _recipe: to_jpeg(badge.image),
    ".jpeg": lambda badge, _recipe: to_jpeg(badge.image),
    ".sticker.webp": lambda badge, _recipe: to_sticker(badge.image),
    ".webp": lambda badge, _recipe: to_webp(badge.image),
    ".pdf": lambda badge, _recipe: to_print_pdf(_printed(badge), f"{badge.request.object}: {badge.request.text}"),
}


def encoder_for(file: Path) -> Encoder:
    """What turns a badge into the bytes of `file`: PNG (which alone carries the recipe), JPEG, WebP, sticker,
    print (`.print.png` and `.pdf`, 4096 pixels at 300 DPI).

    Raises InvalidRequest for another ending, and for a folder.
    """
    for ending, encoder in _ENCODERS.items():
        if file.name.lower().endswith(ending) and file.name.lower() != ending and not file.is_dir():
            return encoder
    raise InvalidRequest(f"--out {file}: name a .png file (or {', '.join(e for e in _ENCODERS if e != '.png')})")
