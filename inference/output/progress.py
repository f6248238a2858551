"""Progress for people: one bar for the steps of a portrait, one for the badges of a batch, both on stderr.

Bars show only where stderr is a terminal, so that logs stay clean.
"""

import json
import sys
import threading
import time
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any, Self

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from configs.printable import is_control, printable, printable_lines

_TICK = 0.5
"""Seconds between two looks of a bar at the clock."""


class ProgressBars:
    """Two bars, the outer only for more than one badge; `step` fits as an `on_step` callback."""

    def __init__(self, badges: int, *, finished: int = 0) -> None:
        self._lock = threading.Lock()
        self._drawn: dict[int, tuple[int, int]] = {}
        self._several = badges > 1
        self._hidden = not sys.stderr.isatty()
        self._badges = self._bar("badges", badges, initial=finished, disable=self._hidden or not self._several)
        self._steps: tqdm[Any] | None = None

    def step(self, done: int, total: int, portrait: int = 0) -> None:
        """Show that `done` of `total` steps of a portrait are through; where several are drawn at once, of all of them.

        `portrait` tells those apart.
        """
        with self._lock:
            if done <= 1:  # a new portrait begins: finished ones leave the bar
                self._drawn = {key: steps for key, steps in self._drawn.items() if steps[0] < steps[1]}
            self._drawn[portrait] = (done, total)
            through, steps = map(sum, zip(*self._drawn.values(), strict=True))
            if self._steps is None:  # only now is there anything to show
                self._steps = self._bar("drawing", steps, leave=False, position=int(self._several))
            elif done <= 1 or steps != self._steps.total:
                self._steps.reset(steps)
            self._steps.update(through - self._steps.n)
            if done == total:
                self._steps.refresh()

    def badge(self) -> None:
        """Count one badge as finished."""
        self._badges.update()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._steps is not None:
            self._steps.close()
        self._badges.close()

    def _bar(self, what: str, total: int, **options: Any) -> "tqdm[Any]":
        wide = "{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed} elapsed, {remaining} remaining"
        options = {"disable": self._hidden, **options}
        return tqdm(desc=what, total=total, bar_format=wide, file=sys.stderr, **options)


class LoadingBar:
    """A bar that names what is being loaded, on a terminal, and for how long; fits as `on_stage`."""

    def __init__(self) -> None:
        self._bar: tqdm[Any] | None = None
        self._lock = threading.Lock()

    def __call__(self, what: str, done: int, total: int) -> None:
        """Show that `what` is being done, with `done` of `total` stages through; done == total ends the bar."""
        with self._lock:
            if self._bar is None and done < total and sys.stderr.isatty():
                self._bar = tqdm(
                    total=total,
                    bar_format="{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed} elapsed",
                    desc=printable(what),
                    leave=False,
                    file=sys.stderr,
                )
                threading.Thread(target=self._tick, args=(self._bar,), daemon=True).start()
            if self._bar is None:
                return
            self._bar.set_description_str(printable(what), refresh=False)
            self._bar.n = done
            self._bar.refresh()
            if done >= total:
                self._bar.close()
                self._bar = None

    def _tick(self, bar: "tqdm[Any]") -> None:
        while True:
            time.sleep(_TICK)
            with self._lock:
                if self._bar is not bar:
                    return
                bar.refresh()


def say(line: str) -> None:
    """Print a line for people on stderr without tearing the bars; what others wrote in it commands no terminal."""
    tqdm.write(printable_lines(line), file=sys.stderr)


def give(line: str) -> None:
    """Print a line for programs on stdout, at once, without tearing the bars where both are one terminal."""
    tqdm.write("".join(_escaped(char) if is_control(char) else char for char in line), file=sys.stdout)
    sys.stdout.flush()


def _escaped(char: str) -> str:
    """JSON's own escape, which means the same to a program: JSON itself leaves some control characters as they are."""
    return json.dumps(char)[1:-1]


def untorn_log() -> AbstractContextManager[None]:
    """While this is open, log lines do not tear the bars either."""
    return logging_redirect_tqdm()
