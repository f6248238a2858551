"""What `python -m benchmarks.memory.drawing` simulates: the bytes of one plan for one model."""

import argparse
import contextlib
import gc
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch

from inference.local.plan import CONTEXT, TABLES_KEPT, Plan, all_ways, need
from inference.local.tiers import TIERS
from inference.models.hardware import GB, Card
from inference.models.profiles import Profile, load_profile, profile_names
from inference.models.sizes import (
    FLUX1_CONFIG,
    FLUX2_KLEIN_4B_CONFIG,
    FLUX2_KLEIN_9B_CONFIG,
    Z_IMAGE_CONFIG,
    size_of,
)
from inference.models.text_cache import PROMPTS_KEPT

# Hopper for fp8, Ampere for int8 and nf4, Turing for fp16.
CAPABILITIES = ((9, 0), (8, 6), (7, 5))
_STEPS = 2  # tables grow by a row a step, and the prediction with them
_CONFIGS = {
    "flux1": FLUX1_CONFIG,
    "flux2-klein-4b": FLUX2_KLEIN_4B_CONFIG,
    "flux2-klein-9b": FLUX2_KLEIN_9B_CONFIG,
    "z-image": Z_IMAGE_CONFIG,
}
_DEPTHS = {"flux1": ("num_layers", "num_single_layers"), "z-image": ("n_layers",)}


@dataclass(frozen=True)
class Row:
    """One plan: bytes that were simulated and predicted, both with CUDA's own share."""

    profile: str
    plan: Plan
    simulated: int
    predicted: int

    @property
    def ratio(self) -> float:
        """Predicted by simulated: from 1.00 to 1.03 is right."""
        return self.predicted / self.simulated


def plans_of(profile: Profile) -> list[Plan]:
    """Every plan that any card may get for `profile`, those that differ in bytes once."""
    found: dict[tuple[object, ...], Plan] = {}
    for capability in CAPABILITIES:
        card = Card("a pretended card", "cuda", 10**12, capability)
        for tier in TIERS:
            for way in all_ways(profile, card, tier, compiled=False):
                key = (way.dtype, way.modulation, way.weights, way.encoders, way.placement, way.tiled_vae)
                found.setdefault(key, way)
    return [way for way in found.values() if way.placement == "whole"]


def measure(profile: Profile, plan: Plan, depth: int = 0) -> Row:
    """Simulate `plan`. `depth` cuts the model to so many and twice as many blocks of a kind, and extrapolates."""
    size = size_of(profile)
    assert size is not None
    short = profile.model_copy(update={"steps": _STEPS})
    predicted = need(plan, short, size)
    if not depth:
        return Row(profile.name, plan, simulate(short, plan) + int(CONTEXT), predicted)
    # Bytes are linear in the number of blocks of each kind.
    many = {name: _CONFIGS[profile.size][name] for name in _depths(profile.size)}
    few = dict.fromkeys(many, depth)
    base = simulate(short, plan, few)
    total = base
    for name, number in many.items():
        more = simulate(short, plan, {**few, name: 2 * depth})
        total += (more - base) * (int(str(number)) - depth) // depth
    return Row(profile.name, plan, total + int(CONTEXT), predicted)


def _depths(size: str) -> tuple[str, ...]:
    return _DEPTHS.get(size, _DEPTHS["flux1"])


def simulate(profile: Profile, plan: Plan, depths: dict[str, int] | None = None) -> int:
    """Peak bytes on a pretended card while `plan` loads, and draws for more prompts than it keeps tables of.

    Of encoding only the visit of the widest layers is counted.
    """
    import torch

    from inference.local.assembly import assemble
    from inference.local.pipes import draw
    from inference.lora.merge import LoraSlot
    from inference.models.choice import family_of
    from inference.models.family import Text
    from tests.card.fake_card import fake_card

    size = size_of(profile)
    assert size is not None
    capability = (7, 5) if plan.dtype == "float16" else (8, 6) if plan.weights == "int8" else (9, 0)
    made = replace(plan, compiled=False, compiled_vae=False, attention="native")
    with fake_card(capability) as count, _fakes():
        pipe = _pipe(profile, getattr(torch, plan.dtype), depths or {})
        slot = LoraSlot(pipe.transformer, device=plan.device)
        count.reset()
        assemble(pipe, made, slot, lambda _what: None, None)
        family = family_of(profile)
        dtype = getattr(torch, plan.dtype)

        def text() -> Text:
            embeds = torch.empty(1, profile.max_sequence_length, size.text_width, dtype=dtype, device=plan.device)
            pooled = torch.empty(1, size.pooled, dtype=dtype, device=plan.device) if size.pooled else None
            return Text(embeds, pooled)

        kept = [text() for _ in range(PROMPTS_KEPT)]
        resident = torch.empty(size.encoders if plan.encoders == "resident" else 0, dtype=dtype, device=plan.device)
        if plan.encoders != "resident":  # an encoder's widest layers visit the card, and leave it
            torch.empty(size.text_visit, dtype=dtype, device=plan.device)
        gc.collect()
        empty = kept[0] if profile.guided else None
        with torch.no_grad():
            for number in range(TABLES_KEPT if plan.modulation != "live" else 0):
                pipe(
                    **family.text_arguments(kept[number + 1], empty), width=64, height=64, num_inference_steps=_STEPS,
                    guidance_scale=profile.guidance, max_sequence_length=profile.max_sequence_length,
                    output_type="latent",
                )  # fmt: skip
            draw(pipe, profile, family.text_arguments(kept[0], empty), 0, _STEPS, profile.guidance, None)
        del resident
        return count.card


