"""One line of the table that `python -m bot --check` prints."""

from dataclasses import dataclass

GOOD, WARNING, BAD = "ok", "warning", "FAILED"


@dataclass(frozen=True)
class Check:
    """What was checked, its state, what was found, and how to fix it."""

    what: str
    state: str
    found: str
    advice: str = ""
