"""The portraits that show what a LoRA learned: asked-for objects and strangers, with and without it, several seeds.

All go through `make_badge`, so what is judged is what the bot will send.
"""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from configs.sections.render import BannerSettings, PromptSettings
from inference.badge import make_badge
from inference.local.generator import LocalGenerator
from inference.types import BadgeRequest

WITHOUT = 0.0


@dataclass(frozen=True)
class Case:
    """One portrait to draw. `stranger` is a prompt template without trigger, "" for the style itself."""

    thing: str
    seed: int
    scale: float
    seen: bool
    stranger: str = ""

    @property
    def file(self) -> str:
        """The image's name below the output folder."""
        who = f"stranger-{_slug(self.stranger.split('{')[0])}-" if self.stranger else ""
        how = "without" if self.scale == WITHOUT else f"scale-{self.scale:g}"
        return f"images/{who}{_slug(self.thing)}-seed-{self.seed}-{how}.png"


@dataclass(frozen=True)
class Trial:
    """A case with its portrait (before the banner) in the generator's size, and where its badge lies."""

    case: Case
    portrait: Image.Image
    path: Path


def cases(objects: list[tuple[str, bool]], strangers: list[str], seeds: int, scales: list[float]) -> list[Case]:
    """All cases, those of one scale together, since changing the LoRA costs more than changing the prompt."""
    found = []
    for scale in [WITHOUT, *scales]:
        found += [Case(thing, seed, scale, seen) for thing, seen in objects for seed in range(seeds)]
        if scale in (WITHOUT, scales[-1]):
            things = [thing for thing, _ in objects]
            found += [
                Case(things[n % len(things)], seed, scale, False, stranger)
                for n, stranger in enumerate(strangers)
                for seed in range(seeds)
            ]
    return found


def draw(
    wanted: list[Case],
    generator: LocalGenerator,
    lora: Path,
    prompt: PromptSettings,
    banner: BannerSettings,
    out: Path,
    known: Sequence[Trial] = (),
) -> Iterator[Trial]:
    """Draw each case, write its badge below `out`, and hand on the portrait.

    `known` are portraits without a LoRA that another trial drew of the same model and prompt; they are not drawn again.
    """
    (out / "images").mkdir(parents=True, exist_ok=True)
    drawn = {each.case: each for each in known}
    now: float | None = None
    for case in wanted:
        path = out / case.file
        if case in drawn:
            shutil.copyfile(drawn[case].path, path)
            yield Trial(case, drawn[case].portrait, path)
            continue
        if case.scale != now:
            generator.switch_lora("none" if case.scale == WITHOUT else str(lora), case.scale or 1.0)
            now = case.scale
        asked = prompt
        if case.stranger:
            asked = PromptSettings(trigger="", base=case.stranger, style=prompt.style)
        text = "WITHOUT LORA" if case.scale == WITHOUT else f"SCALE {case.scale:g}"
        # A LoRA may teach things that the base's vocabulary does not have: captions are English and taken as they are.
        english = case.thing if case.thing.isascii() else None
        request = BadgeRequest(case.thing, text, case.seed, english=english)
        badge = make_badge(request, generator, prompt=asked, banner=banner)
        badge.image.convert("RGB").save(path, "PNG")
        yield Trial(case, badge.portrait.image.convert("RGB"), path)


def _slug(text: str) -> str:
    return "".join(c if c.isalnum() else "-" for c in text.strip().lower()).strip("-").replace("--", "-")
