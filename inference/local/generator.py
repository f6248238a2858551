"""Drawing on this machine: a diffusers pipeline, by profile, with the style LoRA in its weights, as the plan says.

The demo FLUX is merely a profile whose weights are a folder in this package. Prompts are encoded once ever and
remembered on disk; encoders are loaded at the first new one. Noise comes from a CPU generator seeded per portrait, so
the same request gives the same pixels whatever was drawn before it. Too little memory takes the plan's next smaller
way, once a drawing, and remembers it; a card that is broken for good ends the process.
"""

import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from configs.sections.render import LocalSettings
from inference.errors import Canceled
from inference.generator import Generator, pixels_key
from inference.local.held import HeldModel
from inference.local.loading import Loaded
from inference.local.pipes import CallbackRaised, draw
from inference.local.plan import Plan
from inference.local.stages import StageCallback, Stages
from inference.lora.merge import NotKept
from inference.lora.source import LoraFile, find_lora
from inference.lora.weights import touches_encoders
from inference.models.base_weights import revision_of
from inference.models.choice import family_of
from inference.models.family import Text
from inference.models.profiles import Profile
from inference.models.text_cache import TextCache
from inference.types import LoraInfo, ModelInfo, Portrait, PortraitRequest, StepCallback

if TYPE_CHECKING:
    from PIL import Image

log = logging.getLogger(__name__)

_T = TypeVar("_T")
_LIBRARIES = ("torch", "diffusers", "transformers")
_WARM_STEPS = 2


