"""One base model trained in several ways, in a process of its own: `python -m benchmarks.gpu.training JOB`.

Ways are plans (`bf16`, `checkpointing`), or `diffusers` for the documented recipe's step: eager, default attention,
PEFT's input cast. Each is measured at 512, 768 and 1024 pixels, batch 1, rank 16, by the trainer's own loop.
"""

import sys
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from benchmarks.gpu.models import RANK, base_of, random_transformer
from benchmarks.gpu.worker import Worker, job_from, versions
from configs import default_settings
from inference.models.family import Text, Tokens
from inference.models.profiles import load_profile
from training.job import TrainingJob, make_job
from training.local.loop import Loop, Material, make_optimizer, uncast_inputs
from training.local.lora_layers import LoraLayers
from training.local.memory_plan import FLUX1, FLUX2_KLEIN_4B, BaseShape, make_plan
from training.local.sampler import Sampler
from training.local.speed import speed_up

SIZES = (512, 768, 1024)  # the recipe's
WARM, STEPS = 3, 8  # steps before and while it is timed; by hand: more take longer and vary less
# What the first size takes, which compiles, and each further one.
_FIRST_S, _NEXT_S = 35.0, 15.0


class Training:
    """Measures plans of one base model on one card. A row for each size, told as soon as it is there."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self._job = worker, worker.job
        self._profile = load_profile(worker.job.profile)
        self._base = base_of(self._profile)
        self._device = torch.device(worker.job.device)
        name = torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else "CPU"
        worker.tell("card", name=name, versions=versions())

    def measure(self, way: str) -> dict[str, Any]:
        """Tells a row a size; returns the row of the mixed recipe."""
        device, tiny = self._device, self._job.tiny
        kind, _, wanted = way.partition("@")
        sizes = (int(wanted),) if wanted else SIZES
        plain = kind == "diffusers"
        transformer = random_transformer(self._profile, str(device), str(device), tiny=tiny)
        transformer.set_attention_backend("native")
        job = _job(self._profile.name, tiny)
        lora = LoraLayers(transformer, rank=job.rank, alpha=job.alpha, targets=self._base.targets, seed=0)
        lora.to(device)
        if kind == "checkpointing":
            transformer.enable_gradient_checkpointing()
        if not plain:
            speed_up(transformer, device, compiled=self._job.compiled)
        found = []
        with nullcontext() if plain else uncast_inputs(transformer):
            for size in sizes:
                least = 0.0 if tiny else _NEXT_S if found or plain else _FIRST_S
                if self._worker.left < least:
                    self._worker.tell("row", way=f"{kind} {size}", problem="no time left")
                    continue
                row = self._size(job, lora, kind, size)
                found.append(row["seconds"])
                self._worker.tell("row", way=f"{kind} {size}", **row)
        if len(found) < len(SIZES):
            return {"part": True}
        return {"seconds": sum(found) / len(found), "mixed": True}

    def _size(self, job: TrainingJob, lora: LoraLayers, kind: str, size: int) -> dict[str, Any]:
        began = time.perf_counter()
        loop = self._loop(job, lora, size)
        for step in range(WARM):
            loop.step(step)
        loop.read_loss()
        setup = time.perf_counter() - began
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
        with self._worker.alone():
            begin = time.perf_counter()
            for step in range(WARM, WARM + STEPS):
                loop.step(step)
            loss = loop.read_loss()
            seconds = (time.perf_counter() - begin) / STEPS
        plan = make_plan(
            self._size_of(lora.transformer), 0, resolutions=(size,), batch=1, rank=job.rank,
            wanted="bf16" if kind == "diffusers" else kind, compiled=self._job.compiled and kind != "diffusers",
        )  # fmt: skip
        peaks = {}
        if self._device.type == "cuda":
            peaks["allocated"] = torch.cuda.max_memory_allocated(self._device)
            peaks["reserved"] = torch.cuda.max_memory_reserved(self._device)
        graphs = torch._dynamo.utils.counters["stats"].get("unique_graphs", 0)
        note = f"{graphs} graphs" + ("" if loss == loss else ", LOSS IS NOT A NUMBER")
        return {"seconds": seconds, "setup": setup, "predicted": plan.peak, "note": note, **peaks}

    def _loop(self, job: TrainingJob, lora: LoraLayers, size: int) -> Loop:
        device, config = self._device, lora.transformer.config
        side = size // 16 if not self._job.tiny else size // 128
        kind, length = lora.transformer.dtype, 32 if self._job.tiny else 512
        mean = torch.randn(side * side, config.in_channels, device=device)
        text = torch.randn(1, length, config.joint_attention_dim, device=device, dtype=kind)
        pooled = None
        if self._profile.family == "flux1":
            pooled = torch.randn(1, config.pooled_projection_dim, device=device, dtype=kind)
        caption = Text(text, pooled)
        material = Material({(0, 0, False): Tokens(mean, torch.zeros_like(mean), side, side)}, [caption], caption, [])
        ranks: Any = SimpleNamespace(device=device, index=0, count=1, first=True, sum=lambda value: value)
        return Loop(job, self._base, lora, make_optimizer(lora, job), material, Sampler((1,), 1, 0), ranks)

    def _size_of(self, transformer: Any) -> BaseShape:
        if not self._job.tiny:
            return replace(self._full, text_tokens=512)
        count = sum(p.numel() for p in transformer.parameters())
        return BaseShape(count, 64, 1, 2, 32, self._full.kept, grain=128)

    @property
    def _full(self) -> BaseShape:
        return FLUX2_KLEIN_4B if self._profile.family == "flux2" else FLUX1


def _job(profile: str, tiny: bool) -> TrainingJob:
    settings = default_settings()
    return make_job(
        settings.training, settings.prompt, data=Path("none"), out=Path("none"), profile=profile, steps=1000,
        rank=4 if tiny else RANK,
    )  # fmt: skip


def main(argv: list[str]) -> int:
    """Measure the job given as JSON."""
    worker = Worker(job_from(argv[0]))
    worker.each(Training(worker).measure, lambda _way: 0.0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
