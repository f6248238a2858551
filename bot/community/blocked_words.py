"""Blocked words: one list per language, compared by dictionary form with objects and banner texts."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

from inference.translation.english import plural
from inference.translation.glossary import word_keys
from inference.translation.scripts import one_alphabet

SHIPPED = Path(__file__).with_name("blocked")
_WORD = re.compile(r"[^\W\d_]+")
_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)


def blocked_by(lists: Mapping[str, str]) -> Callable[[str], bool]:
    """A function that tells whether a text contains a word of `lists` (language to file, "" for the shipped list).

    Raises OSError or UnicodeDecodeError if a file cannot be read.
    """
    refused = frozenset(key for word in read_lists(lists) for key in _keys(word))
    if not refused:
        return lambda text: False
    return lambda text: any(_keys(word) & refused for word in _WORD.findall(one_alphabet(text)))


def read_lists(lists: Mapping[str, str]) -> list[str]:
    """The words of all lists, as written. Raises OSError or UnicodeDecodeError."""
    words: list[str] = []
    for language, name in lists.items():
        file = Path(name) if name else SHIPPED / f"{language}.txt"
        lines = (line.strip() for line in file.read_text(encoding="utf-8").splitlines())
        words += [word for line in lines if not line.startswith("#") for word in _WORD.findall(line)]
    return words


def _keys(word: str) -> frozenset[str]:
    """Keys that are equal for forms of one word: dictionary forms in Russian, word and plural in English."""
    lower = word.casefold()
    return word_keys(lower) if _CYRILLIC.search(lower) else frozenset({lower, plural(lower)})
