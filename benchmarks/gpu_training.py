"""Full-size FLUX.1-dev training on one card, random weights made on it: `python -m benchmarks.gpu_training`.

For the bf16 plans, without and with checkpointing, and each size: seconds a step, peak memory, predicted peak, and the
minutes that the 1000-step recipe would take. Begins nothing new after 7.5 minutes. `--tiny` runs the same program at
tiny scale on a CPU. No download; random weights say nothing about quality.
"""

import argparse
import gc
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from configs import default_settings
from inference.models.profiles import Profile
from training.job import TrainingJob, make_job
from training.local.base import Text, Tokens
from training.local.base_flux1 import Flux1
from training.local.loop import Loop, Material, make_optimizer, uncast_inputs
from training.local.lora_layers import LoraLayers
from training.local.memory_plan import FLUX1, GIB, MemoryPlan, ModelSize, make_plan
from training.local.ranks import Ranks
from training.local.sampler import Sampler

SIZES, WARM, STEPS, LIMIT = (512, 768, 1024), 4, 10, 450
TINY = {
    "num_layers": 1, "num_single_layers": 2, "attention_head_dim": 16, "num_attention_heads": 2, "in_channels": 64,
    "joint_attention_dim": 32, "pooled_projection_dim": 16, "guidance_embeds": True, "axes_dims_rope": (4, 6, 6),
}  # fmt: skip
FULL = {"guidance_embeds": True, "in_channels": 64}


@dataclass(frozen=True)
class Row:
    """One plan at one size."""

    plan: str
    size: int
    seconds: float
    peak: int
    predicted: int


def main(argv: list[str] | None = None) -> int:
    """Print the table; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu_training", description=__doc__.split("\n")[0])
    parser.add_argument("--tiny", action="store_true", help="tiny scale, on a CPU too")
    args = parser.parse_args(argv)
    if not args.tiny and not torch.cuda.is_available():
        print("error: no CUDA card here; --tiny shows that the program runs", file=sys.stderr)
        return 2
    device = torch.device("cuda" if torch.cuda.is_available() and not args.tiny else "cpu")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{'tiny FLUX' if args.tiny else 'FLUX.1-dev'}, random weights, batch 1, {name}, torch {torch.__version__}\n")
    print("| plan | size | s a step | peak GB | predicted GB | minutes for 1000 |\n|---|---|---|---|---|---|")
    started = time.monotonic()
    found: list[Row] = []
    for kind in ("bf16", "checkpointing"):
        found += _plan_rows(kind, device, args.tiny, started)
    for kind in dict.fromkeys(row.plan for row in found):
        each = [row.seconds for row in found if row.plan == kind]
        if len(each) == len(SIZES):
            minutes = sum(each) / len(each) * 1000 / 60
            print(f"| {kind} | mixed | {sum(each) / len(each):.3f} | | | {minutes:.1f} |")
    return 0


def _plan_rows(kind: str, device: torch.device, tiny: bool, started: float) -> list[Row]:
    """All sizes of one plan. A size that does not fit is said and left out."""
    rows: list[Row] = []
    transformer = _transformer(device, tiny)
    base = _RandomBase()
    job = _job(tiny)
    lora = LoraLayers(transformer, rank=job.rank, alpha=job.alpha, targets=base.targets, seed=0)
    lora.to(device)
    if kind == "checkpointing":
        transformer.enable_gradient_checkpointing()
    if device.type == "cuda":
        transformer.compile_repeated_blocks()
    for size in SIZES:
        if time.monotonic() - started > LIMIT:
            print(f"| {kind} | {size} | not measured: time is up | | | |")
            continue
        plan = make_plan(_size(transformer, tiny), 0, resolutions=(size,), batch=1, rank=job.rank, wanted=kind)
        try:
            row = _row(plan, size, device, base, job, lora, tiny)
        except torch.OutOfMemoryError:
            print(f"| {kind} | {size} | out of memory | | {plan.peak / GIB:.1f} | |")
            torch.cuda.empty_cache()
            continue
        rows.append(row)
        minutes = row.seconds * 1000 / 60
        print(
            f"| {kind} | {size} | {row.seconds:.3f} | {row.peak / GIB:.1f} | {row.predicted / GIB:.1f} "
            f"| {minutes:.1f} |"
        )
    del transformer, lora
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
    return rows


def _row(
    plan: MemoryPlan, size: int, device: torch.device, base: Flux1, job: TrainingJob, lora: LoraLayers, tiny: bool
) -> Row:
    side = size // 16 if not tiny else size // 128
    config = lora.transformer.config
    kind = lora.transformer.dtype
    channels, length = config.in_channels, 32 if tiny else 512
    tokens = Tokens(
        torch.randn(side * side, channels, device=device), torch.zeros(side * side, channels, device=device), side, side
    )
    text = Text(
        torch.randn(1, length, config.joint_attention_dim, device=device, dtype=kind),
        torch.randn(1, config.pooled_projection_dim, device=device, dtype=kind),
    )
    optimizer = make_optimizer(lora, job)
    loop = Loop(
        job,
        base,
        lora,
        optimizer,
        Material({(0, 0, False): tokens}, [text], text, []),
        Sampler((1,), 1, 0),
        Ranks(device),
    )
    with uncast_inputs(lora.transformer):
        for step in range(WARM):
            loop.step(step)
        loop.read_loss()
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        began = time.perf_counter()
        for step in range(WARM, WARM + STEPS):
            loop.step(step)
        loop.read_loss()
        seconds = (time.perf_counter() - began) / STEPS
    peak = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else 0
    return Row(plan.kind, size, seconds, peak, plan.peak)


class _RandomBase(Flux1):
    """FLUX.1's arithmetic without its weights on disk."""

    def __init__(self) -> None:
        super().__init__(
            Profile(
                name="random",
                title="random FLUX",
                repo="none/none",
                pipeline="FluxPipeline",
                family="flux1",
                steps=28,
                guidance=3.5,
                width=1024,
                height=1024,
                max_sequence_length=512,
                licence="none",
            )
        )


def _transformer(device: torch.device, tiny: bool) -> Any:
    """Random weights, made where they are used."""
    from diffusers import FluxTransformer2DModel

    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32 if tiny else torch.bfloat16)
    try:
        with torch.device(device):
            return FluxTransformer2DModel(**(TINY if tiny else FULL)).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(before)


def _size(transformer: Any, tiny: bool) -> ModelSize:
    if not tiny:
        return FLUX1
    return ModelSize(sum(p.numel() for p in transformer.parameters()), 32, 3, 32, grain=128)


def _job(tiny: bool) -> TrainingJob:
    settings = default_settings()
    return make_job(
        settings.training,
        settings.prompt,
        data=Path("none"),
        out=Path("none"),
        profile="flux-dev",
        steps=1000,
        rank=4 if tiny else 16,
    )


if __name__ == "__main__":
    sys.exit(main())
