"""What the tests of training at Replicate share: a trained LoRA as it is served, a job, a trainer."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from configs import default_settings
from inference.replicate.ledger import Ledger, Limits
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import quick
from training.errors import TrainingInterrupted
from training.job import TrainingJob, make_job
from training.replicate.trainer import ReplicateTrainer
from training.trainer import Status

DESTINATION = "owner/samurai-badge-lora"
RUN = ("starting", "processing", "processing 400/1000", "processing 1000/1000", "succeeded")
Members = dict[str, bytes]
GOOD = "output/flux_train_replicate/lora.safetensors"


def lora_bytes(rank: int = 16) -> bytes:
    layer = "transformer.transformer_blocks.0.attn.to_q"
    tensors = {
        f"{layer}.lora_A.weight": np.full((rank, 32), 0.5, np.float16),
        f"{layer}.lora_B.weight": np.full((32, rank), 0.25, np.float16),
    }
    return save(tensors)


def tarred(members: Members, change: Callable[[tarfile.TarInfo], None] = lambda info: None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            change(info)
            archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return out.getvalue()


def job_for(data: Path, out: Path, **values: Any) -> TrainingJob:
    settings = default_settings()
    given = {"profile": "flux-dev", "destination": DESTINATION, **values}
    return make_job(settings.training, settings.prompt, data=data, out=out, **given)


def trainer_for(fake: FakeReplicate, data_dir: Path, **changes: Any) -> ReplicateTrainer:
    return ReplicateTrainer(quick(**changes), fake.state.token, fake.url, data_dir)


def spent(data_dir: Path) -> float:
    ledger = Ledger(data_dir / "replicate.sqlite", Limits(0, 0, 0, 0))
    month = ledger.spent()[1]
    ledger.close()
    return month


def started(fake: FakeReplicate) -> int:
    return fake.state.paid("trainings")


class StopAt:
    """A callback that asks to stop as Ctrl-C does, once `step` is reached."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, status: Status) -> None:
        if status.stage in ("training", "preparing") and status.step >= self.step:
            raise TrainingInterrupted("stopped")
