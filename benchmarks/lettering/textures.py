"""Drawn grounds that look like rows of letters to a program: grass, bricks, keys, windows. RGB, 512 x 512."""

import math
import random
from collections.abc import Callable

from PIL import Image, ImageDraw, ImageFilter

SIDE = 512  # as the drawings of this measurement
Colour = tuple[int, int, int]


def texture(kind: str, seed: int) -> Image.Image:
    """One of `KINDS`; the same kind and seed give the same picture."""
    rng = random.Random(f"{kind} {seed}")
    image = KINDS[kind](rng)
    return image.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.8)))


def _near(rng: random.Random, colour: Colour, by: int) -> Colour:
    return tuple(max(0, min(255, part + rng.randint(-by, by))) for part in colour)  # type: ignore[return-value]


def _sheet(colour: Colour) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (SIDE, SIDE), colour)
    return image, ImageDraw.Draw(image)


def _grass(rng: random.Random) -> Image.Image:
    """A meadow: blades everywhere, or on the lower part of a sky."""
    image, draw = _sheet((70, 120, 50) if rng.random() < 0.5 else (200, 225, 240))
    top = rng.choice((0, 250, 420))
    length, width = rng.randint(8, 60), rng.randint(1, 4)
    for _ in range(rng.randint(300, 4000)):
        x, y = rng.uniform(0, SIDE), rng.uniform(top, SIDE + 20)
        lean = rng.gauss(0, 0.35)
        tip = (x + length * math.sin(lean), y - length * math.cos(lean))
        draw.line([(x, y), tip], fill=_near(rng, (80, 140, 50), 45), width=width)
    return image


