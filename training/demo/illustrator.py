"""Draws the demo's cartoon pictures: one character that holds one thing, on a plain background.

`draw` is a pure function of its arguments: the same seed, character and thing give the same picture, byte for byte.
The lower fifth stays quiet for a banner: face, hand and thing lie above 0.77 of the height. Boxes are (left, top, right,
bottom) in pixels of the picture.
"""

import random
from dataclasses import dataclass

from PIL import Image

from training.demo import things_everyday, things_tools, things_treasures  # noqa: F401  (they register their things)
from training.demo.characters import CHARACTERS, Character, shade
from training.demo.faces import MOODS, draw_arm, draw_head, draw_rest_arm
from training.demo.pen import Box, Canvas, Color, Pen
from training.demo.things import THINGS, Thing

BACKGROUNDS: tuple[tuple[str, Color], ...] = (
    ("cream", (251, 246, 232)), ("white", (252, 252, 252)), ("mint", (226, 244, 234)), ("sky blue", (224, 240, 252)),
    ("pink", (253, 232, 236)), ("lavender", (238, 234, 250)),
)  # fmt: skip
THING_CENTER = (191.0, 112.0)


@dataclass(frozen=True)
class Look:
    """What varies between two pictures of the same character with the same thing."""

    outfit: int
    background: int
    mood: str
    scale: float
    shift: tuple[float, float]
    lean: float
    thing_angle: float
    thing_scale: float
    lift: float
    tint: tuple[int, int, int]

    @staticmethod
    def sample(rng: random.Random, who: Character) -> "Look":
        """A look at random; the usual outfit and the cream background are the commonest."""
        return Look(
            outfit=rng.choices(range(len(who.outfits)), [6, 2, 2])[0],
            background=rng.choices(range(len(BACKGROUNDS)), [5, 2, 2, 2, 1, 1])[0],
            mood=rng.choices(MOODS, [5, 3, 2])[0],
            scale=rng.uniform(0.95, 1.03),
            shift=(rng.uniform(-3, 3), rng.uniform(-2, 2)),
            lean=rng.uniform(-2.5, 2.5),
            thing_angle=rng.uniform(-9, 9),
            thing_scale=rng.uniform(0.93, 1.03),
            lift=rng.random(),
            tint=(rng.randint(-3, 3), rng.randint(-3, 3), rng.randint(-3, 3)),
        )


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


def draw(seed: int, character: str | None = None, thing: str | None = None, size: int = 256, supersample: int = 3) -> Drawing:
    """A picture of `size` x `size` RGB pixels with its caption; what is left out is chosen by the seed."""
    from training.demo.captions import caption_for  # captions know looks, so they import this module

    rng = random.Random(seed)
    who = CHARACTERS[character or rng.choice(list(CHARACTERS))]
    what = THINGS[thing or rng.choice(list(THINGS))]
    look = Look.sample(rng, who)
    image, face, hand, held = paint(who, what, look, size, supersample)
    return Drawing(image, caption_for(rng, who, what, look), face, hand, held, who.name, what.name, look)


def paint(who: Character, what: Thing, look: Look, size: int = 256, supersample: int = 3) -> tuple[Image.Image, Box, Box, Box]:
    """The picture of a look, with the boxes of face, hand and thing."""
    r, g, b = (min(255, c + t) for c, t in zip(BACKGROUNDS[look.background][1], look.tint, strict=True))
    canvas = Canvas(size, supersample, (r, g, b))
    return _figure(canvas, who, what, look, (r, g, b))


def _figure(canvas: Canvas, who: Character, what: Thing, look: Look, ground: Color) -> tuple[Image.Image, Box, Box, Box]:
    color = who.outfits[look.outfit][1]
    page = Pen(canvas)
    x, y = 80 + look.shift[0], 120 + look.shift[1]
    page.ellipse(x + 2, 208, 58, 8, shade(ground, 0.88), outline=False)
    body = page.at(x, y, look.lean * 0.4, look.scale)
    if who.behind:
        who.behind(body, color)
    sleeve = {"astronaut": (226, 232, 240), "knight": (176, 190, 206), "chef": (246, 246, 242), "farmer": (236, 218, 170),
              "robot": (150, 162, 178)}.get(who.name, shade(color, 0.92))  # fmt: skip
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
    k = canvas.size / 256
    boxes = [tuple(v * k for v in box) for box in (face, hand, held.extent)]
    return canvas.finish(), boxes[0], boxes[1], boxes[2]  # type: ignore[return-value]
