"""One portrait for all who ask for the same one at the same time: a generator in front of the generator."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from inference.errors import RenderError
from inference.generator import Generator, Wrapper
from inference.types import Portrait, PortraitRequest, StepCallback


class SharingGenerator(Wrapper):
    """Like the generator behind it, but equal requests in flight are drawn once.

    The second caller waits for the first one's portrait and gets its steps reported. If the first one is canceled or
    fails, the second draws.
    """

    def __init__(self, inner: Generator) -> None:
        super().__init__(inner)
        self._lock = threading.Lock()
        self._drawing: dict[PortraitRequest, _Drawing] = {}

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        with self._lock:
            first = self._drawing.get(request)
            mine = _Drawing()
            if first is None:
                self._drawing[request] = mine
        if first is not None:
            portrait = _wait(first, on_step)
            return portrait if portrait is not None else self.generate(request, on_step)

        def watched(done: int, steps: int) -> None:
            mine.step = (done, steps)
            if on_step is not None:
                on_step(done, steps)

        try:
            portrait = self.inner.generate(request, watched)
        except BaseException as error:
            mine.portrait.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._drawing[request]
        mine.portrait.set_result(portrait)
        return portrait


@dataclass
class _Drawing:
    """A portrait to come, and the last step that was reported."""

    portrait: Future[Portrait] = field(default_factory=Future)
    step: tuple[int, int] = (0, 0)


def _wait(first: _Drawing, on_step: StepCallback | None) -> Portrait | None:
    """The other's portrait, None where it came to nothing. `on_step` is called meanwhile, to notice a cancel too."""
    while True:
        try:
            return first.portrait.result(timeout=0.1)
        except TimeoutError:
            if first.portrait.done():
                return None
            if on_step is not None:
                on_step(*first.step)
        except RenderError:  # the other was canceled or failed; by drawing we find out ourselves
            return None


class WatchedGenerator(Wrapper):
    """A generator that tells when its portrait is there, so that the status can move on to the banner."""

    def __init__(self, inner: Generator, drawn: Callable[[Portrait], None]) -> None:
        super().__init__(inner)
        self._drawn = drawn

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        portrait = self.inner.generate(request, on_step)
        self._drawn(portrait)
        return portrait