def _pipe(profile: Profile, dtype: Any, depths: dict[str, int]) -> Any:
    """A pipeline without encoders, of full width, with parameters that have no contents."""
    import diffusers
    import torch

    from inference.models.choice import family_of
    from inference.models.family import text_parts

    family = family_of(profile)
    config = {**_CONFIGS[profile.size], **depths}
    if profile.family == "flux1":
        config["guidance_embeds"] = profile.guidance > 0
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    transformer = getattr(diffusers, family.transformer_class)(**config).eval()
    if family.vae_class == "AutoencoderKL":
        vae = diffusers.AutoencoderKL(
            down_block_types=("DownEncoderBlock2D",) * 4, up_block_types=("UpDecoderBlock2D",) * 4,
            block_out_channels=(128, 256, 512, 512), layers_per_block=2, latent_channels=16, use_quant_conv=False,
            use_post_quant_conv=False, scaling_factor=0.3611, shift_factor=0.1159, sample_size=1024,
        ).eval()  # fmt: skip
    else:
        vae = getattr(diffusers, family.vae_class)().eval()
    torch.set_default_dtype(before)
    kind = getattr(diffusers, profile.pipeline)
    more = {"is_distilled": not profile.guided} if profile.family == "flux2" else {}
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=profile.family != "z-image")
    pipe = kind(
        scheduler=scheduler, transformer=transformer, vae=vae, **dict.fromkeys(text_parts(kind)), **more
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


@contextlib.contextmanager
def _fakes() -> Iterator[None]:
    """What drawing asks of a card besides: streams, and the values of a few numbers."""
    import torch

    from inference.local import assembly

    class Stream:
        def __init__(self, *_: Any, **__: Any) -> None: ...

        def synchronize(self) -> None: ...

        def wait_stream(self, *_: Any) -> None: ...

    def in_nf4(_self: Any, block: Any, name: str, slot: Any) -> None:
        for at, layer in list(block.named_modules()):
            if assembly._is_wanted(layer, at):
                block.set_submodule(at, packed(layer))
                slot.replaced(f"{name}.{at}", block.get_submodule(at))

    def packed(layer: Any) -> Any:
        """As bitsandbytes holds and computes it, whose own class cannot be made without contents."""
        count = layer.weight.numel()
        device = layer.weight.device

        class Packed(torch.nn.Linear):
            def forward(self, x: Any) -> Any:
                whole = torch.empty(self.out_features, self.in_features, dtype=x.dtype, device=x.device)
                return torch.nn.functional.linear(x, whole, self.bias)

        with torch.device("meta"):
            made = Packed(layer.in_features, layer.out_features, bias=False)
        made.bias = layer.bias
        made.weight = torch.nn.Parameter(torch.empty(count // 2, dtype=torch.uint8, device=device), requires_grad=False)
        made.scales = torch.empty(count // 64, dtype=torch.uint8, device=device)
        made.scales_of_scales = torch.empty(count // (64 * 256), dtype=torch.float32, device=device)
        return made

    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(assembly._Nf4, "quantize", in_nf4))
        stack.enter_context(patch.object(torch.cuda, "Stream", Stream))
        stack.enter_context(patch.object(torch.cuda, "current_stream", lambda *_: Stream()))
        stack.enter_context(patch.object(torch.cuda, "stream", lambda *_: contextlib.nullcontext()))
        stack.enter_context(patch.object(torch.Tensor, "record_stream", lambda *_: None))
        stack.enter_context(patch.object(torch.Tensor, "tolist", lambda tensor: [0.0] * tensor.numel()))
        yield


def line(row: Row) -> str:
    """A row of the table in Markdown."""
    made = row.plan
    words = [made.weights if made.weights != "plain" else made.dtype, made.modulation, f"encoders {made.encoders}"]
    words += ["streamed"] if made.placement == "streamed" else []
    words += ["tiles"] if made.tiled_vae else []
    simulated, predicted = row.simulated / GB, row.predicted / GB
    return f"| `{row.profile}` | {', '.join(words)} | {simulated:.2f} | {predicted:.2f} | {row.ratio:.3f} |"


def run(args: argparse.Namespace) -> int:
    """Print the table; 1 where a prediction is below the simulation, or more than 3% above it."""
    warnings.filterwarnings("ignore")
    print("| profile | plan | simulated, GB | predicted, GB | ratio |\n|---|---|---|---|---|", flush=True)
    wrong = 0
    for name in args.profiles or [name for name in profile_names() if load_profile(name).size]:
        profile = load_profile(name)
        for plan in plans_of(profile):
            if args.weights not in (None, plan.weights):
                continue
            row = measure(profile, plan, args.depth)
            wrong += not 1.0 <= row.ratio <= 1.03
            print(line(row), flush=True)
    print(f"\n{wrong} outside of 1.00 to 1.03")
    return int(wrong > 0)
