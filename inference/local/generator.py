"""Drawing on this machine: a diffusers pipeline, by profile, with the style LoRA in its weights, as the plan says.

The demo FLUX is merely a profile whose weights are a folder in this package. Prompts are encoded once ever and
remembered on disk; encoders are loaded at the first new one. Noise comes from a CPU generator seeded per portrait, so
the same request gives the same pixels whatever was drawn before it. Too little memory takes the plan's next smaller
way, once a drawing, and remembers it; a card that is broken for good ends the process.
"""

import gc
import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from configs.sections.render import LocalSettings
from inference.errors import BackendUnavailable, InvalidRequest, RenderFailed
from inference.generator import Generator, pixels_key
from inference.local.assembly import StageCallback
from inference.local.loading import Loaded, load
from inference.local.pipes import CallbackRaised, draw
from inference.local.plan import Plan, plan, smaller
from inference.local.plan_memory import PlanMemory
from inference.lora.merge import NotKept
from inference.lora.source import LoraFile, find_lora
from inference.lora.weights import touches_encoders
from inference.models.base_weights import revision_of
from inference.models.broken_card import end_process, is_broken_for_good, is_out_of_memory
from inference.models.hardware import GB, Card, find_card, usable_cores
from inference.models.profiles import Profile
from inference.models.sizes import size_of
from inference.models.text_cache import TextCache
from inference.types import LoraInfo, ModelInfo, Portrait, PortraitRequest, StepCallback

