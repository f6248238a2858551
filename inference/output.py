"""Which bytes go into a file: told by the ending of its name."""

from collections.abc import Callable
from pathlib import Path

from inference.errors import InvalidRequest
from inference.recipe import Recipe, encode_png
from inference.types import Badge
from overlay import to_jpeg, to_print_pdf, to_sticker, to_webp

Encoder = Callable[[Badge, Recipe], bytes]

_ENCODERS: dict[str, Encoder] = {
    ".png": lambda badge, recipe: encode_png(badge.image, recipe),
    ".jpg": lambda badge, _recipe: to_jpeg(badge.image),
    ".jpeg": lambda badge, _recipe: to_jpeg(badge.image),
    ".sticker.webp": lambda badge, _recipe: to_sticker(badge.image),
    ".webp": lambda badge, _recipe: to_webp(badge.image),
    ".pdf": lambda badge, _recipe: to_print_pdf(badge.image, f"{badge.request.object}: {badge.request.text}"),
}


def encoder_for(file: Path) -> Encoder:
    """What turns a badge into the bytes of `file`: PNG (which alone carries the recipe), JPEG, WebP, sticker, PDF.

    Raises InvalidRequest for another ending, and for a folder.
    """
    for ending, encoder in _ENCODERS.items():
        if file.name.lower().endswith(ending) and file.name.lower() != ending and not file.is_dir():
            return encoder
    raise InvalidRequest(f"--out {file}: name a .png file (or {', '.join(e for e in _ENCODERS if e != '.png')})")