class LocalGenerator(Generator):
    """Draws with the weights of `profile` on `settings.device`. Loads at the first drawing, or in `prepare`."""

    def __init__(
        self,
        profile: Profile,
        settings: LocalSettings,
        *,
        data_dir: Path | None = None,
        token: str = "",
        on_stage: StageCallback | None = None,
        notice: str = "",
    ) -> None:
        """`data_dir` keeps encoded prompts, compiled code and what was learned about memory; None keeps nothing.
        `token` is Hugging Face's. `on_stage` reports the stages of
        loading; `notice` is logged when it begins.

        Raises InvalidRequest where the LoRA named in the settings is missing or no LoRA.
        """
        self._profile = profile
        self._settings = settings
        self._token = token
        self._on_stage = on_stage
        self._family = family_of(profile)
        self._lora = _find_lora(profile, settings, token)
        self._scale = settings.lora_scale
        self._own = (self._lora, self._scale)
        self._others: dict[str, LoraFile | None] = {}
        self._texts = TextCache(data_dir / "prompts" if data_dir else None)
        self._revision = ""
        self._held = HeldModel(
            profile, settings, lambda: (self._lora, self._scale), data_dir=data_dir, token=token, on_stage=on_stage,
            notice=notice,
        )  # fmt: skip

    @property
    def model(self) -> ModelInfo:
        return self._model_with(self._lora, self._scale)

    def model_for(self, request: PortraitRequest) -> ModelInfo:
        return self._model_with(*self._wanted(request))

    def _model_with(self, file: LoraFile | None, scale: float) -> ModelInfo:
        lora = LoraInfo(file.name, file.sha256, scale) if file else None
        if not self._revision:  # of a Hub model, known once it is on this disk
            self._revision = revision_of(self._profile)
        return ModelInfo(
            generator="local",
            profile=self._profile.name,
            revision=self._revision,
            lora=lora,
            tier=self.plan.label,
            device=self._held.card.device,
            versions=_versions(),
        )

    @property
    def plan(self) -> Plan:
        """The plan in force. Known without loading; smaller after a card turned out to be too small for it."""
        return self._held.plan

    @property
    def parallel(self) -> int:
        return self._held.parallel

    def key(self, request: PortraitRequest) -> str:
        steps, guidance = self._steps(request), self._guidance(request)
        profile = self._profile
        more = (profile.pipeline, profile.width, profile.height, profile.max_sequence_length)
        return pixels_key(replace(request, steps=steps, guidance=guidance), self.model_for(request), *more)

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        def work(loaded: Loaded) -> None:
            with self._held.lock:
                for prompt in prompts:
                    self._arguments(loaded, prompt, self._profile.guidance)

        self._held.within_memory(work)

    def warm(self) -> None:
        """Load, and draw two steps, so that compiled code is made and kept under the data folder."""
        self.prepare()
        self.generate(PortraitRequest("warming", seed=0, steps=min(_WARM_STEPS, self._profile.steps)))

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        steps, guidance, wanted = self._steps(request), self._guidance(request), self._wanted(request)

        def work(loaded: Loaded) -> "tuple[Image.Image, ModelInfo, float]":
            def step(done: int, total: int) -> None:
                loaded.uncompiled = False
                say.end()
                if self._held.thread.interrupted.is_set():
                    raise Canceled("the drawing was interrupted")
                if on_step:
                    on_step(done, total)

            # First a pipeline, then the lock, here and in `switch_lora`: so the LoRA named is the LoRA drawn with.
            with loaded.pipes.one() as pipe, Stages(1, self._on_stage) as say:
                with self._held.lock:
                    if not self._is_on(wanted):
                        raise _OtherLora
                    texts, model = self._arguments(loaded, request.prompt, guidance), self.model
                if loaded.uncompiled:
                    say("compiling, in the first step")
                started = time.perf_counter()
                image = draw(pipe, self._profile, texts, request.seed, steps, guidance, step)
            return image, model, time.perf_counter() - started

        while True:
            try:
                if not self._is_on(wanted):
                    self._held.in_thread(lambda: self._switch(*wanted))
                image, model, seconds = self._held.within_memory(work)
                break
            except _OtherLora:  # another drawing, beside this one, needed another
                continue
            except CallbackRaised as raised:
                raise raised.error from None
        return Portrait(image, request.prompt, request.seed, steps, guidance, model, seconds)

    def switch_lora(self, name: str, scale: float = 1.0) -> None:
        """Draw with another LoRA from now on; "none" for none. The base stays loaded.

        Raises LoraError, with the LoRA before it still on, where it cannot be used.
        """
        file = None if name == "none" else find_lora(name, self._token)
        self._held.in_thread(lambda: self._switch(file, scale))
        self._own = (file, scale)

    def _wanted(self, request: PortraitRequest) -> tuple[LoraFile | None, float]:
        """The LoRA that `request` is to be drawn with. Raises LoraError where there is no such LoRA."""
        choice = request.lora
        if choice is None:
            return self._own
        if not choice.name:
            return self._own[0], choice.scale
        if choice.name not in self._others:
            self._others[choice.name] = None if choice.name == "none" else find_lora(choice.name, self._token)
        return self._others[choice.name], choice.scale

    def _is_on(self, wanted: tuple[LoraFile | None, float]) -> bool:
        file, scale = wanted
        if file is None or self._lora is None:
            return file is self._lora
        return (file.sha256, scale) == (self._lora.sha256, self._scale)

    def _switch(self, file: LoraFile | None, scale: float) -> None:
        while True:
            loaded = self._held.loaded
            with loaded.pipes.none_drawing() if loaded else nullcontext(), self._held.lock:
                if self._held.loaded is not loaded:
                    continue  # another thread has loaded it meanwhile, and may be drawing
                if loaded is not None:
                    try:
                        loaded.put_lora(file, scale)
                    except NotKept as error:
                        name = file.name if file else "none"
                        log.info("loading the base again for the LoRA %s: %s", name, error)
                        self._held.unload()
                self._lora, self._scale = file, scale
                return

    def close(self) -> None:
        with self._held.lock:
            self._held.unload()
            self._texts.forget()
        self._held.thread.end()

    def _steps(self, request: PortraitRequest) -> int:
        return request.steps or self._settings.steps or self._profile.steps

    def _guidance(self, request: PortraitRequest) -> float:
        guidance = request.guidance if request.guidance is not None else self._settings.guidance
        return self._profile.guidance if guidance < 0 else guidance

    def _arguments(self, loaded: Loaded, prompt: str, guidance: float) -> Mapping[str, Any]:
        """The pipeline's text arguments for `prompt`, on the card."""
        distilled = bool(loaded.pipe.config.get("is_distilled", False))
        empty = self._text(loaded, "") if self._family.guides(guidance, distilled) else None
        return self._family.text_arguments(self._text(loaded, prompt), empty)

    def _text(self, loaded: Loaded, prompt: str) -> Text:
        """`prompt` encoded, on the card: remembered, or encoded now."""
        if self._profile.lowercase:
            prompt = prompt.lower()
        lora = ""
        if self._lora and touches_encoders(self._lora.header()):
            lora = f"{self._lora.sha256} {self._scale}"
        length = self._profile.max_sequence_length
        key = TextCache.key(self.model.revision, self.plan.dtype, length, prompt, lora)
        known = self._texts.get(key)
        if known is None:
            text = loaded.encoders.encode(prompt)
            self._texts.put(key, text.tensors)
            return text
        text = Text.of(known)
        here = text.to(self._held.card.device)
        if here is not text:
            self._texts.replace(key, here.tensors)
        return here


class _OtherLora(Exception):
    """Between two looks another LoRA was put on."""


@cache
def _versions() -> tuple[tuple[str, str], ...]:
    """Looked up once: each look reads a file, and every portrait tells them."""
    return tuple((name, version(name)) for name in _LIBRARIES)


def _find_lora(profile: Profile, settings: LocalSettings, token: str) -> LoraFile | None:
    if settings.lora == "none":
        return None
    if settings.lora:
        return find_lora(settings.lora, token)
    return find_lora(str(profile.default_lora)) if profile.default_lora else None
