"""Draws the demo's cartoon pictures: one character that holds one thing, on a plain background.

`draw` is a pure function of its arguments: the same seed, character and thing give the same picture, byte for byte.
The lower fifth stays quiet for a banner: face, hand and thing lie above 0.77 of the height. Boxes are (left, top,
right, bottom) in pixels of the picture.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image

from training.demo.drawing.captions import caption_for
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.costume import Character, shade
from training.demo.drawing.faces import draw_arm, draw_head, draw_rest_arm
from training.demo.drawing.look import BACKGROUNDS, Look
from training.demo.drawing.pen import Box, Canvas, Color, Pen
from training.demo.drawing.things import THINGS, Thing

THING_CENTER = (191.0, 112.0)


@dataclass(frozen=True)
class Drawing:
    """A picture and what is known about it."""

    image: Image.Image
    caption: str
    face: Box
    hand: Box
    object: Box
    character: str
    thing: str
    look: Look


def draw(
    seed: int, character: str | None = None, thing: str | None = None, size: int = 256, supersample: int = 3
) -> Drawing:
    """A picture of `size` x `size` RGB pixels with its caption; what is left out is chosen by the seed."""
    rng = random.Random(seed)
    who = CHARACTERS[character or rng.choice(list(CHARACTERS))]
    what = THINGS[thing or rng.choice(list(THINGS))]
    look = Look.sample(rng, who)
    image, face, hand, held = paint(who, what, look, size, supersample)
    return Drawing(image, caption_for(rng, who, what, look), face, hand, held, who.name, what.name, look)


def paint(
    who: Character,
    what: Thing,
    look: Look,
    size: int = 256,
    supersample: int = 3,
    stroke: float = 3.6,
    backdrop: Callable[[Pen], None] | None = None,
) -> tuple[Image.Image, Box, Box, Box]:
    """The picture of a look, with the boxes of face, hand and thing; `backdrop` draws behind the figure."""
    r, g, b = (min(255, c + t) for c, t in zip(BACKGROUNDS[look.background][1], look.tint, strict=True))
    page = Pen(Canvas(size, supersample, (r, g, b)), stroke=stroke)
    if backdrop:
        backdrop(page)
    return _figure(page, who, what, look, (r, g, b))


def _figure(page: Pen, who: Character, what: Thing, look: Look, ground: Color) -> tuple[Image.Image, Box, Box, Box]:
    color = who.outfits[look.outfit][1]
    x, y = 80 + look.shift[0], 120 + look.shift[1]
    page.ellipse(x + 2, 208, 58, 8, shade(ground, 0.88), outline=False)
    body = page.at(x, y, look.lean * 0.4, look.scale)
    if who.behind:
        who.behind(body, color)
    sleeve = {
        "astronaut": (226, 232, 240),
        "knight": (176, 190, 206),
        "chef": (246, 246, 242),
        "farmer": (236, 218, 170),
        "robot": (150, 162, 178),
    }.get(who.name, shade(color, 0.92))
    draw_rest_arm(body, look.lift, sleeve, who.glove)
    who.body(body, color)
    head = body.at(0, 0, look.lean)
    draw_head(head, who, look.mood)
    face = head.extent
    who.hat(head, color)
    held = page.at(*THING_CENTER, look.thing_angle, look.thing_scale * what.size)
    what.draw(held)
    grip = held.map(what.grip)
    draw_arm(page, body.map((27, 14)), grip, sleeve, who.glove)
    hand = (grip[0] - 12.3, grip[1] - 12.3, grip[0] + 12.3, grip[1] + 12.3)
    k = page.canvas.size / 256
    return page.canvas.finish(), scaled(face, k), scaled(hand, k), scaled(held.extent, k)


def scaled(box: Box, by: float) -> Box:
    """The box in a picture `by` times larger."""
    left, top, right, bottom = box
    return left * by, top * by, right * by, bottom * by
