"""A training in this process."""

from configs import default_settings
from tests.training.pictures import job_for
from training.local.trainer import LocalTrainer
from training.trainer import TrainedLora


def train(on_status: object = None, **values: object) -> TrainedLora:
    return LocalTrainer(default_settings()).train(job_for(**values), on_status)  # type: ignore[arg-type]
