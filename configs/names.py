"""Help with misspelt names: the one place that words "unknown X, did you mean Y"."""

from collections.abc import Iterable
from difflib import get_close_matches


def unknown_name(kind: str, given: str, valid: Iterable[str]) -> str:
    """One line that names the wrong value, the nearest valid names and all valid names.

    >>> unknown_name("style", "ribon", ["arc", "ribbon"])
    "unknown style 'ribon': did you mean ribbon? Known: arc, ribbon"
    """
    names = sorted(valid)
    near = get_close_matches(given.lower(), names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return f"unknown {kind} {given!r}: {hint}Known: {', '.join(names)}"
