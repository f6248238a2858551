"""One line of the table that `python -m bot --check` prints."""

from dataclasses import dataclass

GOOD, WARNING, BAD = "ok", "warning", "FAILED"


@dataclass(frozen=True)
class Check:
    """What was tried, how it went, what was found, what to do."""

    what: str
    state: str
    found: str
    advice: str = ""
