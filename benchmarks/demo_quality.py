"""How well the demo FLUX draws what it is told: `python -m benchmarks.demo_quality`.

Every thing of the vocabulary with `--each` characters in turn, `--colours` pairs of thing and colour, and the aidbox
samurai with and without the shipped LoRA, all through `LocalGenerator` with the real prompt. The classifier of
`training/demo` (trained on drawings alone) says what it sees; colours and torn places are measured on pixels
(`training.demo.measures`, `training.torn`). The same on fresh drawings stands beside it: that is each
measure's own limit.
`--demo-folder` measures other weights of the same make.
"""

import argparse
import random
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from PIL import Image

from configs.settings import default_settings
from inference.local.generator import LocalGenerator
from inference.models.profiles import load_profile
from inference.prompt import build_prompt
from inference.types import PortraitRequest
from training.demo import classifier
from training.demo.drawing.aidbox import HELD_OUT, draw_aidbox
from training.demo.drawing.captions import unseen_pairs
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS
from training.demo.drawing.vocabulary import colours, shipped
from training.demo.measures import colour_share
from training.torn import TORN, torn_share

Pair = tuple[str, str]
SAMURAI = "samurai warrior"
PASSES = 0.7  # things below it are listed
ENOUGH = 0.5  # of a thing's main fill has the colour


def prompt_of(character: str, thing: str, trigger: bool = False) -> str:
    """The real prompt, with another character in the samurai's place."""
    prompt = default_settings().prompt
    base = prompt.base.replace(SAMURAI, character)
    changed = {"base": base} if trigger else {"base": base, "trigger": ""}
    return build_prompt(thing, prompt.model_copy(update=changed))


def vocabulary_pairs(each: int, every: int = 1) -> list[Pair]:
    """Every (or every so many) thing with `each` characters, the samurai first."""
    people = list(CHARACTERS)
    return [(people[(i + 3 * k) % len(people)] if k else SAMURAI, thing)
            for k in range(each) for i, thing in enumerate(list(shipped())[::every])]  # fmt: skip


def colour_triples(count: int) -> list[tuple[str, str, str]]:
    """(character, thing, colour), each colour equally often; the three that everybody asks for first."""
    rng = random.Random(4)
    able = [name for name in shipped() if THINGS[name].fill.can_change]
    asked = [("umbrella", "red"), ("apple", "green"), ("cup", "blue")]
    asked = [(thing, colour) for thing, colour in asked if thing in shipped()]
    names = list(colours())
    rest = [(rng.choice(able), names[i % len(names)]) for i in range(count - len(asked))]
    people = list(CHARACTERS)
    return [(people[i % len(people)], thing, colour) for i, (thing, colour) in enumerate([*asked, *rest])]


def share(right: Iterable[bool]) -> str:
    """A percentage."""
    all_ = list(right)
    return f"{sum(all_) / max(1, len(all_)):.1%}"


class Artist:
    """Draws prompts and keeps the time of each."""

    def __init__(self, generator: LocalGenerator, steps: int | None, guidance: float | None) -> None:
        self._generator, self._steps, self._guidance = generator, steps, guidance
        self.seconds: list[float] = []

    def __call__(self, prompts: Sequence[str], first_seed: int = 1000) -> list[Image.Image]:
        images = []
        for i, prompt in enumerate(prompts):
            request = PortraitRequest(prompt, first_seed + i, self._steps, self._guidance)
            portrait = self._generator.generate(request)
            images.append(portrait.image)
            self.seconds.append(portrait.seconds)
        return images


def vocabulary(
    artist: Artist, scorer: classifier.Classifier, each: int, every: int
) -> tuple[list[str], list[Image.Image]]:
    """Lines of the report, and the portraits."""
    pairs = vocabulary_pairs(each, every)
    images = artist([prompt_of(*pair) for pair in pairs])
    unseen, lines = unseen_pairs(), []
    fresh = [draw(70_000_000 + i, *pair, supersample=2, calm=True).image for i, pair in enumerate(pairs[:: 2 * each])]
    groups: list[tuple[str, list[Pair], list[Image.Image]]] = [
        ("trained pairs", *_of(pairs, images, lambda pair: pair not in unseen)),
        ("never-trained pairs", *_of(pairs, images, lambda pair: pair in unseen)),
        ("fresh drawings (the measures' own limit)", pairs[:: 2 * each], fresh),
    ]
    lines.append("| pictures | count | right object | right character | torn | torn share |\n"
                 "| --- | --- | --- | --- | --- | --- |")  # fmt: skip
    right: dict[str, list[bool]] = {}
    taken: dict[str, str] = {}
    for name, asked, portraits in groups:
        seen = scorer.classify(portraits)
        torn = [torn_share(image) for image in portraits]
        lines.append(
            f"| {name} | {len(asked)} | {share(v.object == p[1] for v, p in zip(seen, asked, strict=True))}"
            f" | {share(v.character == p[0] for v, p in zip(seen, asked, strict=True))}"
            f" | {share(t > TORN for t in torn)} | {sum(torn) / max(1, len(torn)):.4f} |"
        )
        if name.startswith("fresh"):
            continue
        for verdict, (_, thing) in zip(seen, asked, strict=True):
            right.setdefault(thing, []).append(verdict.object == thing)
            if verdict.object != thing:
                taken[thing] = verdict.object
    weak = {thing: sum(r) / len(r) for thing, r in right.items() if sum(r) / len(r) < PASSES}
    lines.append(f"\nthings below {PASSES:.0%}: {len(weak)} of {len(right)}")
    lines += [f"  {thing}: {value:.0%}, taken for {taken[thing]}" for thing, value in sorted(weak.items())]
    return lines, images


