"""From a loaded pipeline and a plan to one that draws: table, LoRA, quantizing, placing, compiling, in order.

The order is the plan's and no other works: a table takes the modulation layers out before they would be quantized or
placed; each block goes onto the card, takes its part of the LoRA there and is quantized there, one at a time, so that
neither the plain model nor a second copy of it ever has to fit anywhere; and compiling comes last.
"""

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.printable import first_line
from inference.errors import OperatorNeeded
from inference.local.encoders import compute_dtype, pass_through
from inference.local.plan import TILE, Plan
from inference.lora.merge import LoraSlot, Requantize

if TYPE_CHECKING:
    import torch

    from inference.local.modulation import ModulationTable

log = logging.getLogger(__name__)

# How much the first block's output may change, relative to itself, for the other blocks to be skipped: the value that
# first-block caches are published with for FLUX.1 (https://github.com/chengzeyi/ParaAttention).
_CACHE_THRESHOLD = 0.08


class Assembled:
    """A pipeline ready to draw, with the places of its LoRA and its table."""

    def __init__(self, pipe: Any, slot: LoraSlot, table: "ModulationTable | None", compiled: bool) -> None:
        self.pipe = pipe
        self.slot = slot
        self.table = table
        self.compiled = compiled

    def uncompile(self) -> None:
        """Draw eagerly from now on, with the same weights."""
        for model in (self.pipe.transformer, self.pipe.vae):
            for module in model.modules():
                module._compiled_call_impl = None
        self.compiled = False