def _bricks(rng: random.Random) -> Image.Image:
    high, wide, gap = rng.randint(8, 40), rng.randint(14, 90), rng.randint(1, 5)
    image, draw = _sheet(_near(rng, (200, 195, 185), 30))
    for row, y in enumerate(range(0, SIDE, high + gap)):
        for x in range(-wide + (row % 2) * wide // 2, SIDE, wide + gap):
            draw.rectangle((x, y, x + wide - 1, y + high - 1), fill=_near(rng, (165, 80, 60), 20))
    return image


def _fence(rng: random.Random) -> Image.Image:
    """Posts with points, on a ground of two colours, at some height; rails now and then."""
    image, draw = _sheet((190, 215, 235))
    y, high = rng.randint(0, 470), rng.randint(10, 120)
    draw.rectangle((0, y + high, SIDE, 2 * SIDE), fill=(110, 150, 80))
    wide, gap, jitter = rng.randint(3, 22), rng.randint(3, 20), rng.randint(0, 3)
    colour = rng.choice(((120, 80, 50), (240, 240, 235), (60, 60, 60)))
    x = rng.randint(0, 10)
    while x < SIDE:
        up, shade = y + rng.randint(0, jitter), _near(rng, colour, 10)
        draw.polygon([(x, y + high), (x, up + wide // 2), (x + wide // 2, up), (x + wide, up + wide // 2),
                      (x + wide, y + high)], fill=shade)  # fmt: skip
        x += wide + gap
    if rng.random() < 0.5:
        draw.rectangle((0, y + high // 2, SIDE, y + high // 2 + 4), fill=colour)
    return image


def _cloth(rng: random.Random) -> Image.Image:
    """Checks, or dots in rows."""
    side = rng.randint(6, 40)
    one = _near(rng, (200, 60, 60), 50)
    image, draw = _sheet((245, 240, 230))
    dots = rng.random() < 0.4
    for row, y in enumerate(range(0, SIDE, side)):
        for column, x in enumerate(range(0, SIDE, side)):
            if dots:
                off = side // 2 * (row % 2)
                draw.ellipse((x + off, y, x + off + side * 0.6, y + side * 0.6), fill=one)
            elif (row + column) % 2:
                draw.rectangle((x, y, x + side - 1, y + side - 1), fill=one)
    return image


def _hair(rng: random.Random) -> Image.Image:
    base = rng.choice(((70, 45, 30), (30, 28, 30), (200, 160, 90)))
    image, draw = _sheet(base)
    phase, pitch = rng.uniform(0, 6), rng.uniform(0.004, 0.03)
    for _ in range(rng.randint(200, 900)):
        x, swing = rng.uniform(-60, SIDE + 60), rng.uniform(5, 40)
        start, end = sorted((rng.uniform(-100, SIDE), rng.uniform(0, SIDE + 100)))
        line = [(x + swing * math.sin(phase + pitch * y), y) for y in range(int(start), int(end), 8)]
        if len(line) > 1:
            draw.line(line, fill=_near(rng, base, 50), width=rng.randint(1, 3))
    return image.rotate(rng.choice((0, 90, 45)))


def _leaves(rng: random.Random) -> Image.Image:
    image, draw = _sheet(rng.choice(((60, 90, 40), (225, 235, 240), (90, 60, 40))))
    size = rng.uniform(5, 30)
    for _ in range(rng.randint(150, 1500)):
        x, y, turn = rng.uniform(0, SIDE), rng.uniform(0, SIDE), rng.uniform(0, math.tau)
        half = size * rng.uniform(0.6, 1.3)
        shape = [(half * math.cos(t), half * 0.45 * math.sin(t)) for t in (k * math.tau / 10 for k in range(10))]
        draw.polygon(
            [
                (x + a * math.cos(turn) - b * math.sin(turn), y + a * math.sin(turn) + b * math.cos(turn))
                for a, b in shape
            ],
            fill=_near(rng, (110, 140, 50), 60),
        )
    return image


def _windows(rng: random.Random) -> Image.Image:
    """A skyline: houses with rows of lit windows."""
    image, draw = _sheet(rng.choice(((20, 24, 50), (180, 205, 230))))
    x = 0
    while x < SIDE:
        wide, top = rng.randint(50, 140), rng.randint(20, 400)
        draw.rectangle((x, top, x + wide, SIDE), fill=_near(rng, (60, 60, 75), 30))
        w, h = rng.randint(4, 12), rng.randint(6, 20)
        step_x, step_y = w + rng.randint(3, 9), h + rng.randint(4, 14)
        share = rng.uniform(0.3, 1)
        for wy in range(top + 8, SIDE, step_y):
            for wx in range(x + 6, x + wide - w - 4, step_x):
                if rng.random() < share:
                    draw.rectangle((wx, wy, wx + w, wy + h), fill=_near(rng, (240, 210, 120), 15))
        x += wide + rng.randint(0, 10)
    return image


def _stripes(rng: random.Random) -> Image.Image:
    """Stripes of one width or of many, as on a shirt or a bar code, in a band or everywhere."""
    image, draw = _sheet((240, 240, 235))
    top, bottom = rng.choice(((0, SIDE), (460, 490), (15, 50), (200, 300)))
    x, same = 0, rng.randint(2, 16)
    code = rng.random() < 0.4
    while x < SIDE:
        wide = rng.randint(1, 9) if code else same
        draw.rectangle((x, top, x + wide - 1, bottom), fill=(40, 50, 90))
        x += wide + (rng.randint(2, 9) if code else same)
    return image.rotate(rng.choice((0, 0, 90, 45, 10)), fillcolor=(240, 240, 235))


def _keys(rng: random.Random) -> Image.Image:
    """The keys of a keyboard without letters, or of a piano."""
    image, draw = _sheet(rng.choice(((225, 220, 210), (70, 72, 80))))
    if rng.random() < 0.5:
        size, gap = rng.randint(10, 40), rng.randint(2, 8)
        top, rows = rng.randint(20, 440), rng.randint(1, 5)
        for row in range(rows):
            x = 20 + row * size // 3
            while x < SIDE - 20:
                wide = size if rng.random() < 0.85 else size * 2
                y = top + row * (size + gap)
                draw.rounded_rectangle((x, y, x + wide, y + size), size // 5, fill=_near(rng, (150, 155, 165), 6))
                x += wide + gap
    else:
        wide, high, top = rng.randint(10, 36), rng.randint(30, 140), rng.randint(0, 380)
        for number in range(SIDE // wide + 1):
            x = number * wide
            draw.rectangle((x, top, x + wide, top + high), fill=(250, 250, 245), outline=(60, 60, 60))
            if number % 7 not in (0, 3):
                draw.rectangle((x - wide * 0.3, top, x + wide * 0.3, top + high * 0.6), fill=(20, 20, 20))
    return image


def _pebbles(rng: random.Random) -> Image.Image:
    """Pebbles in rows, or a string of beads."""
    image, draw = _sheet(rng.choice(((120, 115, 105), (235, 230, 220))))
    size, row = rng.randint(7, 30), rng.randint(9, 34)
    for y in range(0, SIDE, size + 3) if rng.random() < 0.5 else (row, SIDE - row - size):
        x = 0
        while x < SIDE:
            wide, high = size * rng.uniform(0.7, 1.3), size * rng.uniform(0.8, 1.1)
            draw.ellipse((x, y, x + wide, y + high), fill=_near(rng, (165, 155, 140), 30), outline=(70, 65, 60))
            x += int(wide) + rng.randint(1, 4)
    return image


def _noise(rng: random.Random) -> Image.Image:
    """Coarse noise, as of bark, stone or a photo's grain."""
    cells = rng.randint(30, 250)
    rows = cells * rng.randint(1, 3)
    small = Image.frombytes("L", (cells, rows), rng.randbytes(cells * rows))
    return small.resize((SIDE, SIDE), Image.Resampling.BICUBIC).convert("RGB")


KINDS: dict[str, Callable[[random.Random], Image.Image]] = {
    "grass": _grass, "bricks": _bricks, "fence": _fence, "cloth": _cloth, "hair": _hair, "leaves": _leaves,
    "windows": _windows, "stripes": _stripes, "keys": _keys, "pebbles": _pebbles, "noise": _noise,
}  # fmt: skip
