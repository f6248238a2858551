"""What can go wrong while a style is trained.

    TrainingError
    |- InvalidJob            the person can correct it: an option, a folder, the base model's name
    |  |- DataSetError       a picture or a caption; the message names the file
    |  |- ResumeRefused      the checkpoint belongs to another job or other pictures; says what changed
    |- TrainerUnavailable    this trainer cannot work now: no weights, no memory, Replicate down, quota
    |- TrainingFailed        training or writing failed: diverged, disk full, a LoRA without effect
    |- TrainingInterrupted   somebody asked to stop; the state is saved and `--resume` goes on

Errors of torch, diffusers, Pillow and HTTP clients are translated at the boundary with `raise ... from`. A message
is one line: what was wrong, which value, what to do next; never a token.
"""

from configs.console import BAD_INPUT, FAILED
from configs.errors import ConfigError
from inference.errors import InvalidRequest, RenderError


class TrainingError(Exception):
    """Base of all errors of `training`."""


class InvalidJob(TrainingError):
    """The job as asked for cannot be done; the message tells the person what to change."""


class DataSetError(InvalidJob):
    """A picture or caption of the data set cannot be used."""


class ResumeRefused(InvalidJob):
    """`--resume` would go on with something else than what was begun."""


class TrainerUnavailable(TrainingError):
    """The trainer cannot work at present."""


class TrainingFailed(TrainingError):
    """Training or writing its result failed."""


class TrainingInterrupted(TrainingError):
    """Raised by a status callback to stop; the trainer saves first and lets it pass."""


EXIT_CODES: dict[type[Exception], int] = {
    ConfigError: BAD_INPUT,
    InvalidJob: BAD_INPUT,
    InvalidRequest: BAD_INPUT,
    TrainingError: FAILED,
    RenderError: FAILED,
}
"""How errors end this package's commands, for `configs.console.run_command`: subclasses before their base."""
