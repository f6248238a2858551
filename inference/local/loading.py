"""Loading: from a profile, a plan and a LoRA's name to an assembled pipeline and its text encoders, stage by stage."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from inference.errors import OperatorNeeded
from inference.local.assembly import Assembled, StageCallback, assemble
from inference.local.encoders import Encoders
from inference.local.pipes import Pipes
from inference.local.plan import Plan
from inference.lora.merge import LoraSlot
from inference.lora.parts import LoraPart
from inference.lora.source import LoraFile
from inference.lora.weights import LoraWeights, read_lora, touches_encoders
from inference.models.base_weights import WeightFiles, fetch
from inference.models.broken_card import is_out_of_memory
from inference.models.family import text_parts
from inference.models.profiles import Profile

log = logging.getLogger(__name__)


class Loaded:
    """What is in memory: the assembled pipeline, the encoders, and which LoRA is on."""

    def __init__(self, profile: Profile, assembled: Assembled, encoders: Encoders, parallel: int) -> None:
        self._profile = profile
        self.assembled = assembled
        self.encoders = encoders
        self.pipes = Pipes(assembled.pipe, parallel)

    @property
    def pipe(self) -> Any:
        """The diffusers pipeline, without its text encoders."""
        return self.assembled.pipe

    def put_lora(self, file: LoraFile | None, scale: float) -> None:
        """Put on another LoRA, or none. Raises LoraError, and NotKept where the base has to be loaded again for it."""
        parts = _read(file, self._profile, self.assembled.slot, self.encoders).parts if file else ()
        self.assembled.slot.put(_of_transformer(parts), scale)
        self.encoders.put(_of_encoders(parts), scale)
        if self.assembled.table is not None:
            self.assembled.table.forget()


def load(
    profile: Profile,
    plan: Plan,
    lora: LoraFile | None,
    scale: float,
    *,
    parallel: int = 1,
    token: str = "",
    compile_cache: Path | None = None,
    on_stage: StageCallback | None = None,
) -> Loaded:
    """Load and assemble.

    Raises OperatorNeeded where the weights is not available, LoraError, and what torch raises for want of memory.
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
            **dict.fromkeys(text_parts(pipeline)),
            dtype=getattr(torch, plan.dtype),
            use_safetensors=True,
        )
    except (OSError, ValueError) as error:
        if is_out_of_memory(error):
            raise
        line = str(error).splitlines()[0]
        raise OperatorNeeded(f"the weights of {profile.title} in {folder} cannot be used: {line}") from error
    pipe.set_progress_bar_config(disable=True)
    encoders = Encoders(profile, folder, plan)
    clean = WeightFiles(Path(folder) / "transformer", getattr(torch, plan.dtype))
    slot = LoraSlot(pipe.transformer, device=plan.device, clean=clean)
    if lora is not None:
        say(f"LoRA {lora.name}")
        parts = _read(lora, profile, slot, encoders).parts
        slot.want(_of_transformer(parts), scale)
        encoders.put(_of_encoders(parts), scale)
    loaded = Loaded(profile, assemble(pipe, plan, slot, say, compile_cache), encoders, parallel)
    say(None)
    return loaded


def _read(file: LoraFile, profile: Profile, slot: LoraSlot, encoders: Encoders) -> LoraWeights:
    shapes = {"transformer": slot.shapes}
    if touches_encoders(file.header()):
        shapes |= encoders.shapes()
    return read_lora(file, shapes, profile.family)


def _of_transformer(parts: tuple[LoraPart, ...]) -> tuple[LoraPart, ...]:
    return tuple(part for part in parts if part.component == "transformer")


def _of_encoders(parts: tuple[LoraPart, ...]) -> tuple[LoraPart, ...]:
    return tuple(part for part in parts if part.component != "transformer")


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
