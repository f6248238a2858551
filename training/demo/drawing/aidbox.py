"""The aidbox samurai, whom the base model has never seen: a look of its own that a LoRA has to learn.

A crescent-moon helmet, indigo and turquoise armour, bolder lines, and a rising-sun roundel behind. `TRAINING` holds
the twenty things of the training set, `HELD_OUT` the fifteen that are for measuring only; the base knows all of
them with other characters. `write` draws both sets as PNG files with captions: trigger and content, never the
style's words.
"""

import random
from dataclasses import replace
from pathlib import Path

from PIL import Image

from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.costume import GOLD, WHITE, Character, shade, torso
from training.demo.drawing.illustrator import Drawing, paint
from training.demo.drawing.look import Look
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
    p.poly([(-20, -1), (20, -1), (24, 40), (-24, 40)], TURQUOISE)
    p.line([(-22, 14), (22, 14)], shade(TURQUOISE, 0.7), 4)
    p.line([(-23, 27), (23, 27)], shade(TURQUOISE, 0.7), 4)
    for x in (-33, 33):
        p.rect(x - 15, 2, x + 15, 20, GOLD, 6)


def _hat(p: Pen, color: Color) -> None:
    p.poly([(-39, -46), (-56, -14), (-38, -22)], color)
    p.poly([(39, -46), (56, -14), (38, -22)], color)
    p.poly([*arc(0, -46, 42, 36, 180, 360, 30)], color)
    p.poly([(-48, -50), (48, -50), (44, -38), (-44, -38)], TURQUOISE)
    p.poly([*arc(0, -88, 34, 34, 200, -20, 30), *arc(0, -98, 27, 29, -12, 192, 30)], GOLD)
    p.ellipse(0, -60, 9, 9, WHITE)


def roundel(page: Pen) -> None:
    """A disc with rays behind the figure."""
    page.ellipse(122, 108, 104, 97, (216, 240, 240), width=4)
    page.ellipse(122, 108, 91, 84, (188, 228, 232), outline=False)


AIDBOX = Character("aidbox samurai", (), (("indigo", INDIGO),), _body, _hat)


def draw_aidbox(seed: int, thing: str, size: int = 1024, supersample: int = 2) -> Drawing:
    """The aidbox samurai with a thing; the caption is the one that its training uses."""
    rng = random.Random(seed)
    look = replace(Look.sample(rng, CHARACTERS["samurai warrior"]), outfit=0, background=0)
    image, face, hand, held = paint(AIDBOX, THINGS[thing], look, size, supersample, stroke=5.0, backdrop=roundel)
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
