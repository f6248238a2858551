"""One row of `benchmarks.gpu`, measured in a process of its own; prints one JSON object on stdout.

    python -m benchmarks.gpu_row '{"profile": "flux-dev", "way": "exact", "steps": 28, "images": 2}'

The model is the real architecture with random weights made where they are needed, so nothing is downloaded; text
comes as random embeddings, for every way alike. `plain` is what a user of diffusers writes: the pipeline on the card
with an unfused rank-16 LoRA. The other ways are our tiers, put together by the same code that serves badges.
"""

import json
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch

from inference.local.assembly import assemble
from inference.local.plan import plan
from inference.lora.merge import LoraSlot
from inference.lora.weights import LoraPart
from inference.models.hardware import Card, find_card
from inference.models.profiles import Profile, load_profile
from inference.models.sizes import FLUX1_CONFIG, FLUX2_KLEIN_4B_CONFIG

RANK = 16
_LORA_LAYERS = ("attn.to_q", "attn.to_k", "attn.to_v", "attn.to_out.0", "to_qkv_mlp_proj")


@dataclass(frozen=True)
class Row:
    """What to measure. `cap` in GB limits the card's memory (0: none); `tiny` shrinks everything for a test."""

    profile: str
    way: str
    steps: int
    images: int = 2
    cap: float = 0
    device: str = "cuda"
    tiny: bool = False
    compiled: bool = True
    cache: str = ""


@dataclass(frozen=True)
class Measured:
    """Seconds an image (median after the first), of the first with everything before it, and bytes at the peak."""

    row: Row
    seconds: float = 0.0
    first: float = 0.0
    peak: int = 0
    plan: str = ""
    card: str = ""
    problem: str = ""
    rates: dict[str, float] = field(default_factory=dict)


def profile_of(row: Row) -> Profile:
    """The profile at the size and text length that the published figures have."""
    profile = load_profile(row.profile)
    side, text = (64, 16) if row.tiny else (1024, 512)
    return profile.model_copy(update={"width": side, "height": side, "max_sequence_length": text, "steps": row.steps})


def measure(row: Row) -> Measured:
    """Build, assemble, draw. What does not fit or is not installed comes back as `problem`."""
    started = time.perf_counter()
    card = find_card(row.device)
    try:
        if row.way == "bounds":
            return Measured(row, card=card.name, rates=bounds(row))
        if row.cap:
            torch.cuda.set_per_process_memory_fraction(min(1.0, row.cap * 2**30 / card.memory))
            card = replace(card, memory=int(min(card.memory, row.cap * 2**30)))
        return _drawn(row, card, started)
    except (RuntimeError, ImportError) as error:
        return Measured(row, card=card.name, problem=f"{type(error).__name__}: {str(error).splitlines()[0][:120]}")


