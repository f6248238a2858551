"""Candidates, and the end of a training: the best one becomes `lora.safetensors`, in every form asked for, checked."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file
from torch import Tensor

from inference.errors import RenderError
from inference.lora.card import LoraCard, read_card
from training.job import TrainingJob
from training.local.artifacts.export import measure_effect, verify_diffusers, verify_file, write_diffusers, write_kohya
from training.local.base import Base
from training.local.judge import Judge, Score, choose
from training.local.loop import Loop
from training.local.lora_layers import ADAPTER, LoraLayers, short_names
from training.local.ranks import Ranks
from training.local.speed import eager
from training.trainer import TrainedLora

if TYPE_CHECKING:
    from inference.lora.names import Shapes

_KOHYA = "lora-comfyui.safetensors"


@dataclass(frozen=True)
class Result:
    """What was written."""

    path: Path
    card: LoraCard
    exports: tuple[Path, ...]
    reasons: tuple[str, ...]


def finished_already(job: TrainingJob) -> TrainedLora | None:
    """The result of a training that reached its end before, None otherwise."""
    if not job.lora_path.exists():
        return None
    try:
        card = read_card(job.lora_path)
    except RenderError:
        return None
    exports = tuple(path for path in (job.out / _KOHYA,) if path.exists())
    reasons = ("it was finished before: nothing is left to do",)
    return TrainedLora(job.lora_path, card, 0.0, exports=exports, reasons=reasons) if card else None


def write_candidate(job: TrainingJob, lora: LoraLayers, score: Score) -> None:
    """The better of raw and averaged weights as `candidates/step-N.safetensors`, a LoRA that loads anywhere."""
    values = short_names(lora.values(averaged=score.averaged))
    card = LoraCard(
        trigger=job.trigger, base_model=job.profile, family="", rank=job.rank, alpha=job.alpha, steps=score.step
    )
    write_diffusers(_candidate(job, score), lora, values, card)


def finish(
    job: TrainingJob,
    base: Base,
    data_sha256: str,
    lora: LoraLayers,
    shapes: "Shapes",
    scores: list[Score],
    judge: Judge,
    loop: Loop,
    ranks: Ranks,
) -> Result:
    """Choose, write, read back, compare. Rank 0 writes; every rank returns the same result.

    Raises TrainingFailed where what was written is not what was trained, or has no effect; then no `lora.safetensors`
    is left.
    """
    best, reasons = choose(scores, judge.base_loss)
    card = LoraCard(
        trigger=job.trigger,
        base_model=base.profile.repo or base.profile.name,
        base_revision=base.identity,
        family=base.profile.family,
        rank=job.rank,
        alpha=job.alpha,
        steps=best.step,
        data_sha256=data_sha256,
        recipe=job.recipe(),
    )
    exports = (job.out / _KOHYA,) if "comfyui" in job.export else ()
    if not ranks.first:
        ranks.wait()
        return Result(job.lora_path, card, exports, reasons)
    values = {n.removeprefix("transformer."): t.float() for n, t in load_file(_candidate(job, best)).items()}
    full = {name.replace(".weight", f".{ADAPTER}.weight"): tensor for name, tensor in values.items()}
    lora.load(full, full)
    effect = measure_effect(lora, _probe(judge, loop, lora))
    trial = job.out / ".lora-trial.safetensors"
    try:
        write_diffusers(trial, lora, values, card)
        off = verify_file(trial, values, job.alpha / job.rank, shapes, base.profile.family)
        odd = verify_diffusers(trial, base, lora, _probe(judge, loop, lora))
        reasons += (
            f"read back: {off:.1e} off by rounding, {odd:.1e} in diffusers; it moves the prediction by {effect:.1%}",
        )
        for path in exports:
            _export_kohya(path, values, card, shapes, base, job)
        trial.replace(job.lora_path)
    finally:
        trial.unlink(missing_ok=True)
    ranks.wait()
    return Result(job.lora_path, card, exports, reasons)


def _export_kohya(
    path: Path, values: Mapping[str, Tensor], card: LoraCard, shapes: "Shapes", base: Base, job: TrainingJob
) -> None:
    trial = path.with_name(".comfyui-trial.safetensors")
    try:
        write_kohya(trial, values, card, shapes)
        verify_file(trial, values, job.alpha / job.rank, shapes, base.profile.family)
        trial.replace(path)
    finally:
        trial.unlink(missing_ok=True)


def _candidate(job: TrainingJob, score: Score) -> Path:
    return job.out / "candidates" / f"step-{score.step:06d}.safetensors"


def _probe(judge: Judge, loop: Loop, lora: LoraLayers) -> Callable[[], Tensor]:
    def predict() -> torch.Tensor:
        tokens, text = judge.held_out[0]
        generator = torch.Generator().manual_seed(1)
        noise = torch.randn(tokens.mean.shape, generator=generator).to(tokens.mean.device)
        sigma = torch.full((1,), 0.8, device=noise.device)
        noisy = torch.lerp(tokens.mean, noise, 0.8)[None]
        with eager(lora.transformer):
            return loop.velocity(noisy, sigma, text, (tokens.rows, tokens.columns)).float()

    return predict
