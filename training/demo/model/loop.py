"""One training loop for every part of the demo model: steps or seconds, schedule, average of weights, checkpoints, log.

A step draws all its random numbers from a generator seeded with (seed, step), so a run of a number of steps that is
killed anywhere and started again ends with the weights of an unbroken one (a run of a number of seconds makes as many
steps as fit, and goes on likewise). A checkpoint is written aside, synced and renamed: it is whole or absent.
"""

import csv
import logging
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)
# On an AVX2-only processor a step under bf16 autocast takes 17 times as long as in fp32 (its convolutions 59 times); on
# one with bf16 instructions, half as long. `train.main` times both and sets this.
LOW_PRECISION_CPU = False


@dataclass(frozen=True)
class Schedule:
    """How long and how fast: learning rates ramp up over `warmup` steps and fall to zero from `decay_from` on.

    With `seconds` the run ends after that time instead, or at `steps` if they come first; checkpoints are written every
    `save_every` steps, but no more than once in `save_seconds`.
    """

    steps: int
    warmup: int = 50
    decay_from: float = 0.6
    ema: float = 0.0
    save_every: int = 100
    log_every: int = 25
    seed: int = 1
    seconds: float | None = None
    save_seconds: float = 0.0

    def factor(self, step: int, elapsed: float = 0.0) -> float:
        """What the learning rates are multiplied with at `step`, `elapsed` seconds after the start."""
        up = min(1.0, (step + 1) / self.warmup)
        done = step / self.steps if self.seconds is None else min(1.0, elapsed / self.seconds)
        down = 1.0
        if done >= self.decay_from:
            down = 0.5 + 0.5 * math.cos(math.pi * (done - self.decay_from) / max(1e-6, 1 - self.decay_from))
        return up * max(down, 0.01)


def device() -> torch.device:
    """The GPU when there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def low_precision(where: torch.device) -> Any:
    """bf16 autocast where it is faster than fp32: on a GPU, and on a CPU only if `LOW_PRECISION_CPU` says so."""
    return torch.autocast(where.type, torch.bfloat16, enabled=where.type == "cuda" or LOW_PRECISION_CPU)


def save_atomic(value: object, path: Path) -> None:
    """Writes with torch.save so that `path` is never half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_suffix(".part")
    with aside.open("wb") as file:
        torch.save(value, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def train(
    path: Path,
    model: nn.Module,
    optimizers: Sequence[torch.optim.Optimizer],
    loss_of: Callable[[int, torch.Generator], dict[str, Tensor]],
    plan: Schedule,
    on_save: Callable[[Any, int], None] | None = None,
    stop_at: int | None = None,
) -> nn.Module:
    """Trains `model` in place from its checkpoint at `path`, if there is one, to `plan.steps` (or `stop_at`).

    `loss_of(step, generator)` returns named losses that are summed. Returns the averaged model when `plan.ema` is set,
    else the model. The losses go to `<path>.csv`.
    """
    average = _Average(model, plan.ema) if plan.ema else None
    rates = [[group["lr"] for group in o.param_groups] for o in optimizers]
    first = _resume(path, model, optimizers, average)
    last = plan.steps if stop_at is None else min(stop_at, plan.steps)
    where = next(model.parameters()).device
    generator = torch.Generator(where)
    sums: dict[str, Tensor] = {}
    start = began = saved = time.monotonic()
    count = 0
    for step in range(first, last):
        elapsed = time.monotonic() - start
        generator.manual_seed((plan.seed << 32) + step)
        for optimizer, bases in zip(optimizers, rates, strict=True):
            for group, base in zip(optimizer.param_groups, bases, strict=True):
                group["lr"] = base * plan.factor(step, elapsed)
        losses = loss_of(step, generator)
        total = torch.stack(list(losses.values())).sum()
        ends = step + 1 == last or (plan.seconds is not None and elapsed >= plan.seconds)
        logs = (step + 1) % plan.log_every == 0 or ends
        # Reading a number waits for the GPU, so it is looked at where it is logged anyway.
        if (logs or where.type == "cpu") and not torch.isfinite(total):
            raise FloatingPointError(
                f"the loss of {path.stem} is {total.item()} at step {step}: lower the learning rate"
            )
        for optimizer in optimizers:
            optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        if average:
            average.update(model, step)
        for name, loss in losses.items():
            sums[name] = sums[name] + loss.detach() if name in sums else loss.detach()
        count += 1
        if logs:
            means = {k: float(v) / count for k, v in sums.items()}
            _report(path, step + 1, means, (time.monotonic() - began) / count)
            sums, began, count = {}, time.monotonic(), 0
        due = (step + 1) % plan.save_every == 0 and time.monotonic() - saved >= plan.save_seconds
        if due or ends:
            saved = time.monotonic()
            state: dict[str, Any] = {
                "step": step + 1,
                "model": model.state_dict(),
                "optimizers": [o.state_dict() for o in optimizers],
            }
            state["average"] = average.model.state_dict() if average else None
            save_atomic(state, path)
            if on_save:
                on_save(average.model if average else model, step + 1)
        if ends:
            break
    return average.model if average else model


class _Average:
    """Exponential moving average of the weights, with a short memory at the start."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        import copy

        self.decay = decay
        self.model = copy.deepcopy(model).eval().requires_grad_(False)

    @torch.no_grad()
    def update(self, model: nn.Module, step: int) -> None:
        decay = min(self.decay, (step + 1) / (step + 10))
        ours = [p.detach() for p in self.model.parameters()]
        torch._foreach_lerp_(ours, [p.detach() for p in model.parameters()], 1 - decay)


def _resume(path: Path, model: nn.Module, optimizers: Sequence[torch.optim.Optimizer], average: _Average | None) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, map_location=device(), weights_only=True)
    model.load_state_dict(state["model"])
    for optimizer, saved in zip(optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    if average:
        average.model.load_state_dict(state["average"])
    log.info("%s: going on from step %d", path.stem, state["step"])
    return int(state["step"])


def _report(path: Path, step: int, losses: dict[str, float], seconds: float) -> None:
    log.info(
        "%s step %d: %s, %.3f s a step", path.stem, step, ", ".join(f"{k} {v:.4f}" for k, v in losses.items()), seconds
    )
    table = path.with_suffix(".csv")
    new = not table.exists()
    with table.open("a", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(["step", *losses, "seconds_a_step"])
        writer.writerow([step, *(f"{v:.5f}" for v in losses.values()), f"{seconds:.4f}"])
