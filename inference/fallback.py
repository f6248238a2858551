"""A second generator for when the first cannot draw: only `BackendUnavailable` hands over, and it is said aloud."""

import logging
from collections.abc import Sequence

from inference.errors import BackendUnavailable
from inference.generator import Generator, GeneratorBase
from inference.types import ModelInfo, Portrait, PortraitRequest, StepCallback

log = logging.getLogger(__name__)


class FallbackGenerator(GeneratorBase):
    """Asks `first`; where that is unavailable, asks `second`. The portrait says which of them drew it."""

    def __init__(self, first: Generator, second: Generator) -> None:
        self._first = first
        self._second = second

    @property
    def model(self) -> ModelInfo:
        return self._first.model

    @property
    def parallel(self) -> int:
        return self._first.parallel

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        try:
            self._first.prepare(prompts)
        except BackendUnavailable as error:
            log.warning("%s; %s draws instead", error, self._second.model.generator)
            self._second.prepare(prompts)

    def warm(self) -> None:
        try:
            self._first.warm()
        except BackendUnavailable as error:
            log.warning("%s; %s draws instead", error, self._second.model.generator)
            self._second.warm()

    def key(self, request: PortraitRequest) -> str:
        return self._first.key(request)

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        try:
            return self._first.generate(request, on_step)
        except BackendUnavailable as error:
            log.warning("%s; %s draws instead", error, self._second.model.generator)
            return self._second.generate(request, on_step)

    def close(self) -> None:
        self._first.close()
        self._second.close()
