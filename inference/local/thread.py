"""One thread for everything that touches a model: loading, warming, drawing, changing the LoRA.

torch keeps the compiler's settings by thread, so what one thread tuned and compiled while loading, another would not
find when it draws; and a pipeline is not made for two threads anyway.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


class ModelThread:
    """Does work in a thread of its own, one piece after another; a piece that asks for more work does it at once."""

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None
        self._name = ""
        self._lock = threading.Lock()
        self.interrupted = threading.Event()
        """Set while a caller that was interrupted (Ctrl-C) waits for its work to notice and end."""

    def do(self, work: Callable[[], _T]) -> _T:
        """What `work` returns or raises."""
        if threading.current_thread().name == self._name:
            return work()
        with self._lock:
            if self._pool is None:
                self._name = f"model-{id(self)}"
                self._pool = ThreadPoolExecutor(1, initializer=self._call_me_so)
            future = self._pool.submit(work)
        try:
            return future.result()
        except BaseException:
            if not future.done():  # we were interrupted, not the work
                self.interrupted.set()
                future.cancel()
                try:
                    future.exception()
                finally:
                    self.interrupted.clear()
            raise

    def end(self) -> None:
        """Let the thread go; later work begins another."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def _call_me_so(self) -> None:
        threading.current_thread().name = self._name
