"""How much of face, hand and held object the banner hides, on the illustrator's drawings and the demo's portraits.

    python -m benchmarks.banner.placement [--drawings 200] [--portraits 24]

A drawing comes with its boxes. A portrait that the demo FLUX draws has none of its own, so it is charged with the
boxes that hold face, hand and object in every one of a dozen drawings of the same character and thing, which is
more than is really there. `--portraits 0` leaves the model out.
"""

import argparse
import random

from PIL import Image

from overlay import STYLES, clean_text
from overlay.banner import plan_banner
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS

Boxes = dict[str, tuple[float, float, float, float]]
TEXTS = ("QA", "UX SCOUT", "ГЛАВНЫЙ АРХИТЕКТОР", "Старший инженер по надёжности ИИ-систем")
PARTS = ("face", "hand", "object")
SIDE = 1024


def hidden(portrait: Image.Image, text: str, style: str, boxes: Boxes, fixed: bool) -> dict[str, float]:
    """The share of each box (in shares of the side) that the banner's opaque part covers; `fixed` does not place it."""
    plan = plan_banner(portrait, clean_text(text), STYLES[style])
    body = plan.body.moved(0, round(STYLES[style].centre_y) - plan.at[1]) if fixed else plan.body
    mask = Image.new("L", portrait.size)
    mask.paste(body.image.getchannel("A").point([0] * 128 + [255] * 128), (body.box.left, body.box.top))
    found = {}
    for name, box in boxes.items():
        left, top, right, bottom = (round(v * SIDE) for v in box)
        part = mask.crop((max(0, left), max(0, top), min(SIDE, right), min(SIDE, bottom)))
        found[name] = part.histogram()[255] / ((right - left) * (bottom - top))
    return found


def boxes_of(seed: int, who: str, what: str) -> tuple[Image.Image, Boxes]:
    """A drawing and its boxes, as shares of the side."""
    drawing = draw(seed, who, what, size=256, supersample=1)
    return drawing.image, {part: tuple(v / 256 for v in getattr(drawing, part)) for part in PARTS}


def outer_boxes(who: str, what: str) -> Boxes:
    """The boxes that hold each part in every one of twelve drawings of the pair."""
    many = [boxes_of(500 + seed, who, what)[1] for seed in range(12)]
    return {
        part: (
            min(b[part][0] for b in many), min(b[part][1] for b in many),
            max(b[part][2] for b in many), max(b[part][3] for b in many),
        )
        for part in PARTS
    }  # fmt: skip


def row(name: str, style: str, shares: list[dict[str, float]]) -> str:
    """A table row: the largest share of each part that was hidden, and how many objects lost more than 5%."""
    worst = " | ".join(f"{max(s[part] for s in shares):.1%}" for part in PARTS)
    return f"| {name} | {style} | {len(shares)} | {worst} | {sum(s['object'] > 0.05 for s in shares)} |"


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description="How much of face, hand and object the banner hides.")
    parser.add_argument("--drawings", type=int, default=200, metavar="N", help="drawings of the illustrator (200)")
    parser.add_argument("--portraits", type=int, default=24, metavar="N", help="portraits of the demo FLUX (24)")
    args = parser.parse_args()
    rng = random.Random(9)
    pictures: dict[str, list[tuple[Image.Image, Boxes]]] = {"drawings": [], "demo FLUX": []}
    for k in range(args.drawings):
        image, boxes = boxes_of(3000 + k, rng.choice(list(CHARACTERS)), rng.choice(list(THINGS)))
        pictures["drawings"].append((image.resize((SIDE, SIDE), Image.Resampling.LANCZOS), boxes))
    if args.portraits:
        pictures["demo FLUX"] = generated(args.portraits, rng)
    print("| pictures | style | count | face hidden, most | hand, most | object, most | objects above 5% |")
    print("|---|---|---|---|---|---|---|")
    for name, found in pictures.items():
        for style in (style.name for style in STYLES.values() if style.ring is None):
            for place, fixed in (("placed", False), ("always at one height", True)):
                shares = [hidden(image, TEXTS[k % 4], style, boxes, fixed) for k, (image, boxes) in enumerate(found)]
                if shares:
                    print(row(name, f"{style}, {place}", shares), flush=True)


def generated(count: int, rng: random.Random) -> list[tuple[Image.Image, Boxes]]:
    """Portraits by the demo FLUX without a LoRA, samurai first, with the outer boxes of each pair."""
    from benchmarks.demo_quality import prompt_of
    from configs.settings import default_settings
    from inference.local.generator import LocalGenerator
    from inference.models.profiles import load_profile
    from inference.types import PortraitRequest

    local = default_settings().local.model_copy(update={"lora": "none"})
    generator = LocalGenerator(load_profile("demo"), local)
    found = []
    for k in range(count):
        who = "samurai warrior" if k % 2 == 0 else rng.choice(list(CHARACTERS))
        what = rng.choice(list(THINGS))
        portrait = generator.generate(PortraitRequest(prompt_of((who, what)), 8000 + k)).image
        found.append((portrait.resize((SIDE, SIDE), Image.Resampling.LANCZOS), outer_boxes(who, what)))
    return found


if __name__ == "__main__":
    main()
