"""How errors end the commands of this package, for `configs.console.run_command`."""

from configs import ConfigError
from configs.console import BAD_INPUT, FAILED
from inference.errors import InvalidRequest, RenderError
from training.errors import InvalidJob, TrainingError

EXIT_CODES: dict[type[Exception], int] = {
    ConfigError: BAD_INPUT,
    InvalidJob: BAD_INPUT,
    InvalidRequest: BAD_INPUT,
    TrainingError: FAILED,
    RenderError: FAILED,
}
"""Subclasses before what they derive from."""
