"""From a loaded pipeline and a plan to one that draws: modulation table, quantizing, placing, compiling, in order.

The order is the plan's and no other works: a LoRA goes into plain weights, a table takes the modulation layers out
before they would be quantized or placed, layers are quantized one block at a time on the card so that the plain model
never has to fit there, and compiling comes last.
"""

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.errors import BackendUnavailable
from inference.local.plan import Plan
from inference.lora.merge import LoraSlot

if TYPE_CHECKING:
    import torch

    from inference.local.modulation import ModulationTable

log = logging.getLogger(__name__)

StageCallback = Callable[[str, int, int], None]
"""Called as (what is being done, stages done, stages in all) while a model is made ready."""

_CACHE_THRESHOLD = 0.08


class Assembled:
    """A pipeline ready to draw, with the places of its LoRA and its table."""

    def __init__(self, pipe: Any, slot: LoraSlot, table: "ModulationTable | None") -> None:
        self.pipe = pipe
        self.slot = slot
        self.table = table


def assemble(pipe: Any, plan: Plan, slot: LoraSlot, on_stage: Callable[[str], None], cache: Path | None) -> Assembled:
    """Do what the plan says to `pipe`, whose LoRA is already put on through `slot`. `cache` keeps compiled code.

    Raises BackendUnavailable where a part that the plan needs is not installed.
    """
    import torch

    transformer = pipe.transformer
    table = None
    if plan.modulation != "live":
        from inference.local.modulation import ModulationTable

        on_stage("modulation table")
        table = ModulationTable(pipe, plan.device, evict=plan.modulation == "table-evicted")
    if plan.weights != "plain":
        on_stage(f"quantizing to {plan.weights}")
        slot.requantize = _quantize_blocks(transformer, plan)
    on_stage(f"placing on {plan.device}")
    if plan.placement == "whole":
        pipe.to(plan.device)
    else:
        transformer.enable_group_offload(
            onload_device=torch.device(plan.device),
            offload_device=torch.device("cpu"),
            offload_type="block_level",
            num_blocks_per_group=1,
            use_stream=plan.device.startswith("cuda"),
        )
        pipe.vae.to(plan.device)
    if plan.device.startswith("cuda"):
        pipe.vae.to(memory_format=torch.channels_last)
    if plan.tiled_vae:
        pipe.vae.enable_tiling()
    if plan.attention != "native":
        transformer.set_attention_backend(plan.attention)
    if plan.step_cache:
        from diffusers.hooks.first_block_cache import FirstBlockCacheConfig

        transformer.enable_cache(FirstBlockCacheConfig(threshold=_CACHE_THRESHOLD))
    if plan.compiled:
        on_stage("compiling")
        if cache is not None:
            # Read by torch's compiler; compiled code of an earlier start is found there.
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache.resolve())
        # The step cache leaves a block in the middle, which a full graph does not allow.
        transformer.compile_repeated_blocks(fullgraph=not plan.step_cache)
    return Assembled(pipe, slot, table)


def _quantize_blocks(transformer: Any, plan: Plan) -> "Callable[[torch.nn.Linear, torch.Tensor], None]":
    """Quantize the linear layers of all blocks, each on the card; returns the means to do so again with new weights."""
    import torch

    from inference.local.modulation import is_modulation

    try:
        from torchao.quantization import (
            Float8DynamicActivationFloat8WeightConfig,
            Int8DynamicActivationInt8WeightConfig,
            PerRow,
            quantize_,
        )
    except ImportError as error:
        raise BackendUnavailable("the tiers fast and turbo need torchao: pip install .[gpu]") from error

    config: Any = Int8DynamicActivationInt8WeightConfig()
    if plan.weights == "fp8":
        config = Float8DynamicActivationFloat8WeightConfig(granularity=PerRow())

    def is_wanted(layer: Any, name: str) -> bool:
        return isinstance(layer, torch.nn.Linear) and not is_modulation(name)

    for blocks in (transformer.transformer_blocks, transformer.single_transformer_blocks):
        for block in blocks:
            block.to(plan.device)
            quantize_(block, config, filter_fn=is_wanted)

    def again(linear: "torch.nn.Linear", weight: "torch.Tensor") -> None:
        fresh = torch.nn.Linear(linear.in_features, linear.out_features, bias=False, device="meta")
        fresh.weight = torch.nn.Parameter(weight.to(plan.device), requires_grad=False)
        quantize_(fresh, config)
        linear.weight = fresh.weight

    return again
