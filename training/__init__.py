"""Training the style: pictures in, a LoRA file out. Importing this loads no model library."""

from typing import TYPE_CHECKING

from configs.faces import lazily

if TYPE_CHECKING:
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
else:
    __getattr__, __dir__ = lazily(
        __name__,
        {
            "inference.lora.card": ["LoraCard"],
            "training.choice": ["open_trainer"],
            "training.errors": [
                "DataSetError",
                "InvalidJob",
                "ResumeRefused",
                "TrainerUnavailable",
                "TrainingError",
                "TrainingFailed",
                "TrainingInterrupted",
            ],
            "training.job": ["TrainingJob", "make_job"],
            "training.trainer": ["Status", "TrainedLora", "Trainer"],
        },
    )

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
