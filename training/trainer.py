"""The one interface of everything that trains a style: `local/` on this machine, `replicate/` elsewhere."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from inference.lora.card import LoraCard
from training.job import TrainingJob


@dataclass(frozen=True)
class Status:
    """Where a training stands. `stage` is a word for people; losses are None between two readings of the card, and
    `seconds_left` until enough was measured. `sample` is the newest picture drawn by what is being trained."""

    stage: str
    step: int
    steps: int
    loss: float | None = None
    average_loss: float | None = None
    seconds_a_step: float | None = None
    seconds_left: float | None = None
    sample: Path | None = None


StatusCallback = Callable[[Status], None]
"""Called after each step (and poll). What it raises stops the training once the state is saved, and passes on."""


@dataclass(frozen=True)
class TrainedLora:
    """A finished LoRA: its file, what its header says, the other forms written, time and money, and why this one."""

    path: Path
    card: LoraCard
    seconds: float
    cost_usd: float = 0.0
    exports: tuple[Path, ...] = ()
    hosted_model: str = ""
    reasons: tuple[str, ...] = field(default=())


class Trainer(Protocol):
    """Trains LoRAs."""

    def train(self, job: TrainingJob, on_status: StatusCallback | None = None) -> TrainedLora:
        """Train `job` to the end, going on from its saved state where `job.resume` says so.

        Writes only under `job.out`. Raises InvalidJob before anything is written where the job cannot be done, and
        TrainerUnavailable, TrainingFailed or what `on_status` raised.
        """
        ...
