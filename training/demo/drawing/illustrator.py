"""Draws the demo's cartoon pictures: one character that holds one thing, on a plain background.

`draw` is a pure function of its arguments: the same seed, character and thing give the same picture, byte for byte.
The lower fifth stays quiet for a banner: face, hand and thing lie above 0.77 of the height, and the feet end behind
the banner's plate. Figure and thing together stand in the middle. Boxes are (left, top, right, bottom) in pixels.
"""

import random
from dataclasses import dataclass, replace

from PIL import Image

from training.demo.drawing.captions import caption_for
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.costume import Character, shade
from training.demo.drawing.faces import draw_arm, draw_head, draw_rest_arm
from training.demo.drawing.look import BACKGROUNDS, HEIGHTS, Variation
from training.demo.drawing.pen import Box, Canvas, Color, Pen
from training.demo.drawing.things import THINGS, Drawable

# From the figure's middle: how far it reaches to its free side, and where a thing begins on the other.
_BEHIND, _BEFORE = 54.0, 44.0
_SLEEVES: dict[str, Color] = {
    "astronaut": (226, 232, 240),
    "knight": (176, 190, 206),
    "chef": (246, 246, 242),
    "farmer": (236, 218, 170),
    "robot": (150, 162, 178),
}
_NECK = 122.0  # feet end 88 units lower, behind the plate (198 to 235)


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
    look: Variation


def draw(
    seed: int,
    character: str | None = None,
    thing: str | None = None,
    size: int = 256,
    supersample: int = 3,
    colour: str | None = None,
    calm: bool = False,
) -> Drawing:
    """A picture of `size` x `size` RGB pixels with its caption; what is left out is chosen by the seed."""
    rng = random.Random(seed)
    who = CHARACTERS[character or rng.choice(list(CHARACTERS))]
    what = THINGS[thing or rng.choice(list(THINGS))]
    look = Variation.sample(rng, who, what, calm)
    if colour:
        look = replace(look, colour=colour)
    image, face, hand, held = paint(who, what, look, size, supersample)
    return Drawing(image, caption_for(rng, who, what, look).text, face, hand, held, who.name, what.name, look)


def paint(
    who: Character,
    what: Drawable,
    look: Variation,
    size: int = 256,
    supersample: int = 3,
    stroke: float = 3.6,
) -> tuple[Image.Image, Box, Box, Box]:
    """The picture of a look, with the boxes of face, hand and thing."""
    r, g, b = (min(255, c + t) for c, t in zip(BACKGROUNDS[look.background][1], look.tint, strict=True))
    canvas = Canvas(size, supersample, (r, g, b))
    page = Pen(canvas, x=256.0 if look.mirrored else 0.0, stroke=stroke, mirror=look.mirrored)
    boxes = _figure(page, who, what, look, (r, g, b))
    face, hand, held = (scaled(box, size / 256) for box in boxes)
    return canvas.finish(), face, hand, held


def _figure(page: Pen, who: Character, what: Drawable, look: Variation, ground: Color) -> tuple[Box, Box, Box]:
    """Draws onto a page that may be mirrored; the boxes are in canvas units."""
    color = who.outfits[look.outfit][1]
    size = look.thing_scale * what.size
    width = what.half_width * look.thing_scale
    # Both in the middle: half of (behind + before + the thing's width) lies on each side.
    x = 128 - (_BEFORE + 2 * width - _BEHIND) / 2 + look.shift[0]
    y = _NECK + look.shift[1]
    center = (x + _BEFORE + width, HEIGHTS[look.height] + look.shift[1])
    page.ellipse(x + 2, 210, 58, 8, shade(ground, 0.88), outline=False)
    body = page.at(x, y, look.lean * 0.4, look.scale)
    if who.behind:
        who.behind(body, color)
    sleeve = _SLEEVES.get(who.name, shade(color, 0.92))
    draw_rest_arm(body, look.lift, sleeve, who.glove)
    who.body(body, color)
    head = body.at(0, 0, look.lean)
    draw_head(head, who, look.mood)
    face = head.extent
    who.hat(head, color)
    held = page.at(*center, look.thing_angle, size)
    if look.colour:
        held.tint = what.tint(look.colour)
    what.draw(held)
    grip_x, grip_y = held.map(what.grip(look.mirrored))
    hand = body.part(0, 0)
    draw_arm(hand, (27, 14), hand.unmap((grip_x, grip_y)), sleeve, who.glove)
    return face, (grip_x - 12.3, grip_y - 12.3, grip_x + 12.3, grip_y + 12.3), held.extent


def scaled(box: Box, by: float) -> Box:
    """The box in a picture `by` times larger."""
    left, top, right, bottom = box
    return left * by, top * by, right * by, bottom * by
