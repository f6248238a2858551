"""How many of the things a fresh model draws right, in seconds on a GPU: each thing with every character, classified.

The classifier has seen drawings alone. `benchmarks/demo_quality.py` measures the shipped pipeline the same way.
"""

import csv
import logging
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from training.demo.classifier import Classifier
from training.demo.model.stream import NAMES, OBJECTS

log = logging.getLogger(__name__)
PROMPT = (
    "{} badge, character holding {}, cartoon illustration, bold clean outlines, flat colors, plain background,"
    " empty space at the bottom"
)
Draw = Callable[[list[str]], Tensor]


def judge(draw: Draw, scorer: Classifier, folder: Path, characters: tuple[str, ...] = NAMES, columns: int = 20) -> None:
    """Writes things.csv (name, share right, what it was taken for most) and a sheet of one portrait a thing.

    `draw` takes prompts and gives N x 3 x 256 x 256 in -1..1.
    """
    pairs = [(character, thing) for character in characters for thing in OBJECTS]
    right, wrong, people, small = Counter[str](), Counter[tuple[str, str]](), 0, []
    for start in range(0, len(pairs), 256):
        some = pairs[start : start + 256]
        images = _pictures(draw([PROMPT.format(*pair) for pair in some]))
        for (character, thing), verdict in zip(some, scorer.classify(images), strict=True):
            right[thing] += verdict.object == thing
            people += verdict.character == character
            if verdict.object != thing:
                wrong[thing, verdict.object] += 1
        small += [image.resize((128, 128), Image.Resampling.BOX) for image in images]
    with (folder / "things.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["thing", "right", "taken_for"])
        for thing in OBJECTS:
            taken = max(((n, other) for (t, other), n in wrong.items() if t == thing), default=(0, ""))[1]
            writer.writerow([thing, f"{right[thing] / len(characters):.2f}", taken])
    log.info("%d portraits: right thing %.3f, right character %.3f; %d of %d things below 0.7",
             len(pairs), sum(right.values()) / len(pairs), people / len(pairs),
             sum(right[t] < 0.7 * len(characters) for t in OBJECTS), len(OBJECTS))  # fmt: skip
    sheet = Image.new("RGB", (columns * 128, -(-len(OBJECTS) // columns) * 128), "white")
    for i in range(len(OBJECTS)):  # the characters in turn
        picture = small[i % len(characters) * len(OBJECTS) + i]
        sheet.paste(picture, (i % columns * 128, i // columns * 128))
    sheet.save(folder / "things.jpg", quality=85)


def _pictures(pixels: Tensor) -> list[Image.Image]:
    array = pixels.clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return [Image.fromarray(np.ascontiguousarray(one)) for one in array]