def _drawn(row: Row, card: Card, started: float) -> Measured:
    profile = profile_of(row)
    if row.way == "plain":
        pipe, what = _plain(row, profile, card), "diffusers, LoRA unfused"
    else:
        pipe, what = _ours(row, profile, card)
    texts = _texts(pipe, profile, card.device)
    times = []
    for seed in range(row.images + 1):
        begin = time.perf_counter()
        pipe(
            **texts,
            width=profile.width,
            height=profile.height,
            num_inference_steps=row.steps,
            guidance_scale=profile.guidance,
            generator=torch.Generator().manual_seed(seed),
            max_sequence_length=profile.max_sequence_length,
        )
        if card.is_cuda:
            torch.cuda.synchronize()
        times.append(time.perf_counter() - (begin if times else started))
    peak = torch.cuda.max_memory_reserved() if card.is_cuda else 0
    later = sorted(times[1:]) or times
    return Measured(row, later[len(later) // 2], times[0], peak, what, card.name)


def _plain(row: Row, profile: Profile, card: Card) -> Any:
    from peft import LoraConfig

    pipe = random_pipe(profile, card.device, tiny=row.tiny)
    targets = [name for name, _ in _lora_layers(pipe.transformer)]
    pipe.transformer.add_adapter(
        LoraConfig(r=RANK, lora_alpha=RANK, target_modules=targets, init_lora_weights="gaussian")
    )
    return pipe.to(card.device, _dtype(card))


def _ours(row: Row, profile: Profile, card: Card) -> tuple[Any, str]:
    tier: Any = row.way
    made = plan(profile, card, tier, compiled=row.compiled)
    if row.tiny:
        made = replace(made, modulation="table" if profile.family == "flux1" else "live")
    # Where all fits, weights are made on the card; else where the plan expects them, in main memory.
    roomy = (
        card.is_cuda and made.placement == "whole" and made.modulation != "table-evicted" and made.weights == "plain"
    )
    pipe = random_pipe(profile, card.device if roomy else "cpu", tiny=row.tiny)
    slot = LoraSlot(pipe.transformer, device=card.device)
    slot.put(_lora(pipe.transformer), 1.0, keep_clean=False)
    cache = Path(row.cache) if row.cache else None
    return assemble(pipe, made, slot, lambda _what: None, cache).pipe, made.line()


def random_pipe(profile: Profile, device: str, *, tiny: bool) -> Any:
    """A pipeline of the real architecture without text encoders; random weights on a card, constant ones elsewhere."""
    import diffusers

    flux2 = profile.family == "flux2"
    config: dict[str, Any] = dict(FLUX2_KLEIN_4B_CONFIG if flux2 else FLUX1_CONFIG)
    if flux2:
        model, vae = diffusers.Flux2Transformer2DModel, diffusers.AutoencoderKLFlux2
        vae_config: dict[str, Any] = {}
    else:
        config["guidance_embeds"] = profile.guidance > 0
        model, vae = diffusers.FluxTransformer2DModel, diffusers.AutoencoderKL
        vae_config = {
            "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
            "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 16,
            "use_quant_conv": False, "use_post_quant_conv": False, "scaling_factor": 0.3611, "shift_factor": 0.1159,
        }  # fmt: skip
    if tiny:
        config |= {"num_layers": 1, "num_single_layers": 2, "num_attention_heads": 2, "attention_head_dim": 32}
        config["axes_dims_rope"] = (8, 8, 8, 8) if flux2 else (8, 12, 12)
        config["joint_attention_dim"] = 96
        vae_config |= {"block_out_channels": (32, 32, 32, 32), "layers_per_block": 1}
    dtype = torch.float32 if tiny else torch.bfloat16
    with torch.device("meta"):
        parts = {"transformer": model(**config), "vae": vae(**vae_config)}
    for part in parts.values():
        for weight in part.parameters():
            weight.data = weight.data.to(dtype)
        _fill(part.to_empty(device=device).eval())
    scheduler = diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=profile.guidance > 0)
    pipeline = getattr(diffusers, profile.pipeline)
    texts = {"text_encoder": None, "tokenizer": None}
    texts |= {} if flux2 else {"text_encoder_2": None, "tokenizer_2": None}
    extra = {"is_distilled": True} if flux2 else {}
    pipe = pipeline(scheduler=scheduler, **parts, **texts, **extra)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@torch.no_grad()
def _fill(part: Any) -> None:
    for weight in [*part.parameters(), *part.buffers()]:
        if not weight.is_floating_point():
            weight.zero_()
        elif weight.ndim > 1 and weight.is_cuda:
            weight.normal_(0, (weight.numel() / weight.shape[0]) ** -0.5)
        else:
            # Numbers for eleven billion weights are slow to draw on a CPU, and nothing measured depends on them.
            weight.fill_(1.0 if weight.ndim < 2 else 1e-3)


def _lora_layers(transformer: Any) -> list[tuple[str, Any]]:
    return [
        (name, layer)
        for name, layer in transformer.named_modules()
        if isinstance(layer, torch.nn.Linear) and name.endswith(_LORA_LAYERS)
    ]


def _lora(transformer: Any) -> list[LoraPart]:
    return [
        LoraPart("transformer", name, torch.randn(RANK, layer.in_features), torch.randn(layer.out_features, RANK), 1e-3)
        for name, layer in _lora_layers(transformer)
    ]


def _texts(pipe: Any, profile: Profile, device: str) -> dict[str, torch.Tensor]:
    config, dtype = pipe.transformer.config, pipe.vae.dtype
    tokens = (1, profile.max_sequence_length, config.joint_attention_dim)
    texts = {"prompt_embeds": torch.randn(tokens, dtype=dtype).to(device)}
    if profile.family == "flux1":
        texts["pooled_prompt_embeds"] = torch.randn(1, config.pooled_projection_dim, dtype=dtype).to(device)
    return texts


def _dtype(card: Card) -> torch.dtype:
    return torch.bfloat16 if card.is_cuda else torch.float32


def bounds(row: Row) -> dict[str, float]:
    """TFLOP/s of a square matrix product, the best of five, in bf16 and, where the card has it, in fp8."""
    side = 256 if row.tiny else 8192
    a = torch.randn(side, side, device=row.device, dtype=torch.bfloat16)
    rates = {"bf16": _rate(lambda: a @ a, side, row.device)}
    if row.device.startswith("cuda") and find_card(row.device).has_fp8:
        x, one = a.to(torch.float8_e4m3fn), torch.ones((), device=row.device)

        def product() -> torch.Tensor:
            return torch._scaled_mm(x, x.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16, use_fast_accum=True)

        rates["fp8"] = _rate(product, side, row.device)
    return rates


def _rate(product: Any, side: int, device: str) -> float:
    best = 0.0
    for _ in range(6):  # the first warms
        begin = time.perf_counter()
        for _ in range(10):
            product()
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        best = max(best, 10 * 2 * side**3 / (time.perf_counter() - begin) / 1e12)
    return best


def main(argv: list[str]) -> int:
    """Measure the row given as JSON and print what came out as JSON."""
    print(json.dumps(asdict(measure(Row(**json.loads(argv[0]))))))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
