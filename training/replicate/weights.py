"""Fetching what a hosted training made: its archive, the one LoRA in it, and the header of a local one.

The training is paid by then. So what is not there yet or arrives damaged is asked for again, and nothing that goes
wrong here forgets the training.
"""

import logging
import time
from pathlib import Path

from configs.sections.replicate import ReplicateSettings
from inference.errors import RenderFailed
from inference.lora.card import LoraCard, stamp
from inference.lora.file import LoraError, LoraHeader
from inference.replicate.download import Downloader
from inference.replicate.errors import BadOutput, OutputLost
from inference.replicate.jobs import ReplicateJob
from inference.replicate.retry import pause
from training.errors import TrainingFailed
from training.job import TrainingJob
from training.replicate.archive import rank_of, take_lora
from training.replicate.state import BASE, Started
from training.trainer import Status, StatusCallback

log = logging.getLogger(__name__)

_PAID = "it is already paid for: --resume fetches it again, --pay-again starts and pays for another training"
_DAMAGED = 2
"""Downloads of an archive that arrives whole and is none of ours."""


def fetch_lora(
    job: TrainingJob,
    started: Started,
    ended: ReplicateJob,
    downloader: Downloader,
    settings: ReplicateSettings,
    tell: StatusCallback,
) -> LoraCard:
    """Download the archive of the finished training `ended` and write its LoRA to `job.lora_path`; its header.

    Raises TrainingFailed, ApiUnreachable where the archive cannot be fetched now.
    """
    weights = ended.output.get("weights") if isinstance(ended.output, dict) else None
    if not isinstance(weights, str):
        raise TrainingFailed(f"training {ended.id} ended without weights: see it at replicate.com; {_PAID}")
    archive, bare = job.out / ".weights.tar", job.out / ".weights.safetensors"
    try:
        header = _taken(weights, archive, bare, downloader, settings, tell)
        rank = rank_of(header) or job.rank
        card = LoraCard(
            trigger=job.trigger,
            base_model=BASE,
            family="flux1",
            rank=rank,
            alpha=float(rank),
            steps=job.steps,
            data_sha256=started.data_sha256,
            trainer=f"{started.trainer}:{started.version}",
            recipe=dict(started.told_inputs()),
        )
        stamp(bare, job.lora_path, card)
    except RenderFailed as error:
        raise TrainingFailed(str(error)) from error
    except (LoraError, BadOutput) as error:
        said = " ".join(str(error).split())
        raise TrainingFailed(f"the result of training {ended.id} cannot be used: {said}; {_PAID}") from error
    finally:
        archive.unlink(missing_ok=True)
        bare.unlink(missing_ok=True)
    return card


def _taken(
    weights: str, archive: Path, bare: Path, downloader: Downloader, settings: ReplicateSettings, tell: StatusCallback
) -> LoraHeader:
    """The LoRA out of the archive at `weights`, in `bare`; what is not there or damaged is asked for again."""
    ends = time.monotonic() + settings.training_deadline_s
    for earlier in range(settings.attempts):
        try:
            downloader.file(weights, archive, ends, lambda now, size: tell(megabytes(now, size, "fetching")))
            return take_lora(archive, bare)
        except (OutputLost, LoraError) as error:
            delay = pause(settings, earlier)
            most = settings.attempts if isinstance(error, OutputLost) else _DAMAGED
            if earlier + 1 >= most or time.monotonic() + delay > ends:
                raise
            log.info("%s; trying again in %.1f s", error, delay)
            time.sleep(delay)
    raise AssertionError("the last attempt returns or raises")


def megabytes(now: int, size: int, stage: str) -> Status:
    """How far a transfer is."""
    return Status(f"{stage} (MB)", now // 1_000_000, max(1, size // 1_000_000))
