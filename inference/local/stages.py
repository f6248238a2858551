"""What making a model ready is at: each stage told as it begins, and a long one again in the log while it lasts."""

import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

log = logging.getLogger(__name__)

StageCallback = Callable[[str, int, int], None]
"""Called as (what is being done, stages done, stages in all) while a model is made ready; all done: nothing follows."""

_EVERY = 10.0
"""Seconds after which the log says again what takes so long."""


class Stages:
    """Call it with each stage's name; leaving the block tells that all is ready, or by an error that nothing follows.

    `so_far` of a stage says how far that is, and is asked again every `every` seconds, for `on_stage` as for the log.
    """

    def __init__(self, total: int, on_stage: StageCallback | None = None, every: float = _EVERY) -> None:
        self._total, self._on_stage, self._every = total, on_stage, every
        self._done = -1
        self._what = ""
        self._so_far: Callable[[], str] | None = None
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._tick, name="stages", daemon=True)

    def __call__(self, what: str, so_far: Callable[[], str] | None = None) -> None:
        """Begin a stage, which ends the one before."""
        with self._lock:
            first = not self._what
            self._what, self._so_far, self._began = what, so_far, time.monotonic()
            self._done = min(self._done + 1, self._total - 1)
            log.info("%s", what)
            self._tell(what, self._done)
        if first:
            self._clock.start()

    def end(self, *, ready: bool = True) -> None:
        """No stage lasts any longer. Repeatable."""
        if self._ended.is_set() or not self._what:
            return
        self._ended.set()
        self._clock.join()
        self._tell("ready" if ready else self._what, self._total)

    def _tell(self, what: str, done: int) -> None:
        if self._on_stage is not None:
            self._on_stage(what, done, self._total)

    def _tick(self) -> None:
        while not self._ended.wait(self._every):
            with self._lock:
                what = self._what
                if self._so_far is not None:
                    what = f"{what}, {self._so_far()}"
                    self._tell(what, self._done)
                log.info("%s: %.0f s so far", what, time.monotonic() - self._began)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(ready=error is None)
