"""How long the rest of a training takes, by what has been measured of it so far; nothing is said before that.

Steps are counted by themselves, and so is what comes between them: checkpoints and samples. What counts is the last
minute of steps, since other programs come and go; a pause is counted in steps of its own time, as load makes both
longer. A card works behind the host's back, so its steps are only timed when a loss has been read; its first reading
has the kernels' compilation in it and does not count.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENOUGH, WINDOW_S = 10, 60.0
"""What a pace is taken from: the last minute, or the last ten steps where those take longer, since sizes take turns."""


class Pace:
    """The clock of one sitting. `every` says after how many steps each kind of pause comes; the last step has all."""

    def __init__(
        self, steps: int, every: dict[str, int], *, behind: bool, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`behind`: the device is a card, which is still at work when a step's call returns."""
        self._steps, self._every, self._clock = steps, every, clock
        self._behind = self._warming_up = behind
        self._mark = self._seen = clock()
        self._open, self._measured = 0, 0
        self._last: deque[tuple[int, float]] = deque()  # (steps, seconds), and what they add up to:
        self._last_steps, self._last_seconds = 0, 0.0
        self._pauses: dict[str, list[tuple[float, float]]] = {kind: [] for kind in every}  # (seconds, a step's then)
        self._told = False

    def step(self) -> None:
        """One more step was asked for."""
        self._open += 1
        if not self._behind:
            self._measure(1)

    def settle(self) -> float:
        """The device is done with all steps: the seconds that each of them took since the last time."""
        if self._behind and self._open:
            if not self._warming_up:
                self._measure(self._open)
            self._warming_up = False
        now = self._clock()
        seconds, count = now - self._mark, self._open
        self._mark, self._seen, self._open = now, now, 0
        return seconds / max(1, count)

    @contextmanager
    def pause(self, kind: str) -> Iterator[None]:
        """What happens inside is no step's time."""
        if self._open:
            self.settle()
        started = self._clock()
        yield
        self._mark = self._seen = self._clock()
        self._pauses[kind].append((self._mark - started, self._seconds_a_step()))

    def left(self, done: int) -> float | None:
        """Seconds from step `done` to the end, without kinds of pauses that never came; None before ten steps."""
        if self._measured < ENOUGH:
            return None
        now = self._seconds_a_step()
        left = (self._steps - done) * now
        for kind, taken in self._pauses.items():
            if taken:
                # A pause before the first steps is taken as it was.
                costs = [seconds * (now / then if then else 1.0) for seconds, then in taken]
                left += self._coming(kind, done) * sum(costs) / len(costs)
        return left

    def news(self, done: int) -> str:
        """What to tell after step `done`: once when there is enough to go by, and after each checkpoint; else ""."""
        left = self.left(done)
        paused = done % self._every["checkpoints"] == 0
        if left is None or done >= self._steps or (self._told and not paused):
            return ""
        self._told = True
        unknown = [kind for kind, taken in self._pauses.items() if not taken and self._coming(kind, done)]
        but = f" without {' and '.join(unknown)}" if unknown else ""
        return (
            f"step {done} of {self._steps}: {_digits(self._seconds_a_step())} s a step, about {spell(left)} left{but}"
        )

    def _measure(self, count: int) -> None:
        now = self._clock()
        self._measured += count
        self._last.append((count, now - self._seen))
        self._last_steps, self._last_seconds = self._last_steps + count, self._last_seconds + now - self._seen
        self._seen = now
        while True:
            steps, seconds = self._last[0]
            if self._last_steps - steps < ENOUGH or self._last_seconds - seconds < WINDOW_S:
                return
            self._last_steps, self._last_seconds = self._last_steps - steps, self._last_seconds - seconds
            self._last.popleft()

    def _seconds_a_step(self) -> float:
        """In the last minute; 0 before anything was measured."""
        return self._last_seconds / self._last_steps if self._last_steps else 0.0

    def _coming(self, kind: str, done: int) -> int:
        every = self._every[kind]
        if not every:
            return 0
        return self._steps // every - done // every + (1 if self._steps % every else 0)


def spell(seconds: float) -> str:
    """A time for people: "40 seconds", "12 minutes", "3.5 hours"."""
    for unit, size in (("hour", 3600.0), ("minute", 60.0), ("second", 1.0)):
        if seconds >= 1.5 * size or size == 1.0:
            number = f"{seconds / size:.1f}" if size == 3600.0 else f"{max(1.0, seconds / size):.0f}"
            return f"{number} {unit}{'' if number == '1' else 's'}"
    raise AssertionError


def _digits(seconds: float) -> str:
    return f"{seconds:.1f}" if seconds >= 10 else f"{seconds:.2f}" if seconds >= 0.1 else f"{seconds:.3f}"
