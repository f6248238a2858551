"""How long the rest of a training takes, by what has been measured of it so far; nothing is said before that.

Steps are counted by themselves, and so is what comes between them: checkpoints and samples. A card works behind the
host's back, so its steps are only timed when a loss has been read; its first reading has the kernels' compilation in
it and does not count.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

FEW, MANY, LONG_S = 3, 20, 60.0


class Pace:
    """The clock of one sitting. `every` says after how many steps each kind of pause comes; the last step has all."""

    def __init__(
        self, steps: int, every: dict[str, int], *, behind: bool, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        """`behind`: the device is a card, which is still at work when a step's call returns."""
        self._steps, self._every, self._clock = steps, every, clock
        self._behind = self._warming_up = behind
        self._mark, self._open = clock(), 0
        self._done, self._seconds = 0, 0.0
        self._pauses: dict[str, list[float]] = {kind: [] for kind in every}
        self._told = False

    def step(self) -> None:
        """One more step was asked for."""
        self._open += 1

    def settle(self) -> float:
        """The device is done with all steps: the seconds that each of them took since the last time."""
        seconds, count = self._clock() - self._mark, self._open
        if count and not self._warming_up:
            self._seconds += seconds
            self._done += count
        self._warming_up = self._warming_up and not count
        self._mark, self._open = self._clock(), 0
        return seconds / max(1, count)

    @contextmanager
    def pause(self, kind: str) -> Iterator[None]:
        """What happens inside is no step's time."""
        if self._open:
            self.settle()
        started = self._clock()
        yield
        self._mark = self._clock()
        self._pauses[kind].append(self._mark - started)

    def news(self, done: int) -> str:
        """What to tell after step `done`: once when there is enough to go by, and after each checkpoint; else ""."""
        open_steps = 0 if self._behind else self._open
        count = self._done + open_steps
        seconds = self._seconds + (self._clock() - self._mark if open_steps else 0.0)
        enough = count >= MANY or (count >= FEW and seconds >= LONG_S)
        paused = done % self._every["checkpoints"] == 0 and count >= FEW
        if done >= self._steps or not (paused or (enough and not self._told)):
            return ""
        self._told = True
        left = (self._steps - done) * seconds / count
        unknown = []
        for kind, taken in self._pauses.items():
            times = self._coming(kind, done)
            if taken:
                left += times * sum(taken) / len(taken)
            elif times:
                unknown.append(kind)
        but = f" without {' and '.join(unknown)}" if unknown else ""
        return f"step {done} of {self._steps}: {_digits(seconds / count)} s a step, about {spell(left)} left{but}"

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
