"""Training the style: pictures in, a LoRA file out. Importing this loads no model library."""

from inference.lora.card import LoraCard
from training.choice import open_trainer
from training.errors import (
    DataSetError,
    InvalidJob,
    ResumeRefused,
    TrainerUnavailable,
    TrainingError,
    TrainingFailed,
    TrainingInterrupted,
)
from training.job import TrainingJob, make_job
from training.trainer import Status, TrainedLora, Trainer

__all__ = [
    "DataSetError",
    "InvalidJob",
    "LoraCard",
    "ResumeRefused",
    "Status",
    "TrainedLora",
    "Trainer",
    "TrainerUnavailable",
    "TrainingError",
    "TrainingFailed",
    "TrainingInterrupted",
    "TrainingJob",
    "make_job",
    "open_trainer",
]
