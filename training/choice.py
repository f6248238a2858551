"""Which trainer trains: the backend that is named, or the settings' own."""

from typing import TYPE_CHECKING

from training.trainer import Trainer

if TYPE_CHECKING:
    from configs.settings import Settings


def open_trainer(settings: "Settings", backend: str = "") -> Trainer:
    """The trainer called `backend` (`local` or `replicate`), by default the settings' own. Cheap, loads no model."""
    if (backend or settings.training.backend) == "replicate":
        from training.replicate.trainer import open_replicate_trainer

        return open_replicate_trainer(settings)
    from training.local.trainer import LocalTrainer

    return LocalTrainer(settings)
