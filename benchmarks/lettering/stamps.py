"""Pictures with text drawn on them, by kind: caption, name, address, date, signature, outlined, banner word."""

import random
from pathlib import Path

import numpy as np
import reportlab
from PIL import Image, ImageDraw, ImageFont

_FONTS = Path("fonts")
_PRINT = {
    "caption": ("russo", "rubik", "noto", "vera"),
    "outlined": ("russo", "rubik", "noto"),
    "word": ("russo", "rubik", "noto"),
    "name": ("rubik", "noto", "vera", "slanted"),
    "address": ("vera", "slanted", "noto"),
    "date": ("vera bold", "russo"),
    "cyrillic": ("russo", "rubik", "noto"),
}
KINDS = (*_PRINT, "signature")
_WORDS = {
    "caption": ("Morning in the harbour", "THE LAST SAMURAI", "Chapter 12", "Limited edition print", "Old lanterns"),
    "outlined": ("Made for you", "SALE 50%", "Dragon slayer", "Best of 2024", "Hello world"),
    "word": ("SUMMER", "Welcome", "ЯРМАРКА", "Champion", "НОВИНКА"),
    "name": ("A. Petrova", "@ink_and_brush", "Mori Takeshi", "by Lena W.", "J. Doe 2023"),
    "address": ("www.example.com", "art.example.org/kenji", "t.me/samurai_art", "https://pics.example.org", "@studio"),
    "date": ("12.08.2024", "2023-11-05 18:42", "24 DEC 2019", "'03 7 21", "08/15/2021 9:05"),
    "cyrillic": ("Утро в порту", "ПОСЛЕДНИЙ САМУРАЙ", "Художник Иванова", "Привет из Москвы", "Глава вторая"),
    "signature": ("Mori", "Lena Wolff", "Kenji S.", "Petrova", "J. Doe"),
}  # fmt: skip
_SCRIPTS = sorted(Path("/usr/share/fonts").rglob("Z003-MediumItalic.*"))


def font_of(name: str, size: float) -> ImageFont.FreeTypeFont:
    """One of the fonts at `size` pixels: of `fonts/`, and the thinner ones that come with ReportLab."""
    vera = Path(reportlab.__file__).parent / "fonts"
    files = {"russo": _FONTS / "russo-one/RussoOne-Regular.ttf", "rubik": _FONTS / "rubik/Rubik-Black.ttf",
             "noto": _FONTS / "noto/NotoSans-Black.ttf", "vera": vera / "Vera.ttf", "vera bold": vera / "VeraBd.ttf",
             "slanted": vera / "VeraIt.ttf"}  # fmt: skip
    return ImageFont.truetype(_SCRIPTS[0] if name == "script" else files[name], size)


def can_stamp(kind: str) -> bool:
    """Whether the kind's font is there: the script of signatures is the system's (URW's Z003)."""
    return kind != "signature" or bool(_SCRIPTS)


def stamped(image: Image.Image, kind: str, share: float, contrast: float, seed: int) -> Image.Image:
    """`image` with text of `kind` whose font is `share` of the height high; `contrast` of 1 is dark or light in full.

    A word stands in the middle at twice the size, everything else near an edge.
    """
    rng = random.Random(f"{kind} {share} {seed}")
    image = image.convert("RGB")
    wide, high = image.size
    font = font_of(
        "script" if kind == "signature" else rng.choice(_PRINT[kind]),
        max(6.0, share * high * (2 if kind == "word" else 1)),
    )
    words = rng.choice(_WORDS[kind])
    line = max(1, round(font.size / 12)) if kind == "outlined" else 0
    box = font.getbbox(words, stroke_width=line)
    long, tall = box[2] - box[0], box[3] - box[1]
    edge = rng.uniform(0.012, 0.05) * high
    x = rng.choice((edge, (wide - long) / 2, wide - long - edge))
    y = rng.choice((edge, high - tall - edge))
    if kind == "word":
        x, y = (wide - long) / 2, rng.uniform(0.3, 0.6) * high
    under = np.asarray(image.crop((round(max(0, x)), round(y), round(x + long), round(y + tall))), np.float32).mean(
        axis=(0, 1)
    )
    light = rng.random() < 0.5 if 90 < under.mean() < 165 else under.mean() < 128
    ink = np.array((250, 250, 250) if light else (15, 15, 20))
    if kind == "date":
        ink = np.array((250, 140, 20)) if under.mean() < 170 or contrast < 1 else np.array((205, 70, 10))
    layer = Image.new("L", image.size, 0)
    ImageDraw.Draw(layer).text((x - box[0], y - box[1]), words, font=font, fill=255, stroke_width=line)
    if line:
        image.paste(tuple(int(255 - part) for part in ink), mask=layer.point(lambda v: v * contrast))  # type: ignore[operator]
        layer = Image.new("L", image.size, 0)
        ImageDraw.Draw(layer).text((x - box[0], y - box[1]), words, font=font, fill=255)
    image.paste(tuple(int(part) for part in ink), mask=layer.point(lambda v: v * contrast))  # type: ignore[operator]
    return image
