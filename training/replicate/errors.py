"""The Replicate wrapper's errors as those of `training`."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from inference.replicate.client import refusal
from inference.replicate.errors import ApiError, ApiRefused, LostAnswer
from training.errors import InvalidJob, TrainerUnavailable, TrainingFailed


@contextmanager
def translated() -> Iterator[None]:
    """The wrapper's errors as those of `training`."""
    try:
        yield
    except ApiRefused as error:
        raise InvalidJob(f"Replicate refuses the training ({refusal(error)})") from error
    except LostAnswer as error:
        raise TrainerUnavailable(f"{error}; run the same command with --resume, and nothing is paid twice") from error
    except ApiError as error:
        raise TrainerUnavailable(str(error)) from error
    except sqlite3.Error as error:
        raise TrainingFailed(f"cannot write the ledger of Replicate jobs in data_dir: {error}") from error
    except OSError as error:
        raise TrainingFailed(f"cannot write: {error}") from error
