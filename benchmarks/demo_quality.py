"""How well the demo FLUX draws what it is told: `python -m benchmarks.demo_quality`.

Portraits of trained pairs of character and object, and of pairs that training never saw, through `LocalGenerator`
without a LoRA; the classifier of `training/demo` (trained on drawings alone) says what it sees. The same classifier on
fresh drawings stands beside it: no portrait can be read better than the classifier reads the real thing.
"""

import argparse
import random
import time
from pathlib import Path

from PIL import Image

from configs.settings import default_settings
from inference.local.generator import LocalGenerator
from inference.models.profiles import load_profile
from inference.prompt import build_prompt
from inference.types import PortraitRequest
from training.demo import classifier
from training.demo.drawing.captions import unseen_pairs
from training.demo.drawing.illustrator import draw
from training.demo.model.stream import trained_pairs

Pair = tuple[str, str]


def prompt_of(pair: Pair) -> str:
    """The real prompt, with another character in the samurai's place."""
    prompt = default_settings().prompt
    base = prompt.base.replace("samurai warrior", pair[0])
    return build_prompt(pair[1], prompt.model_copy(update={"base": base}))


def shares(verdicts: list[classifier.Verdict], pairs: list[Pair]) -> str:
    """Table cells: how many, the right object, the right character."""
    count = len(pairs)
    things = sum(v.object == p[1] for v, p in zip(verdicts, pairs, strict=True)) / count
    people = sum(v.character == p[0] for v, p in zip(verdicts, pairs, strict=True)) / count
    return f"{count} | {things:.1%} | {people:.1%}"


def main() -> None:
    """Draw, score, print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_quality", description=__doc__)
    parser.add_argument("--trained", type=int, default=147, help="how many portraits of trained pairs (default 147)")
    parser.add_argument("--unseen", type=int, default=53, help="how many of never-trained pairs (default all 53)")
    parser.add_argument("--steps", type=int, help="instead of the profile's")
    parser.add_argument("--guidance", type=float, help="instead of the profile's")
    parser.add_argument("--sheet", type=Path, help="also write a sheet of the portraits here (PNG or WebP)")
    parser.add_argument("--columns", type=int, default=10)
    args = parser.parse_args()
    scorer = classifier.load()
    local = default_settings().local.model_copy(update={"lora": "none"})
    generator = LocalGenerator(load_profile("demo"), local)
    rng = random.Random(2)
    groups = {
        "trained pairs": [("samurai warrior", "telescope"), *rng.sample(trained_pairs(), args.trained - 1)],
        "never-trained pairs": sorted(unseen_pairs())[: args.unseen],
    }
    images: list[Image.Image] = []
    rows, wrong = [], []
    generator.prepare()
    started, seconds = time.perf_counter(), []
    for name, pairs in groups.items():
        portraits = []
        for i, pair in enumerate(pairs):
            portrait = generator.generate(PortraitRequest(prompt_of(pair), 1000 + i, args.steps, args.guidance))
            portraits.append(portrait.image)
            seconds.append(portrait.seconds)
        verdicts = scorer.classify(portraits)
        rows.append(f"| {name} | {shares(verdicts, pairs)} |")
        wrong += [f"{p} seen as {(v.character, v.object)}" for p, v in zip(pairs, verdicts, strict=True)
                  if p != (v.character, v.object)]  # fmt: skip
        images += portraits
    fresh = [draw(70_000_000 + i) for i in range(200)]
    seen = scorer.classify([d.image for d in fresh])
    rows.append(
        f"| fresh drawings (the classifier's own limit) | {shares(seen, [(d.character, d.thing) for d in fresh])} |"
    )
    print("| pictures | count | right object | right character |\n| --- | --- | --- | --- |")
    print("\n".join(rows))
    seconds.sort()
    print(f"\nseconds a portrait: median {seconds[len(seconds) // 2]:.2f}, longest {seconds[-1]:.2f}; "
          f"{time.perf_counter() - started:.0f} s in all")  # fmt: skip
    print("\n".join(wrong))
    if args.sheet:
        rows_needed = -(-len(images) // args.columns)
        sheet = Image.new("RGB", (args.columns * 160, rows_needed * 160))
        for i, image in enumerate(images):
            small = image.resize((160, 160), Image.Resampling.LANCZOS)
            sheet.paste(small, (i % args.columns * 160, i // args.columns * 160))
        sheet.save(args.sheet, quality=88)


if __name__ == "__main__":
    main()
