"""What was learned about memory: which plans turned out too large for a card, so that no start finds out again."""

import json
import logging
from pathlib import Path

from inference.errors import RenderFailed
from inference.files import PRIVATE, private_folder, write_atomically
from inference.models.hardware import GB, Card
from inference.models.profiles import Profile

log = logging.getLogger(__name__)


class PlanMemory:
    """For each profile, card and tier the number of the first way (`Plan.way`) that may be tried."""

    def __init__(self, file: Path | None) -> None:
        """`file` is a small JSON file; without one everything is remembered for this process only."""
        self._file = file
        self._ways = self._read()

    def way(self, profile: Profile, card: Card, tier: str) -> int:
        """The first way worth trying: 0, or the one after the last that did not fit."""
        return self._ways.get(_name(profile, card, tier), 0)

    def remember(self, profile: Profile, card: Card, tier: str, way: int) -> None:
        """From now on try nothing before `way`."""
        self._ways[_name(profile, card, tier)] = way
        if self._file is None:
            return
        try:
            private_folder(self._file.parent)
            write_atomically(self._file, json.dumps(self._ways, indent=1, sort_keys=True).encode(), PRIVATE)
        except (OSError, RenderFailed) as error:
            log.warning("the smaller plan is not remembered: %s", error)

    def _read(self) -> dict[str, int]:
        if self._file is None or not self._file.exists():
            return {}
        try:
            known = json.loads(self._file.read_text(encoding="utf-8"))
            return {str(name): int(way) for name, way in known.items()}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            log.warning("%s cannot be read, plans start from the largest: %s", self._file, error)
            return {}


def _name(profile: Profile, card: Card, tier: str) -> str:
    return f"{profile.name}, {tier}, {card.name}, {card.memory / GB:.1f} GB"
