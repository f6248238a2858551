"""Retries of one message: growing pauses, and a limit for each kind of failure."""

from collections import Counter
from dataclasses import dataclass, field

from bot.api.errors import Verdict

_SHORTEST, _LONGEST = 0.25, 60.0
"""Seconds; the pause doubles. Chosen by hand: a short failure delays nobody noticeably, and after a long one a message
is at most a minute late."""
_MOST = {
    Verdict.PICTURE: 3, Verdict.GONE: 2, Verdict.UNKNOWN: 20,
    Verdict.TOPIC_GONE: 1, Verdict.REFUSED: 1, Verdict.FILE: 1,
}  # fmt: skip
"""Failures of each kind after which a message is given up, chosen by hand: few where the message itself is at fault, 20
where Telegram may recover. Other kinds (no network) have no limit, nor does UNKNOWN while no call at all succeeds."""
_ALIVE = 120.0
"""Seconds since the last successful call for which Telegram counts as working, chosen by hand: two longest pauses."""


@dataclass
class Attempts:
    """The failures of one message so far."""

    failures: Counter[Verdict] = field(default_factory=Counter)
    pause: float = _SHORTEST

    def another(self, meaning: Verdict, silent: float) -> bool:
        """Count a failure; whether to try again. `silent`: seconds since any call succeeded."""
        self.failures[meaning] += 1
        if meaning is Verdict.UNKNOWN and silent > _ALIVE:
            return True
        return self.failures[meaning] <= _MOST.get(meaning, self.failures[meaning])

    def next_pause(self) -> float:
        """Seconds to wait before the next try."""
        pause, self.pause = self.pause, min(_LONGEST, self.pause * 2)
        return pause
