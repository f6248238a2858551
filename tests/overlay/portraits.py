"""Portraits to put banners on: light, dark, and as busy as a portrait can be; drawn here, the same every time."""

import random

from PIL import Image, ImageDraw


def light(side: int = 1024) -> Image.Image:
    return _figure(side, (250, 244, 230))


def dark(side: int = 1024) -> Image.Image:
    return _figure(side, (14, 18, 34))


def busy(side: int = 1024, seed: int = 7) -> Image.Image:
    """Small patches of every colour everywhere: the worst ground for letters."""
    rng = random.Random(seed)
    cells = 64
    noise = Image.frombytes("RGB", (cells, cells), rng.randbytes(cells * cells * 3))
    return noise.resize((side, side), Image.Resampling.NEAREST)


def _figure(side: int, ground: tuple[int, int, int]) -> Image.Image:
    """A head, a body and a staff held at the right."""
    image = Image.new("RGB", (1024, 1024), ground)
    pen = ImageDraw.Draw(image)
    pen.rounded_rectangle((330, 560, 660, 980), 60, fill=(40, 60, 130), outline=(30, 16, 8), width=9)
    pen.ellipse((340, 230, 650, 560), fill=(250, 212, 170), outline=(30, 16, 8), width=9)
    for x in (440, 550):
        pen.ellipse((x - 16, 370, x + 16, 420), fill=(30, 16, 8))
    pen.rectangle((780, 260, 806, 660), fill=(180, 120, 60), outline=(30, 16, 8), width=8)
    pen.ellipse((750, 560, 836, 646), fill=(250, 212, 170), outline=(30, 16, 8), width=9)
    return image if side == 1024 else image.resize((side, side), Image.Resampling.LANCZOS)
