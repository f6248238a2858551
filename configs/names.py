"""Help with misspelt names: the one place that words "unknown X, did you mean Y"."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown_name(kind: str, given: str, valid: Iterable[str]) -> str:
    """One line that names the wrong value, the nearest valid names and all valid names.

    >>> unknown_name("style", "ribon", ["arc", "ribbon"])
    "unknown style 'ribon': did you mean ribbon? Known: arc, ribbon"
    """
    names = sorted(valid)
    near = _did_you_mean(given, names)
    return f"unknown {kind} {given!r}{f': {near}' if near else '. '}Known: {', '.join(names)}"


def misspelt(kind: str, given: str, valid: Iterable[str]) -> str:
    """As `unknown_name`, for long lists: only the nearest names are listed."""
    return f"unknown {kind} {given!r}: {_did_you_mean(given, sorted(valid))}".rstrip(" :")


def _did_you_mean(given: str, names: list[str]) -> str:
    spelt = {name.casefold(): name for name in names}
    near = [spelt[name] for name in get_close_matches(given.casefold(), spelt, n=3, cutoff=0.6)]
    return f"did you mean {' or '.join(near)}? " if near else ""
