"""The processes of one training, one or several: who writes, adding up over all of them, and waiting for each other.

Started by `accelerate launch -m training.run ...`, each process trains a share of every step. The launcher ends all of
them when one ends badly. With one process nothing here costs anything.
"""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TypeVar

import torch
from torch import Tensor

from training.errors import InvalidJob, TrainingFailed

log = logging.getLogger(__name__)
T = TypeVar("T")
# The others wait while the first encodes, draws samples and writes. One that is dead is noticed by the launcher.
_PATIENCE = timedelta(hours=12)


class Ranks:
    """This process among all of the training. `index` counts from 0; `first` is the one that writes."""

    def __init__(self, device: torch.device) -> None:
        from accelerate import Accelerator
        from accelerate.utils import InitProcessGroupKwargs

        if device.index is not None:
            torch.cuda.set_device(device)
        timeout = InitProcessGroupKwargs(timeout=_PATIENCE)
        self._accelerator = Accelerator(cpu=device.type == "cpu", kwargs_handlers=[timeout])
        self.device: torch.device = self._accelerator.device
        self.index: int = self._accelerator.process_index
        self.count: int = self._accelerator.num_processes
        self.first = self.index == 0
        if self.count == 1 and os.environ.get("ACCELERATE_USE_CPU") == "True" and "MASTER_PORT" in os.environ:
            log.warning(
                "accelerate launch --cpu starts one process, however many are asked for: --multi_gpu starts all"
            )

    def share(self, batch: int) -> int:
        """Pictures a step for each process. Raises InvalidJob where `batch` cannot be dealt out evenly."""
        if batch % self.count:
            raise InvalidJob(
                f"training.batch = {batch} cannot be divided among {self.count} processes: "
                f"make it a multiple of {self.count}"
            )
        return batch // self.count

    def sum(self, value: Tensor) -> Tensor:
        """`value` added up over all processes. Raises TrainingFailed where one has ended."""
        return self._with_all(lambda: self._accelerator.reduce(value, "sum")) if self.count > 1 else value

    def wait(self) -> None:
        """Wait for all processes. Raises TrainingFailed where one has ended."""
        if self.count > 1:
            self._with_all(self._accelerator.wait_for_everyone)

    @contextmanager
    def first_before_others(self) -> Iterator[None]:
        """The first does the work and fills the cache; the others wait and then find everything there."""
        if not self.first:
            self.wait()
        yield
        if self.first:
            self.wait()

    def close(self) -> None:
        """All are done: let go of the connections between them."""
        if self.count > 1:
            self._accelerator.end_training()

    def _with_all(self, exchange: Callable[[], T]) -> T:
        try:
            return exchange()
        except RuntimeError as error:  # gloo has no kind of its own
            raise TrainingFailed("another process of this training has ended; go on with --resume") from error
