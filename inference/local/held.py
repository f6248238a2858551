"""The model of a local generator while it is held: its plan, loading it, and the ways down where memory runs out."""

import gc
import logging
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from configs.printable import first_line
from configs.sections.render import LocalSettings
from inference.errors import BackendUnavailable, InvalidRequest, RenderError, RenderFailed
from inference.local.loading import Loaded, load, take_threads
from inference.local.pipes import CallbackRaised
from inference.local.plan import Plan, plan, smaller
from inference.local.plan_memory import PlanMemory
from inference.local.stages import StageCallback
from inference.local.thread import ModelThread
from inference.lora.source import LoraFile
from inference.models.broken_card import end_process, is_broken_for_good, is_compiler_failure, is_out_of_memory
from inference.models.hardware import GB, Card, find_card, usable_cores
from inference.models.profiles import Profile
from inference.models.sizes import size_of

log = logging.getLogger(__name__)

_T = TypeVar("_T")


class HeldModel:
    """Loads a profile when it is first needed, and does work on it in the largest way that memory allows."""

    def __init__(
        self,
        profile: Profile,
        settings: LocalSettings,
        lora: Callable[[], tuple[LoraFile | None, float]],
        *,
        data_dir: Path | None,
        token: str,
        on_stage: StageCallback | None,
        notice: str,
    ) -> None:
        """`lora` says which LoRA and scale are wanted; the rest as in LocalGenerator."""
        self._profile = profile
        self._settings = settings
        self._lora = lora
        self._token = token
        self._on_stage = on_stage
        self._notice = notice
        self._memory = PlanMemory(data_dir / "plans.json" if data_dir else None)
        self._compile_cache = data_dir / "compiled" if data_dir else None
        self._plan: Plan | None = None
        self.thread = ModelThread()
        self.lock = threading.RLock()
        self.loaded: Loaded | None = None

    @cached_property
    def card(self) -> Card:
        try:
            card = find_card(self._settings.device)
        except (ValueError, RuntimeError) as error:
            raise InvalidRequest(f"[local] device = {self._settings.device!r}: {first_line(error)}") from error
        cap = self._settings.memory_gb * GB
        return replace(card, memory=int(min(card.memory, cap))) if cap and card.is_cuda else card

    @property
    def plan(self) -> Plan:
        """The plan in force. Known without loading; smaller after a card turned out to be too small for it."""
        if self._plan is None:
            settings, way = self._settings, self._memory.way(self._profile, self.card, self._settings.tier)
            self._plan = plan(self._profile, self.card, settings.tier, compiled=settings.compile, way=way)
            if self._plan.tier != settings.tier:
                how = "exactly" if self._plan.tier == "exact" else f"in the tier {self._plan.tier}"
                log.warning(
                    "the tier %s needs more of a card than %s has: drawing %s", settings.tier, self.card.name, how
                )
            if self._plan.placement == "streamed":
                log.warning(
                    "%s streams its weights through %s, which is slow: --tier small fits it in four bits a weight",
                    self._profile.title,
                    self.card.name,
                )
        return self._plan

    @cached_property
    def parallel(self) -> int:
        """One on a card. On a CPU as many as the cores give threads for, or two of the demo's with all threads each:
        its products are too small to keep every core busy all the time, and the pixels stay those of one alone.
        """
        cores, threads = usable_cores(), self._settings.threads
        if self.card.device != "cpu" or cores < 2 or (not threads and size_of(self._profile) is not None):
            return 1
        return max(1, cores // threads) if threads else 2

    def in_thread(self, work: Callable[[], _T]) -> _T:
        """Do `work` in the model's own thread; on a CPU that draws several at once, in the caller's."""
        return self.thread.do(work) if self.parallel == 1 else work()

    def within_memory(self, work: Callable[[Loaded], _T]) -> _T:
        return self.in_thread(lambda: self._down_the_ways(work))

    def _down_the_ways(self, work: Callable[[Loaded], _T]) -> _T:
        """`work` on what is loaded; where memory does not suffice again, in ever smaller ways down to the smallest."""
        while True:
            tried = self.plan
            try:
                return work(self._ready())
            except (CallbackRaised, RenderError):
                raise
            except Exception as error:  # noqa: BLE001 - what is not handled here is raised again
                # A string: the error holds frames, and they hold tensors.
                uncompilable = self._why_not_compiled(error)
            # Only here, where the error is gone, is the memory free again.
            with self.lock:
                if self.plan != tried:
                    continue  # another thread was quicker
                if uncompilable:
                    self._draw_eagerly(uncompilable)
                else:
                    self._take_smaller()

    def _why_not_compiled(self, error: Exception) -> str:
        """Why the compiler failed; "" for want of memory. Raises RenderFailed, or ends the process, for the rest."""
        if is_broken_for_good(error):
            end_process(self.card.device, error)
        if is_out_of_memory(error):
            return ""
        line = first_line(error)
        if self.plan.compiled and is_compiler_failure(error):
            return line
        if not isinstance(error, RuntimeError):
            raise error
        raise RenderFailed(f"{self._profile.title} failed while drawing: {line}") from error

    def _draw_eagerly(self, why: str) -> None:
        log.warning(
            "torch cannot compile here, so drawing is slower (%s): install a C compiler and Python's headers (Debian: "
            "apt install gcc g++ python3-dev), or set local.compile = false",
            why,
        )
        self._plan = replace(self.plan, compiled=False, compiled_vae=False)
        if self.loaded is not None:
            self.loaded.assembled.uncompile()

    def _take_smaller(self) -> None:
        before = self.plan
        self.unload()
        try:
            self._plan = smaller(before, self._profile, self.card)
        except BackendUnavailable as error:
            raise BackendUnavailable(self._too_small()) from error
        self._memory.remember(self._profile, self.card, self._settings.tier, self._plan.way)
        log.warning("not enough memory on %s; from now on %s", self.card.name, self._plan.line())

    def _too_small(self) -> str:
        return (
            f"not enough memory on {self.card.name} to draw with {self._profile.title}: close other programs there, "
            "or choose --profile flux2-klein-4b or --generator replicate"
        )

    def _ready(self) -> Loaded:
        with self.lock:
            if self.loaded is None:
                if self._notice:
                    log.warning("%s", self._notice)
                log.log(logging.WARNING if self.card.is_cuda else logging.INFO, "%s", self.plan.line())
                self.loaded = load(
                    self._profile,
                    self.plan,
                    *self._lora(),
                    parallel=self.parallel,
                    token=self._token,
                    compile_cache=self._compile_cache,
                    on_stage=self._on_stage,
                    threads=self._settings.threads,
                )
            take_threads(self._settings.threads)
            return self.loaded

    def unload(self) -> None:
        self.loaded = None
        gc.collect()
        if self._plan is not None and self.card.is_cuda:
            import torch

            torch.cuda.empty_cache()
