"""What a training is going to do, in one screen before it begins: pictures, steps, memory, files; no minutes."""

import math

from training.dataset.checks import counted
from training.dataset.folder import shown
from training.dataset.pictures import DataSet
from training.job import TrainingJob
from training.local.base import Base
from training.local.material.buckets import usable_sizes
from training.local.memory_plan import GIB, MemoryPlan, lora_parameters
from training.local.prepare import split

_FILE, _CHECKPOINT = 2, 16
"""Bytes a LoRA value in a file (16 bits), and in a checkpoint (fp32: itself, its average, two moments)."""


def outline(job: TrainingJob, data: DataSet, base: Base, plan: MemoryPlan, memory: tuple[int, str]) -> list[str]:
    """The lines, at most 120 characters each as far as names allow; `memory` as `device.memory_of` gives it."""
    trained, held = split(data, job.held_out)
    judges = f"{len(held)} of them judge the checkpoints and are not trained on"
    if held == trained:
        judges = "all are trained on and judge the checkpoints"
    things = len({picture.thing for picture in data.pictures if picture.thing})
    variants = sum(len(usable_sizes(p.width, p.height, job.resolutions, base.grain)) for p in trained)
    times = max(1, math.floor(job.steps * job.batch * (1 - job.preserve) / variants))
    sizes = ", ".join(map(str, job.resolutions))
    available, name = memory
    lines = [
        f"pictures  {len(data.pictures)} of {counted(things, 'object')} from {shown(data.folder)}; {judges}",
        f"base      {base.profile.title}; trigger {job.trigger}, a LoRA of rank {job.rank}",
        f"steps     {job.steps} of {counted(job.batch, 'picture')}: each about {times} times at each size, {sizes} px",
        f"memory    {plan.line().removeprefix('plan: ')}; {name} has {available / GIB:.1f} GB",
        "time      measured, not guessed: minutes are named after ten measured steps",
        f"writes    into {shown(job.out)} and nowhere else:",
    ]
    rows = [("lora.safetensors", f"the result: the best of the candidates{_size(job, base, _FILE)}")]
    if "comfyui" in job.export:
        rows.append(("lora-comfyui.safetensors", f"the same for ComfyUI{_size(job, base, _FILE)}"))
    rows.append(("candidates/", f"a LoRA every {job.save_every} steps{_size(job, base, _FILE)} each"))
    rows.append(("checkpoints/", f"for --resume; the last two are kept{_size(job, base, _CHECKPOINT)} each"))
    if job.sample_every and job.sample_objects:
        badges = f"{counted(len(job.sample_objects), 'badge')} before the first step and every {job.sample_every} steps"
        rows.append(("samples.html, samples/", f"{badges}; each new one is named here"))
    rows.append(("loss.png, loss.csv, scores.csv", "losses, and the scores of the checkpoints"))
    rows.append(("job.json, cache/", "what --resume compares; encoded pictures and captions"))
    lines += [f"            {name:<32}{what}" for name, what in rows]
    return [*lines, "stopping  Ctrl-C saves within a step; the same command with --resume goes on"]


def _size(job: TrainingJob, base: Base, each: int) -> str:
    """ ", 130 MB"; "" where the job chooses layers of its own."""
    if job.targets:
        return ""
    size = lora_parameters(base.size, job.rank) * each
    return f", {size / 1e9:.1f} GB" if size >= 1e9 else f", {max(1, round(size / 1e6))} MB"
