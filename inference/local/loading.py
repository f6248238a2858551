"""Loading: from a profile, a plan and a LoRA's name to an assembled pipeline and its text encoders, stage by stage."""

from pathlib import Path
from typing import Any

from configs.printable import first_line
from inference.errors import OperatorNeeded
from inference.local.assembly import Assembled, assemble
from inference.local.encoders import Encoders
from inference.local.pipes import Pipes
from inference.local.plan import Plan
from inference.local.stages import StageCallback, Stages
from inference.lora.merge import LoraSlot
from inference.lora.parts import LoraPart
from inference.lora.source import LoraFile
from inference.lora.weights import LoraWeights, read_lora, touches_encoders
from inference.models.base_weights import WeightFiles, fetch
from inference.models.broken_card import is_out_of_memory
from inference.models.family import text_parts
from inference.models.profiles import Profile
from inference.models.room import progress_of


class Loaded:
    """What is in memory: the assembled pipeline, the encoders, and which LoRA is on."""

    def __init__(self, profile: Profile, assembled: Assembled, encoders: Encoders, parallel: int) -> None:
        self._profile = profile
        self.assembled = assembled
        self.encoders = encoders
        self.pipes = Pipes(assembled.pipe, parallel)
        self.uncompiled = assembled.compiled
        """Whether the first step is still to come, in which torch compiles for up to minutes."""

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
    threads: int = 0,
) -> Loaded:
    """Load and assemble; `threads` as in `take_threads`.

    Raises OperatorNeeded where the weights are not available, LoraError, and what torch raises for want of memory.
    """
    total = 5 + (lora is not None) + (plan.modulation != "live") + (plan.weights != "plain")
    with Stages(total, on_stage) as say:
        say("importing torch")  # the imports take longer than the demo's weights
        take_threads(threads)
        say("importing diffusers")
        import diffusers

        pipeline = getattr(diffusers, profile.pipeline)
        _no_bars_of_libraries()
        say(f"finding {profile.title}")
        folder = fetch(profile, token, lambda rest: say(f"downloading {profile.title}", progress_of(rest)))
        say(f"loading {profile.title}")
        pipe = _pipe(pipeline, profile, plan, folder)
        encoders = Encoders(profile, folder, plan, on_stage)
        slot = _slot(pipe, plan, folder)
        if lora is not None:
            say(f"LoRA {lora.name}")
            parts = _read(lora, profile, slot, encoders).parts
            slot.want(_of_transformer(parts), scale)
            encoders.put(_of_encoders(parts), scale)
        return Loaded(profile, assemble(pipe, plan, slot, say, compile_cache), encoders, parallel)


def take_threads(threads: int) -> None:
    """Let torch compute with so many threads in the calling thread, for which alone it holds; 0 leaves it as it is."""
    import torch

    if threads:
        torch.set_num_threads(threads)


def _pipe(pipeline: Any, profile: Profile, plan: Plan, folder: Path) -> Any:
    """The pipeline without its text encoders, in main memory."""
    import torch

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
        line = first_line(error)
        raise OperatorNeeded(f"the weights of {profile.title} in {folder} cannot be used: {line}") from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _slot(pipe: Any, plan: Plan, folder: Path) -> LoraSlot:
    import torch

    clean = WeightFiles(folder / "transformer", getattr(torch, plan.dtype))
    return LoraSlot(pipe.transformer, device=plan.device, clean=clean)


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
    """`on_stage` reports the stages; progress bars of other libraries would only break it up."""
    from diffusers.utils import logging as diffusers_logging
    from huggingface_hub.utils.tqdm import disable_progress_bars
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    disable_progress_bars()
