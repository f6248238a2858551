"""What `python -m benchmarks.composition` measures: how much of a figure's ink is hidden or cut off."""

import argparse
import random

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.commands.upscale import portraits
from overlay import STYLES, clean_text
from overlay.banner import plan_banner
from overlay.drawing.medallion import fit_portrait
from overlay.drawing.placement import find_subject
from training.demo.drawing.aidbox import draw_aidbox
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS

TEXTS = ("QA", "UX SCOUT", "ГЛАВНЫЙ АРХИТЕКТОР", "Старший инженер по надёжности ИИ-систем")
SIDE = 1024
INK = 70  # luminance below which a pixel counts as outline; the illustrator's ink has 31
HIDDEN = 0.005
"""The share of a figure's ink that may be hidden: the tip of a sole."""


def ink(portrait: Image.Image) -> NDArray[np.float32]:
    """Where the dark pixels are: x and y, shape (count, 2)."""
    y, x = np.nonzero(np.asarray(portrait.convert("L")) < INK)
    return np.stack([x, y], axis=1).astype(np.float32)


def hidden_by_banner(portrait: Image.Image, text: str, style: str, moved: bool) -> float:
    """The share of the ink at or below the banner's upper edge, in its columns."""
    plan = plan_banner(portrait, clean_text(text), STYLES[style])
    body = plan.body if moved else plan.body.moved(0, round(STYLES[style].centre_y) - plan.at[1])
    alpha = np.zeros((SIDE, SIDE), bool)
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(body.image.getchannel("A").point([0] * 140 + [255] * 116), (body.box.left, body.box.top))
    alpha |= np.asarray(mask) > 0
    points = ink(plan.portrait if moved else portrait).astype(int)
    below = np.maximum.accumulate(alpha, axis=0)
    return float(below[points[:, 1], points[:, 0]].mean()) if len(points) else 0.0


def cut_by_ring(portrait: Image.Image, text: str, style: str, moved: bool) -> float:
    """The share of the ink outside the ring's window or at the banner."""
    plan = plan_banner(portrait, clean_text(text), STYLES[style], SIDE)
    ring = STYLES[style].ring
    assert ring is not None
    window = (ring.radius - ring.width) * plan.u
    scale, dx, dy = fit_portrait(portrait, find_subject(portrait), ring, plan.u, plan.body)
    if not moved:
        scale, dx, dy = 2 * ((ring.radius - ring.width / 2) * plan.u + 1) / SIDE, 0.0, 0.0
    points = (ink(portrait) - SIDE / 2) * scale + np.array([dx, dy], np.float32)
    outside = np.hypot(points[:, 0], points[:, 1]) > window
    mask = Image.new("L", (SIDE, SIDE))
    mask.paste(plan.body.image.getchannel("A").point([0] * 140 + [255] * 116), (plan.body.box.left, plan.body.box.top))
    below = np.maximum.accumulate(np.asarray(mask) > 0, axis=0)
    at = np.clip(np.round(points + np.array([512, ring.centre_y]) * plan.u), 0, SIDE - 1).astype(int)
    return float((outside | below[at[:, 1], at[:, 0]]).mean()) if len(points) else 0.0


def run(args: argparse.Namespace) -> None:
    """Measure and print the table."""
    rng = random.Random(4)
    kinds: dict[str, list[Image.Image]] = {"drawings": []}
    for i in range(args.drawings):
        thing = rng.choice(list(THINGS))
        kinds["drawings"].append(
            draw(6000 + i, thing=thing, size=SIDE, supersample=1).image
            if i % 3
            else draw_aidbox(6000 + i, thing, supersample=1).image
        )
    if args.portraits:
        made = portraits("none", args.portraits // 2) + portraits("", args.portraits - args.portraits // 2)
        kinds["demo FLUX"] = [image.resize((SIDE, SIDE), Image.Resampling.LANCZOS) for image in made]
    print("| pictures | style | count | cut before | cut now | most ink hidden now |\n" + "| --- " * 6 + "|")
    for kind, images in kinds.items():
        for style in STYLES.values():
            measure = cut_by_ring if style.ring else hidden_by_banner
            shares = {
                moved: [measure(image, TEXTS[k % 4], style.name, moved) for k, image in enumerate(images)]
                for moved in (False, True)
            }
            before, now = (sum(share > HIDDEN for share in shares[moved]) for moved in (False, True))
            print(f"| {kind} | {style.name} | {len(images)} | {before} | {now} | {max(shares[True]):.1%} |", flush=True)
