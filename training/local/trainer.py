"""Training on this machine. Looks at the data set and the profile here, before the model libraries are loaded.

One process or several (`accelerate launch -m training.run ...`): a step's items are dealt out by rank and the gradients
summed, so the LoRA is the same at equal `batch`; only rank 0 writes. Whatever happens between two steps, `--resume`
goes on from the last checkpoint to the very weights that an unbroken run would have had.
"""

import logging
from typing import TYPE_CHECKING

from inference.models.base_weights import is_on_disk
from inference.models.profiles import Profile, base_profile
from training.dataset.captions import CaptionRule
from training.dataset.checks import load_data_set
from training.job import TrainingJob
from training.trainer import StatusCallback, TrainedLora

if TYPE_CHECKING:
    from configs.settings import Settings

log = logging.getLogger(__name__)


class LocalTrainer:
    """Trains on this machine's cards, or its CPU. Keeps nothing between two trainings."""

    def __init__(self, settings: "Settings") -> None:
        self._token = settings.secrets.hf_token.get_secret_value()

    def train(self, job: TrainingJob, on_status: StatusCallback | None = None) -> TrainedLora:
        """See `Trainer.train`."""
        profile = base_profile(job.profile)
        data = load_data_set(job.data, CaptionRule(job.trigger, job.base_prompt, job.style_words))
        _say_download(profile)
        from training.local.training import train_here

        return train_here(job, data, profile, self._token, on_status)


def _say_download(profile: Profile) -> None:
    """Tell at once what the long silence is that follows: the model libraries' loading, then gigabytes."""
    if profile.repo and not is_on_disk(profile):
        log.info("%s is not on this disk: asking the Hub for %s", profile.title, profile.repo)
