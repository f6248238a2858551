"""A second generator for when the first cannot draw: only `BackendUnavailable` falls back, and a warning says so."""

import logging
from collections.abc import Callable, Sequence

from inference.errors import BackendUnavailable, NotUnderstood
from inference.generator import Generator, Wrapper
from inference.types import Portrait, PortraitRequest, StepCallback

log = logging.getLogger(__name__)


class FallbackGenerator(Wrapper):
    """Asks `first`; where that is unavailable, asks `second`. The portrait says which of them drew it."""

    def __init__(
        self,
        first: Generator,
        second: Generator,
        name: str = "the second generator",
        reword: Callable[[PortraitRequest], PortraitRequest] = lambda request: request,
    ) -> None:
        """`name` is what the log calls `second`; `reword` puts a request that was meant for `first` into its words."""
        super().__init__(first)
        self._second = second
        self._name = name
        self._reword = reword

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        try:
            super().prepare(prompts)
        except BackendUnavailable as error:
            log.warning("%s; %s draws instead", error, self._name)
            self._second.prepare(prompts)

    def warm(self) -> None:
        try:
            super().warm()
        except BackendUnavailable as error:
            log.warning("%s; %s draws instead", error, self._name)
            self._second.warm()

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        try:
            return super().generate(request, on_step)
        except BackendUnavailable as error:
            log.warning("%s; %s draws instead", error, self._name)
            return self._instead(request, on_step, error)

    def _instead(self, request: PortraitRequest, on_step: StepCallback | None, why: BackendUnavailable) -> Portrait:
        """Ask the second, once: where that cannot draw either, the error has both reasons."""
        try:
            return self._second.generate(self._reword(request), on_step)
        except (BackendUnavailable, NotUnderstood) as error:
            raise BackendUnavailable(f"{why}; and then: {error}") from error

    def close(self) -> None:
        super().close()
        self._second.close()
