"""Two to four badges in one picture, each with its number, for somebody to choose from."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from overlay.text.fonts import FOLDER

_CELL, _GAP = 640, 16
"""Pixels: two cells and their gaps fill the 1280 that Telegram keeps of a photo's longer side."""
_GROUND, _DISC, _DIGIT = "#20242b", "#20242be6", "#ffd24a"


def numbered(images: Sequence[Image.Image]) -> Image.Image:
    """`images` (square, any size) side by side, two in a row, numbered from 1; an odd last one is centred. RGB."""
    rows = (len(images) + 1) // 2
    sheet = Image.new("RGB", (2 * _CELL + 3 * _GAP, rows * _CELL + (rows + 1) * _GAP), _GROUND)
    for at, image in enumerate(images):
        row, column = divmod(at, 2)
        alone = at == len(images) - 1 and column == 0
        left = (sheet.width - _CELL) // 2 if alone else _GAP + column * (_CELL + _GAP)
        cell = Image.new("RGBA", (_CELL, _CELL), "white")
        cell.alpha_composite(image.convert("RGBA").resize(cell.size, Image.Resampling.LANCZOS))
        cell.alpha_composite(_disc(str(at + 1)), (_GAP, _GAP))
        sheet.paste(cell, (left, _GAP + row * (_CELL + _GAP)))
    return sheet


def _disc(number: str) -> Image.Image:
    """A number on a dark disc, drawn large and reduced, so that its edge is smooth. RGBA."""
    size = 4 * 96
    disc = Image.new("RGBA", (size, size))
    draw = ImageDraw.Draw(disc)
    draw.ellipse((0, 0, size - 1, size - 1), fill=_DISC)
    font = ImageFont.truetype(str(FOLDER / "rubik/Rubik-Black.ttf"), round(0.62 * size))
    draw.text((size / 2, size / 2), number, font=font, fill=_DIGIT, anchor="mm")
    return disc.resize((size // 4, size // 4), Image.Resampling.LANCZOS)
