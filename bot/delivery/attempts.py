"""How often one message is tried: pauses that grow, and a bound for every failure that is this message's own."""

from collections import Counter
from dataclasses import dataclass, field

from bot.api.errors import Verdict

_SHORTEST, _LONGEST = 0.25, 60.0
_MOST = {
    Verdict.PICTURE: 3, Verdict.GONE: 2, Verdict.UNKNOWN: 20,
    Verdict.TOPIC_GONE: 1, Verdict.REFUSED: 1, Verdict.FILE: 1,
}  # fmt: skip
"""So many failures of a kind are borne. Not sent at all (no network) is nobody's fault and is borne without bound, as
is what Telegram answers while it answers nobody: then it is not this message that it stumbles over."""
_ALIVE = 120.0
"""Seconds since another call succeeded within which Telegram counts as well."""


@dataclass
class Attempts:
    """What has gone wrong with one message so far."""

    failures: Counter[Verdict] = field(default_factory=Counter)
    pause: float = _SHORTEST

    def another(self, meaning: Verdict, silent: float) -> bool:
        """Count a failure; whether the bound lets another try pass. `silent`: seconds since any call succeeded."""
        self.failures[meaning] += 1
        if meaning is Verdict.UNKNOWN and silent > _ALIVE:
            return True
        return self.failures[meaning] <= _MOST.get(meaning, self.failures[meaning])

    def next_pause(self) -> float:
        """Seconds to wait before the next try."""
        pause, self.pause = self.pause, min(_LONGEST, self.pause * 2)
        return pause
