"""Progress for people: one bar for the steps of a portrait, one for the badges of a batch, both on stderr.

Bars show only where stderr is a terminal, so that logs stay clean.
"""

import sys
from types import TracebackType
from typing import Self

from tqdm import tqdm


class Progress:
    """Two bars, the outer only for more than one badge; `step` fits as an `on_step` callback."""

    def __init__(self, badges: int, *, finished: int = 0) -> None:
        hidden = not sys.stderr.isatty()
        wide = "{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed} gone, {remaining} left"
        self._badges = tqdm(
            total=badges,
            initial=finished,
            desc="badges",
            bar_format=wide,
            disable=hidden or badges < 2,
            file=sys.stderr,
        )
        self._steps = tqdm(
            desc="drawing", bar_format=wide, disable=hidden, leave=False, position=int(badges > 1), file=sys.stderr
        )

    def step(self, done: int, total: int) -> None:
        """Show that `done` of `total` steps of the present portrait are through."""
        if done == 1:
            self._steps.reset(total)
        self._steps.update(done - self._steps.n)
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
        self._steps.close()
        self._badges.close()


def say(line: str) -> None:
    """Print a line for people on stderr without tearing the bars."""
    tqdm.write(line, file=sys.stderr)
