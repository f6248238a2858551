"""A training step on the pretended card: bytes at the peak, by plan and size. A process of its own for each model.

    python -m benchmarks.memory.training flux-dev bf16,checkpointing 512,1024 [DOUBLE,SINGLE]

Prints a JSON object a row. Every block of a kind keeps the same, so two depths of each kind give any depth; the real
depth is simulated where none is given.
"""

import json
import sys
import time
import warnings
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.card.fake_card import fake_card, prepare

RANK = 16  # the recipe's ([training] in configs/badge.toml)


def simulate(profile_name: str, kind: str, size: int, depth: tuple[int, int] | None) -> dict[str, Any]:
    """Peak bytes of the second step (the first makes the optimizer's moments), within `fake_card`."""
    import torch

    from benchmarks.gpu.models import base_of, transformer_config
    from configs import default_settings
    from inference.models.family import Text, Tokens
    from inference.models.profiles import load_profile
    from training.job import make_job
    from training.local.loop import Loop, Material, make_optimizer, uncast_inputs
    from training.local.lora_layers import LoraLayers
    from training.local.sampler import Sampler
    from training.local.speed import speed_up

    profile = load_profile(profile_name)
    settings = default_settings()
    job = make_job(
        settings.training, settings.prompt, data=Path("none"), out=Path("none"), profile=profile_name, rank=RANK
    )
    with fake_card() as count:
        device = torch.device("cuda:0")
        transformer = _transformer(profile, transformer_config(profile, tiny=False), depth, device)
        if kind in ("int8", "nf4"):
            _quantize(transformer, kind)
        base = base_of(profile)
        lora = LoraLayers(transformer, rank=RANK, alpha=RANK, targets=base.targets, seed=0)
        lora.to(device)
        if kind != "bf16":
            transformer.enable_gradient_checkpointing()
        speed_up(transformer, device, compiled=False)
        side, config, length = size // base_grain(profile), transformer.config, profile.max_sequence_length
        mean = torch.randn(side * side, config.in_channels, device=device)
        embeds = torch.randn(1, length, config.joint_attention_dim, device=device, dtype=torch.bfloat16)
        pooled = torch.randn(1, 768, device=device, dtype=torch.bfloat16) if profile.family == "flux1" else None
        text = Text(embeds, pooled)
        material = Material({(0, 0, False): Tokens(mean, torch.zeros_like(mean), side, side)}, [text], text, [])
        ranks: Any = SimpleNamespace(device=device, index=0, count=1, first=True, sum=lambda value: value)
        weights = count.now["cuda"]
        loop = Loop(job, base, lora, make_optimizer(lora, job), material, Sampler((1,), 1, 0), ranks)
        with uncast_inputs(transformer):
            loop.step(0)
            count.reset()
            waits = count.waits
            loop.step(1)
        return {
            "profile": profile_name, "kind": kind, "size": size, "depth": depth, "tokens": side * side + length,
            "weights": weights, "peak": count.card, "waits": count.waits - waits,
            "lora": sum(p.numel() for p in lora.raw),
        }  # fmt: skip


def base_grain(profile: Any) -> int:
    """Pixels a token's side."""
    return 16


def _transformer(profile: Any, config: dict[str, Any], depth: tuple[int, int] | None, device: Any) -> Any:
    import diffusers
    import torch

    if depth is not None:
        config |= {"num_layers": depth[0], "num_single_layers": depth[1]}
    model = diffusers.Flux2Transformer2DModel if profile.family == "flux2" else diffusers.FluxTransformer2DModel
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            return model(**config).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(before)


def _quantize(transformer: Any, kind: str) -> None:
    """Every linear as bitsandbytes holds it: its own classes cannot be pretended, so stand-ins take as many bytes.

    nf4: 4 bits and a 32-bit scale for 64 values, a 16-bit copy for each product. int8: 8 bits and a scale a row, the
    input in 8 bits, sums in 32 bits; a 16-bit copy of the weight on the way back.
    """
    import torch

    class Product(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, weight: Any, out: int) -> Any:
            ctx.weight, ctx.shape = weight, (out, x.shape[-1])
            x = x.to(torch.bfloat16)
            if kind == "nf4":
                return x @ torch.empty(ctx.shape, dtype=torch.bfloat16, device=x.device).t()
            small = x.to(torch.int8)
            sums = torch.empty(*x.shape[:-1], out, dtype=torch.int32, device=x.device)
            result = sums.to(torch.bfloat16)
            del small, sums
            return result

        @staticmethod
        def backward(ctx: Any, gradient: Any) -> Any:
            weight = torch.empty(ctx.shape, dtype=torch.bfloat16, device=gradient.device)
            return gradient.to(torch.bfloat16) @ weight, None, None

    class Quantized(torch.nn.Linear):
        def __init__(self, linear: torch.nn.Linear) -> None:
            super().__init__(linear.in_features, linear.out_features, bias=False, device="meta")
            count, device = linear.weight.numel(), linear.weight.device
            shape = (count // 2,) if kind == "nf4" else tuple(linear.weight.shape)
            self.weight = torch.nn.Parameter(torch.empty(shape, dtype=torch.int8, device=device), requires_grad=False)
            scales = count // 64 if kind == "nf4" else linear.out_features
            self.register_buffer("scales", torch.empty(scales, dtype=torch.float32, device=device))
            self.bias = linear.bias

        def forward(self, x: Any) -> Any:
            product = Product.apply(x, self.weight, self.out_features)
            return product if self.bias is None else product + self.bias.to(product.dtype)

    for name, layer in list(transformer.named_modules()):
        if type(layer) is torch.nn.Linear:
            transformer.set_submodule(name, Quantized(layer))


def main(argv: list[str]) -> int:
    """Simulate, a row a line."""
    warnings.filterwarnings("ignore")
    prepare()
    depths = [tuple(int(n) for n in each.split(",")) for each in argv[3:]] or [None]
    for size in argv[2].split(","):
        for kind in argv[1].split(","):
            for depth in depths:
                began = time.monotonic()
                row = simulate(argv[0], kind, int(size), depth)  # type: ignore[arg-type]
                print(json.dumps(row | {"seconds": round(time.monotonic() - began, 1)}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