def assemble(pipe: Any, plan: Plan, slot: LoraSlot, on_stage: Callable[[str], None], cache: Path | None) -> Assembled:
    """Do what the plan says to `pipe`; `slot` holds the LoRA that is wanted. `cache` keeps compiled code.

    Raises OperatorNeeded where a part that the plan needs is not installed.
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
        quantizer = _quantizer(plan)
        slot.requantize = quantizer.again
        for name, block in repeated_blocks(transformer):
            block.to(plan.device)
            slot.place(f"{name}.")
            quantizer.quantize(block, name, slot)
    on_stage(f"placing on {plan.device}")
    if plan.placement == "whole":
        transformer.to(plan.device)
        slot.place()
        pipe.to(plan.device)
    else:
        slot.place()
        transformer.enable_group_offload(
            onload_device=torch.device(plan.device),
            offload_device=torch.device("cpu"),
            offload_type="block_level",
            num_blocks_per_group=1,
            use_stream=plan.device.startswith("cuda"),
        )
        pipe.vae.to(plan.device)
    if compute_dtype(plan) is not None:
        _compute_in_float32(transformer, torch.device(plan.device))
    _prepare_vae(pipe.vae, plan)
    if plan.attention != "native" and _cudnn_attention_works(plan):
        transformer.set_attention_backend(plan.attention)
    if plan.step_cache:
        from diffusers.hooks.first_block_cache import FirstBlockCacheConfig

        transformer.enable_cache(FirstBlockCacheConfig(threshold=_CACHE_THRESHOLD))
    if plan.compiled:
        if cache is not None:
            # Read by torch's compiler; compiled code of an earlier start is found there.
            os.environ["TORCHINDUCTOR_CACHE_DIR"] = str(cache.resolve())
        # The step cache leaves a block in the middle, which a full graph does not allow.
        transformer.compile_repeated_blocks(fullgraph=not plan.step_cache)
        if plan.compiled_vae:
            pipe.vae.decoder.compile()
    return Assembled(pipe, slot, table, plan.compiled)


def repeated_blocks(transformer: Any) -> Iterator[tuple[str, "torch.nn.Module"]]:
    """The blocks that a transformer of diffusers repeats, with their names."""
    kinds = set(transformer._repeated_blocks)
    for name, module in transformer.named_modules():
        if type(module).__name__ in kinds:
            yield name, module


def _compute_in_float32(transformer: Any, device: "torch.device") -> None:
    """Layers of 16-bit blocks are widened for their own time only; what stands around is small, and stays wide."""
    import torch

    blocks = [block for _, block in repeated_blocks(transformer)]
    for block in blocks:
        pass_through(block, device, torch.float32)
    inside = {id(weight) for block in blocks for weight in block.parameters()}
    for weight in transformer.parameters():
        if id(weight) not in inside:
            weight.data = weight.data.float()


def _cudnn_attention_works(plan: Plan) -> bool:
    """Whether cuDNN has its attention here; some builds and driver pairs have none, and say so only when called."""
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    # The width of the heads of every model here.
    q = torch.randn(1, 1, 128, 128, device=plan.device, dtype=getattr(torch, plan.dtype))
    try:
        with sdpa_kernel(SDPBackend.CUDNN_ATTENTION):
            torch.nn.functional.scaled_dot_product_attention(q, q, q)
    except RuntimeError as error:
        line = first_line(error)
        log.warning("cuDNN's attention does not work here, torch's own is used (%s)", line)
        return False
    return True


def _prepare_vae(vae: Any, plan: Plan) -> None:
    import torch

    if plan.vae_dtype != plan.dtype:
        vae.to(getattr(torch, plan.vae_dtype))
        # The pipeline gives latents in the transformer's dtype. FLUX.2's autoencoder has a layer before its decoder.
        for first in filter(None, (vae.post_quant_conv, vae.decoder)):
            first.register_forward_pre_hook(lambda _module, args: (args[0].to(vae.dtype),))
    if plan.device.startswith("cuda"):
        vae.to(memory_format=torch.channels_last)
    if plan.tiled_vae:
        # By default a tile is as large as the picture (sample_size 1024): one tile, nothing saved.
        scale = 2 ** (len(vae.config.block_out_channels) - 1)
        vae.enable_tiling()
        vae.tile_sample_min_size, vae.tile_latent_min_size = TILE, TILE // scale


class _Quantizer:
    """Quantizes the linear layers of a block in their place; `again` gives one of them another weight later."""

    again: Requantize

    def quantize(self, block: "torch.nn.Module", name: str, slot: LoraSlot) -> None:
        raise NotImplementedError


def _quantizer(plan: Plan) -> _Quantizer:
    return _Nf4(plan) if plan.weights == "nf4" else _TorchAo(plan)


def _is_wanted(layer: Any, name: str) -> bool:
    import torch

    from inference.local.modulation import is_modulation

    return isinstance(layer, torch.nn.Linear) and not is_modulation(name)


class _TorchAo(_Quantizer):
    """fp8 and int8 products, weights and activations (torchao)."""

    def __init__(self, plan: Plan) -> None:
        try:
            from torchao.quantization import (
                Float8DynamicActivationFloat8WeightConfig,
                Int8DynamicActivationInt8WeightConfig,
                PerRow,
            )
        except ImportError as error:
            raise OperatorNeeded("the tiers fast and turbo need torchao: pip install .[gpu]") from error
        self._device = plan.device
        self._config: Any = Int8DynamicActivationInt8WeightConfig()
        if plan.weights == "fp8":
            self._config = Float8DynamicActivationFloat8WeightConfig(granularity=PerRow())

    def quantize(self, block: "torch.nn.Module", name: str, slot: LoraSlot) -> None:
        from torchao.quantization import quantize_

        quantize_(block, self._config, filter_fn=_is_wanted)

    def again(self, linear: "torch.nn.Linear", weight: "torch.Tensor") -> None:
        import torch
        from torchao.quantization import quantize_

        fresh = torch.nn.Linear(linear.in_features, linear.out_features, bias=False, device="meta")
        fresh.weight = torch.nn.Parameter(weight.to(self._device), requires_grad=False)
        quantize_(fresh, self._config)
        linear.weight = fresh.weight


class _Nf4(_Quantizer):
    """Four bits a weight, products in the compute dtype (bitsandbytes)."""

    def __init__(self, plan: Plan) -> None:
        try:
            import bitsandbytes  # noqa: F401 - whether it is there
        except ImportError as error:
            raise OperatorNeeded("the tier small needs bitsandbytes: pip install .[gpu]") from error
        import torch

        self._device = plan.device
        self._dtype: torch.dtype = getattr(torch, plan.dtype)

    def quantize(self, block: "torch.nn.Module", name: str, slot: LoraSlot) -> None:
        import torch
        from bitsandbytes.nn import Linear4bit

        wanted = {at: layer for at, layer in block.named_modules() if _is_wanted(layer, at)}
        for at, layer in wanted.items():
            with torch.device("meta"):
                small = Linear4bit(
                    layer.in_features,
                    layer.out_features,
                    bias=layer.bias is not None,
                    compute_dtype=self._dtype,
                    quant_type="nf4",
                )
            small.bias = layer.bias
            self.again(small, layer.weight.detach())
            block.set_submodule(at, small)
            slot.replaced(f"{name}.{at}", small)

    def again(self, linear: "torch.nn.Linear", weight: "torch.Tensor") -> None:
        from bitsandbytes.nn import Params4bit

        fresh = Params4bit(weight.to(self._device), requires_grad=False, quant_type="nf4", module=linear)
        linear.weight = fresh.to(self._device)