def _of(pairs: list[Pair], images: list[Image.Image], keep: Callable[[Pair], bool]
        ) -> tuple[list[Pair], list[Image.Image]]:  # fmt: skip
    kept = [(pair, image) for pair, image in zip(pairs, images, strict=True) if keep(pair)]
    return [pair for pair, _ in kept], [image for _, image in kept]


def colour(artist: Artist, count: int) -> tuple[list[str], list[Image.Image]]:
    """Lines of the report, and the portraits of things in colours."""
    asked = colour_triples(count)
    images = artist([prompt_of(who, f"{word} {thing}") for who, thing, word in asked], 5000)
    shares = [colour_share(image, *triple) for image, triple in zip(images, asked, strict=True)]
    fresh = [colour_share(draw(71_000_000 + i, who, thing, supersample=2, colour=word).image, who, thing, word)
             for i, (who, thing, word) in enumerate(asked)]  # fmt: skip
    lines = [
        f"\ncolour as asked, {len(asked)} pairs: {share(s >= ENOUGH for s in shares)}"
        f" (fresh drawings: {share(s >= ENOUGH for s in fresh)})"
    ]
    lines += [f"  {word} {thing}: {value:.0%} of its fill"
              for (_, thing, word), value in zip(asked, shares, strict=True) if value < ENOUGH]  # fmt: skip
    return lines, images


def lora(
    artist: Artist, generator: LocalGenerator, shipped: Path, scorer: classifier.Classifier, seeds: int
) -> list[str]:
    """Lines of the report about the LoRA that ships."""
    lines = ["\n| held-out things, the real prompt | aidbox look | right object | torn | torn share |\n"
             "| --- | --- | --- | --- | --- |"]  # fmt: skip
    things = [thing for thing in HELD_OUT for _ in range(seeds)]
    prompts = [prompt_of(SAMURAI, thing, trigger=True) for thing in things]
    for name in ("with", "without"):
        generator.switch_lora(str(shipped) if name == "with" else "none")
        images = artist(prompts, 9000)
        lines.append(_lora_row(f"{name} LoRA", scorer, images, things))
    fresh = [draw_aidbox(72_000_000 + i, thing, 256, 2).image for i, thing in enumerate(things)]
    lines.append(_lora_row("fresh drawings", scorer, fresh, things))
    return lines


def _lora_row(name: str, scorer: classifier.Classifier, images: list[Image.Image], things: list[str]) -> str:
    seen, torn = scorer.classify(images), [torn_share(image) for image in images]
    return (
        f"| {name} | {share(v.character == classifier.AIDBOX for v in seen)}"
        f" | {share(v.object == thing for v, thing in zip(seen, things, strict=True))}"
        f" | {share(t > TORN for t in torn)} | {sum(torn) / len(torn):.4f} |"
    )


def main() -> None:
    """Draw, score, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.demo_quality", description=__doc__)
    parser.add_argument("--each", type=int, default=3, help="characters for each thing (default 3; 0: skip)")
    parser.add_argument("--every", type=int, default=1, help="only every so many things (default 1: all)")
    parser.add_argument("--colours", type=int, default=60, help="pairs of thing and colour (default 60; 0: skip)")
    parser.add_argument("--lora-seeds", type=int, default=2, help="portraits a held-out thing (default 2; 0: skip)")
    parser.add_argument("--steps", type=int, help="instead of the profile's")
    parser.add_argument("--guidance", type=float, help="instead of the profile's")
    parser.add_argument("--demo-folder", type=Path, help="other weights than those that ship")
    parser.add_argument("--demo-lora", type=Path, help="another LoRA than the one that ships")
    parser.add_argument("--sheet", type=Path, help="also write a sheet of the portraits here (PNG or WebP)")
    parser.add_argument("--columns", type=int, default=10)
    args = parser.parse_args()
    scorer = classifier.load()
    profile = load_profile("demo")
    if args.demo_folder:
        profile = profile.model_copy(update={"folder": str(args.demo_folder.resolve())})
    if args.demo_lora:
        profile = profile.model_copy(update={"lora": str(args.demo_lora.resolve())})
    local = default_settings().local.model_copy(update={"lora": "none", "swap_loras": True})
    images: list[Image.Image] = []
    started = time.perf_counter()
    with LocalGenerator(profile, local) as generator:
        generator.prepare()
        artist = Artist(generator, args.steps, args.guidance)
        if args.each:
            lines, drawn = vocabulary(artist, scorer, args.each, args.every)
            images += drawn
            print("\n".join(lines), flush=True)
        if args.colours:
            lines, drawn = colour(artist, args.colours)
            images += drawn
            print("\n".join(lines), flush=True)
        if args.lora_seeds and profile.default_lora:
            print("\n".join(lora(artist, generator, profile.default_lora, scorer, args.lora_seeds)), flush=True)
    seconds = sorted(artist.seconds)
    print(f"\nseconds a portrait: median {seconds[len(seconds) // 2]:.2f}, longest {seconds[-1]:.2f};"
          f" {time.perf_counter() - started:.0f} s in all")  # fmt: skip
    if args.sheet:
        rows = -(-len(images) // args.columns)
        sheet = Image.new("RGB", (args.columns * 160, rows * 160))
        for i, image in enumerate(images):
            small = image.resize((160, 160), Image.Resampling.LANCZOS)
            sheet.paste(small, (i % args.columns * 160, i // args.columns * 160))
        sheet.save(args.sheet, quality=88)


if __name__ == "__main__":
    main()
