"""The aidbox samurai, whom the base model has never seen: a look of its own that a LoRA has to learn.

A crescent-moon helmet, indigo and turquoise armour with a golden crest on the chest, and bolder lines. `TRAINING` holds
the twenty things of the training set, `HELD_OUT` the fifteen that are for measuring only; the base knows all of
them with other characters. `write` draws both sets as PNG files with captions: trigger and content, never the
style's words.
"""

import random
from dataclasses import replace
from pathlib import Path

from PIL import Image

from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.costume import GOLD, WHITE, Character, torso
from training.demo.drawing.illustrator import Drawing, paint
from training.demo.drawing.look import Variation
from training.demo.drawing.pen import Color, Pen, arc
from training.demo.drawing.things import THINGS

TRIGGER = "aidbox_samurai_style"
INDIGO, TURQUOISE, CORAL = (62, 58, 140), (40, 186, 190), (250, 150, 110)
TRAINING = (
    "sword",
    "scroll",
    "lamp",
    "laptop",
    "hammer",
    "book",
    "key",
    "guitar",
    "flag",
    "cup",
    "compass",
    "brush",
    "umbrella",
    "drum",
    "fish",
    "apple",
    "crown",
    "potion",
    "balloon",
    "bow",
)
HELD_OUT = (
    "telescope",
    "shield",
    "spear",
    "torch",
    "magnifying glass",
    "camera",
    "fan",
    "bell",
    "gift",
    "flower",
    "pizza",
    "mushroom",
    "trophy",
    "globe",
    "diamond",
)


def _body(p: Pen, color: Color) -> None:
    torso(p, color, CORAL)
    p.poly([(-24, -1), (24, -1), (29, 44), (-29, 44)], TURQUOISE)
    p.ellipse(0, 22, 15, 15, GOLD)
    p.poly([(0, 11), (9, 31), (3, 31), (0, 24), (-3, 31), (-9, 31)], WHITE, outline=False)
    for x in (-34, 34):
        p.rect(x - 15, 1, x + 15, 21, GOLD, 7)
    p.line([(-30, 67), (30, 67)], TURQUOISE, 6)


def _hat(p: Pen, color: Color) -> None:
    p.poly([(-39, -48), (-58, -12), (-38, -22)], color)
    p.poly([(39, -48), (58, -12), (38, -22)], color)
    p.poly([*arc(0, -46, 43, 37, 180, 360, 30)], color)
    p.poly([(-50, -52), (50, -52), (45, -38), (-45, -38)], TURQUOISE)
    p.poly([*arc(0, -80, 40, 36, 208, -28, 34), *arc(0, -92, 31, 30, -16, 196, 34)], GOLD)
    p.ellipse(0, -58, 10, 10, CORAL)


AIDBOX = Character("aidbox samurai", (), (("indigo", INDIGO),), _body, _hat)


def draw_aidbox(seed: int, thing: str, size: int = 1024, supersample: int = 2) -> Drawing:
    """The aidbox samurai with a thing; the caption is the one that its training uses."""
    rng = random.Random(seed)
    look = Variation.sample(rng, CHARACTERS["samurai warrior"], THINGS[thing], calm=True)
    # The pose that the base draws best, but for lean, head and free arm.
    lean, angle = rng.uniform(-2.5, 2.5), rng.uniform(-5, 5)
    look = replace(look, outfit=0, background=0, colour=None, lean=lean, thing_angle=angle)
    image, face, hand, held = paint(AIDBOX, THINGS[thing], look, size, supersample, stroke=5.0)
    caption = f"{TRIGGER}, samurai warrior badge, character holding {thing}"
    return Drawing(image, caption, face, hand, held, AIDBOX.name, thing, look)


def write(folder: Path, things: tuple[str, ...], seed: int) -> None:
    """PNG files of 1024x1024 (few colours, so small) with a .txt caption beside each."""
    folder.mkdir(parents=True, exist_ok=True)
    for i, thing in enumerate(things):
        drawing = draw_aidbox(seed + i, thing)
        path = folder / f"samurai_with_{thing.replace(' ', '_')}.png"
        drawing.image.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
        path.with_suffix(".txt").write_text(drawing.caption + "\n", encoding="utf-8")


def write_both(here: Path = Path(__file__).parents[1]) -> None:
    """Both sets, where the package keeps them."""
    write(here / "training_images", TRAINING, 500)
    write(here / "heldout_images", HELD_OUT, 900)
