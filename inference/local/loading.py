"""Loading: from a profile, a plan and a LoRA's name to an assembled pipeline and its text encoders, stage by stage."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.errors import BackendUnavailable
from inference.local.assembly import Assembled, StageCallback, assemble
from inference.local.encoders import Encoders, encoder_names
from inference.local.pipes import Pipes
from inference.local.plan import Plan
from inference.lora.merge import LoraSlot, shapes_of
from inference.lora.source import LoraFile
from inference.lora.weights import LoraWeights, read_lora, touches_encoders
from inference.models.base_weights import fetch
from inference.models.profiles import Profile

log = logging.getLogger(__name__)


class Loaded:
    """What is in memory: the assembled pipeline, the encoders, and which LoRA is on."""

    def __init__(
        self, profile: Profile, assembled: Assembled, encoders: Encoders, keep_clean: bool, parallel: int
    ) -> None:
        self._profile = profile
        self._keep_clean = keep_clean
        self.assembled = assembled
        self.encoders = encoders
        self.pipes = Pipes(assembled.pipe, parallel)

    @property
    def pipe(self) -> Any:
        """The diffusers pipeline, without its text encoders."""
        return self.assembled.pipe

    def put_lora(self, file: LoraFile | None, scale: float) -> None:
        """Put on another LoRA, or none. Raises LoraError, and NotKept where the base has to be loaded again for it."""
        lora = _read(file, self._profile, self.pipe, self.encoders) if file else None
        _put(lora, scale, self.assembled.slot, self.encoders, self._keep_clean)
        if self.assembled.table is not None:
            self.assembled.table.forget()


def load(
    profile: Profile,
    plan: Plan,
    lora: LoraFile | None,
    scale: float,
    *,
    keep_clean: bool,
    parallel: int = 1,
    token: str = "",
    compile_cache: Path | None = None,
    on_stage: StageCallback | None = None,
) -> Loaded:
    """Load and assemble.

    Raises BackendUnavailable where the weights cannot be had, LoraError, and what torch raises for want of memory.
    """
    say = _stages(plan, lora, on_stage)
    say(f"finding {profile.title}")
    folder = fetch(profile, token)
    say(f"loading {profile.title}")
    import diffusers
    import torch

    pipeline = getattr(diffusers, profile.pipeline)
    _no_bars_of_libraries()
    try:
        pipe = pipeline.from_pretrained(
            folder,
            **dict.fromkeys(encoder_names(pipeline)),
            dtype=getattr(torch, plan.dtype),
            use_safetensors=True,
        )
    except (OSError, ValueError) as error:
        line = str(error).splitlines()[0]
        raise BackendUnavailable(f"the weights of {profile.title} in {folder} cannot be used: {line}") from error
    pipe.set_progress_bar_config(disable=True)
    encoders = Encoders(profile, folder, plan)
    slot = LoraSlot(pipe.transformer, device=plan.device)
    if lora is not None:
        say(f"LoRA {lora.name}")
        _put(_read(lora, profile, pipe, encoders), scale, slot, encoders, keep_clean)
    loaded = Loaded(profile, assemble(pipe, plan, slot, say, compile_cache), encoders, keep_clean, parallel)
    say(None)
    return loaded


def _read(file: LoraFile, profile: Profile, pipe: Any, encoders: Encoders) -> LoraWeights:
    shapes = dict(shapes_of({"transformer": pipe.transformer}))
    if touches_encoders(file.header()):
        shapes |= encoders.shapes()
    return read_lora(file, shapes, profile.family)


def _put(lora: LoraWeights | None, scale: float, slot: LoraSlot, encoders: Encoders, keep_clean: bool) -> None:
    parts = lora.parts if lora else ()
    slot.put([part for part in parts if part.component == "transformer"], scale, keep_clean)
    encoders.put(tuple(part for part in parts if part.component != "transformer"), scale)


def _no_bars_of_libraries() -> None:
    """The stages are told by `on_stage`; bars of other makes between them would only tear it."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def _stages(plan: Plan, lora: LoraFile | None, on_stage: StageCallback | None) -> Callable[[str | None], None]:
    """Says what is being done, to the log and to `on_stage`; None for all done."""
    total = 3 + (lora is not None) + (plan.modulation != "live") + (plan.weights != "plain") + plan.compiled
    done = 0

    def say(what: str | None) -> None:
        nonlocal done
        if what:
            log.info("%s", what)
        if on_stage:
            on_stage(what or "ready", done if what else total, total)
        done += 1

    return say