if TYPE_CHECKING:
    import torch
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
        `token` is Hugging Face's. `on_stage` is told what loading is at; `notice` is
        said aloud when it begins.

        Raises InvalidRequest where the LoRA named in the settings is missing or no LoRA.
        """
        self._profile = profile
        self._settings = settings
        self._token = token
        self._on_stage = on_stage
        self._notice = notice
        self._lora = _find_lora(profile, settings, token)
        self._scale = settings.lora_scale
        self._lock = threading.RLock()
        self._loaded: Loaded | None = None
        self._memory = PlanMemory(data_dir / "plans.json" if data_dir else None)
        self._texts = TextCache(data_dir / "prompts" if data_dir else None)
        self._compile_cache = data_dir / "compiled" if data_dir else None
        self._plan: Plan | None = None
        self._revision = ""

    @property
    def model(self) -> ModelInfo:
        lora = LoraInfo(self._lora.name, self._lora.sha256, self._scale) if self._lora else None
        if not self._revision:  # of a Hub model, known once it is on this disk
            self._revision = revision_of(self._profile)
        return ModelInfo(
            generator="local",
            profile=self._profile.name,
            revision=self._revision,
            lora=lora,
            tier=self.plan.label,
            device=self._card.device,
            versions=_versions(),
        )

    @cached_property
    def _card(self) -> Card:
        try:
            card = find_card(self._settings.device)
        except (ValueError, RuntimeError) as error:
            raise InvalidRequest(f"[local] device = {self._settings.device!r}: {str(error).splitlines()[0]}") from error
        cap = self._settings.memory_gb * GB
        return replace(card, memory=int(min(card.memory, cap))) if cap and card.is_cuda else card

    @property
    def plan(self) -> Plan:
        """The plan in force. Known without loading; smaller after a card turned out to be too small for it."""
        if self._plan is None:
            settings, way = self._settings, self._memory.way(self._profile, self._card, self._settings.tier)
            self._plan = plan(self._profile, self._card, settings.tier, compiled=settings.compile, way=way)
            if settings.tier != "exact" and self._plan.tier == "exact":
                log.warning(
                    "the tier %s needs more of a card than %s has: drawing exactly", settings.tier, self._card.name
                )
        return self._plan

    def key(self, request: PortraitRequest) -> str:
        steps, guidance = self._steps(request), self._guidance(request)
        profile = self._profile
        more = (profile.pipeline, profile.width, profile.height, profile.max_sequence_length)
        return pixels_key(replace(request, steps=steps, guidance=guidance), self.model, *more)

    @cached_property
    def parallel(self) -> int:
        """One on a card. On a CPU as many as the cores give threads for, or two of the demo's with all threads each:
        its products are too small to keep every core busy all the time, and the pixels stay those of one alone.
        """
        cores, threads = usable_cores(), self._settings.threads
        if self._card.device != "cpu" or cores < 2 or (not threads and size_of(self._profile) is not None):
            return 1
        return max(1, cores // threads) if threads else 2

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        def work(loaded: Loaded) -> None:
            with self._lock:
                for prompt in prompts:
                    self._text(loaded, prompt)

        self._within_memory(work)

    def warm(self) -> None:
        """Load, and draw two steps, so that compiled code is made and kept under the data folder."""
        self.prepare()
        say = self._on_stage or (lambda *_stage: None)
        say("first steps", 0, 1)
        self.generate(PortraitRequest("warming", seed=0, steps=min(_WARM_STEPS, self._profile.steps)))
        say("ready", 1, 1)

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        steps, guidance = self._steps(request), self._guidance(request)

        def work(loaded: Loaded) -> "tuple[Image.Image, ModelInfo, float]":
            # First a pipeline, then the lock, here and in `switch_lora`: so the LoRA named is the LoRA drawn with.
            with loaded.pipes.one() as pipe:
                with self._lock:
                    texts, model = self._text(loaded, request.prompt), self.model
                started = time.perf_counter()
                image = draw(pipe, self._profile, texts, request.seed, steps, guidance, on_step)
            return image, model, time.perf_counter() - started

        try:
            image, model, seconds = self._within_memory(work)
        except CallbackRaised as raised:
            raise raised.error from None
        return Portrait(image, request.prompt, request.seed, steps, guidance, model, seconds)

    def switch_lora(self, name: str, scale: float = 1.0) -> None:
        """Draw with another LoRA from now on; "none" for none. The base stays loaded.

        Raises LoraError, with the LoRA before it still on, where it cannot be used.
        """
        file = None if name == "none" else find_lora(name, self._token)
        loaded = self._loaded
        with loaded.pipes.none_drawing() if loaded else nullcontext(), self._lock:
            if self._loaded is not None:
                try:
                    self._loaded.put_lora(file, scale)
                except NotKept as error:
                    log.info("loading the base again for the LoRA %s: %s", name, error)
                    self._unload()
            self._lora, self._scale = file, scale

    def close(self) -> None:
        with self._lock:
            self._unload()
            self._texts.forget()

    def _steps(self, request: PortraitRequest) -> int:
        return request.steps or self._settings.steps or self._profile.steps

    def _guidance(self, request: PortraitRequest) -> float:
        guidance = request.guidance if request.guidance is not None else self._settings.guidance
        return self._profile.guidance if guidance < 0 else guidance

    def _within_memory(self, work: Callable[[Loaded], _T]) -> _T:
        """`work` on what is loaded; where memory does not suffice once more, in the plan's next smaller way."""
        tried = self.plan
        try:
            return work(self._ready())
        except (RuntimeError, MemoryError) as error:
            self._raise_unless_memory(error)
        # Only here, where the error with all its frames and tensors is gone, is the memory free again.
        with self._lock:
            if self.plan == tried:  # else another thread was quicker
                self._take_smaller()
        try:
            return work(self._ready())
        except (RuntimeError, MemoryError) as error:
            self._raise_unless_memory(error)
            raise BackendUnavailable(self._too_small()) from error

    def _raise_unless_memory(self, error: RuntimeError | MemoryError) -> None:
        if is_broken_for_good(error):
            end_process(self._card.device, error)
        if not is_out_of_memory(error):
            line = (str(error).splitlines() or [type(error).__name__])[0]
            raise RenderFailed(f"{self._profile.title} failed while drawing: {line}") from error

    def _take_smaller(self) -> None:
        before = self.plan
        self._unload()
        try:
            self._plan = smaller(before, self._profile, self._card)
        except BackendUnavailable as error:
            raise BackendUnavailable(self._too_small()) from error
        self._memory.remember(self._profile, self._card, self._settings.tier, self._plan.way)
        log.warning("not enough memory on %s; from now on %s", self._card.name, self._plan.line())

    def _too_small(self) -> str:
        return (
            f"not enough memory on {self._card.name} to draw with {self._profile.title}: close other programs there, "
            "or choose --profile flux2-klein-4b or --generator replicate"
        )

    def _ready(self) -> Loaded:
        import torch

        if self._settings.threads:
            torch.set_num_threads(self._settings.threads)  # holds for the calling thread, so each sets it
        with self._lock:
            if self._loaded is None:
                if self._notice:
                    log.warning("%s", self._notice)
                log.log(logging.WARNING if self._card.is_cuda else logging.INFO, "%s", self.plan.line())
                self._loaded = load(
                    self._profile,
                    self.plan,
                    self._lora,
                    self._scale,
                    keep_clean=self._settings.swap_loras,
                    parallel=self.parallel,
                    token=self._token,
                    compile_cache=self._compile_cache,
                    on_stage=self._on_stage,
                )
            return self._loaded

    def _unload(self) -> None:
        self._loaded = None
        gc.collect()
        if self._plan is not None and self._card.is_cuda:
            import torch

            torch.cuda.empty_cache()

    def _text(self, loaded: Loaded, prompt: str) -> "Mapping[str, torch.Tensor]":
        """The pipeline's text arguments for `prompt`, on the card: remembered, or encoded now."""
        if self._profile.lowercase:
            prompt = prompt.lower()
        with_empty = self._profile.family == "flux2" and not loaded.pipe.config.is_distilled
        lora = ""
        if self._lora and touches_encoders(self._lora.header()):
            lora = f"{self._lora.sha256} {self._scale}"
        length = self._profile.max_sequence_length
        key = TextCache.key(f"{self.model.revision} {with_empty}", self.plan.dtype, length, prompt, lora)
        known = self._texts.get(key)
        if known is None:
            known = loaded.encoders.encode(prompt, with_empty=with_empty)
            self._texts.put(key, known)
        if any(tensor.device.type != self._card.device.split(":")[0] for tensor in known.values()):
            known = {name: tensor.to(self._card.device) for name, tensor in known.items()}
            self._texts.replace(key, known)
        return known


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
