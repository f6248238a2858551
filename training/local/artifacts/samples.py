"""Sample badges while training: fixed objects and seeds, drawn through `make_badge` like any other badge."""

import logging
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from configs.sections.render import BannerSettings, PromptSettings
from inference.badge import make_badge
from inference.errors import BlankPicture
from inference.generator import Generator
from inference.models.broken_card import is_out_of_memory
from inference.models.family import Text
from inference.prompt import build_prompt
from inference.types import BadgeRequest, ModelInfo, Portrait, PortraitRequest, StepCallback
from training.local.base import Base, free
from training.local.loop import precision
from training.local.lora_layers import LoraLayers
from training.local.speed import eager
from training.page import page

if TYPE_CHECKING:
    from training.job import TrainingJob

log = logging.getLogger(__name__)
# By hand: the training waits while samples are drawn, and they are looked at side by side on one page.
LARGEST = 512
MOST_STEPS = 20
BADGE = 512


class LoopGenerator(Generator):
    """Draws with the transformer that is being trained. Prompts must be among `texts`."""

    def __init__(self, base: Base, transformer: Any, texts: dict[str, Text]) -> None:
        self._base, self._transformer, self._texts = base, transformer, texts
        vae = base.load_vae(transformer.dtype).to(transformer.device)
        if hasattr(vae, "enable_tiling") and transformer.device.type == "cuda":
            vae.enable_tiling()
        self._pipe = base.pipeline(transformer, vae)

    @property
    def model(self) -> ModelInfo:
        return ModelInfo("training", self._base.profile.name, device=str(self._transformer.device))

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        profile = self._base.profile
        started = time.perf_counter()
        size = (min(profile.width, LARGEST), min(profile.height, LARGEST))
        steps = min(profile.steps, MOST_STEPS)
        text = self._texts[request.prompt]
        with torch.no_grad(), eager(self._transformer), precision(self._transformer.device, text.embeds.dtype):
            image = self._base.draw(
                self._pipe, text, self._texts.get("", text), size,
                request.seed, steps, "pil", None,
            )  # fmt: skip
        seconds = time.perf_counter() - started
        return Portrait(image, request.prompt, request.seed, steps, profile.guidance, self.model, seconds)

    def close(self) -> None:
        self._pipe = None
        free()


class Samples:
    """Draws the samples of a step into `out/samples/step-N/` and keeps `samples.html` up to date."""

    def __init__(self, job: "TrainingJob", base: Base, lora: LoraLayers, texts: dict[str, Text]) -> None:
        self._job, self._base, self._lora, self._texts = job, base, lora, texts
        self.on = job.sample_every > 0 and bool(job.sample_objects)
        self.newest: Path | None = None

    @staticmethod
    def prompt_settings(job: "TrainingJob") -> PromptSettings:
        """The prompt as the bot will build it."""
        return PromptSettings(trigger=job.trigger, base=job.base_prompt, style=job.style_words)

    @classmethod
    def prompts(cls, job: "TrainingJob") -> list[str]:
        """The prompts that `draw` needs encoded."""
        if not job.sample_every:
            return []
        return [build_prompt(thing, cls.prompt_settings(job)) for thing in job.sample_objects]

    def draw(self, step: int) -> None:
        """Draw all samples. Too little memory switches samples off, with a warning; training goes on."""
        if not self.on:
            return
        folder = self._job.out / "samples" / f"step-{step:06d}"
        try:
            with LoopGenerator(self._base, self._lora.transformer, self._texts) as generator, self._lora.averaged():
                for number, thing in enumerate(self._job.sample_objects):
                    request = BadgeRequest(thing, "NO LORA" if step == 0 else f"STEP {step}", seed=number)
                    folder.mkdir(parents=True, exist_ok=True)
                    try:
                        badge = make_badge(
                            request, generator, prompt=self.prompt_settings(self._job),
                            banner=BannerSettings(style="ribbon", size=BADGE),
                        )  # fmt: skip
                    except BlankPicture as error:  # a look at a LoRA half trained, not a reason to stop training
                        log.warning("step %d, %s: %s", step, thing, error)
                        continue
                    self.newest = folder / f"{number + 1}.png"
                    badge.image.convert("RGB").save(self.newest)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            free()
            self.on = False
            log.warning("not enough memory for sample badges: none are drawn from here on, training continues")
            return
        write_page(self._job)


def write_page(job: "TrainingJob") -> None:
    """`samples.html`: a row a checkpoint, a column an object, the losses below."""
    rows = []
    for folder in sorted((job.out / "samples").glob("step-*")):
        step = int(folder.name.removeprefix("step-"))
        rows.append({"title": "without LoRA" if step == 0 else f"step {step}", "folder": folder.name, "step": step})
    lead = f"{job.trigger} on {job.profile}: the same seeds at each checkpoint, averaged weights."
    text = page(
        "samples.html", title="Samples while training", lead=lead, things=job.sample_objects, rows=rows,
        losses=(job.out / "loss.png").exists(),
    )  # fmt: skip
    (job.out / "samples.html").write_text(text, encoding="utf-8")
