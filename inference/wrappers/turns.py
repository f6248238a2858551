"""More calls than drawings at once: while one portrait is drawn, the badge before it gets its banner and its file."""

import threading

from inference.generator import Generator, Wrapper
from inference.types import Portrait, PortraitRequest, StepCallback


class Turns(Wrapper):
    """The generator behind it, called as often at once as it draws in parallel; who comes later waits for a turn."""

    def __init__(self, inner: Generator) -> None:
        super().__init__(inner)
        self._drawing = 0
        self._ended = threading.Condition()

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        with self._ended:
            self._ended.wait_for(lambda: self._drawing < max(1, self.inner.parallel))
            self._drawing += 1
        try:
            if on_step is not None:
                on_step(0, 0)  # before anything is begun, or paid: it may have been stopped while it waited
            return self.inner.generate(request, on_step)
        finally:
            with self._ended:
                self._drawing -= 1
                self._ended.notify_all()
