"""Whether typed English looks like words at all: "asdfgh" passes every check of an object and is drawn as noise.

Letters are judged by their trigrams, counted in the English of the glossary, so that names and words which it lacks
("kubernetes", "tamagotchi") pass and a row of keys does not.
"""

import math
import re
from collections import Counter
from functools import cache
from itertools import pairwise

from inference.translation.glossary import FOLDER, read_entries

_WORD = re.compile(r"[A-Za-z]+")
_LINK = re.compile(r"(?i)\b(?:[a-z][a-z0-9+.-]*://|www\.)\S|\b[\w-]+\.(?:com|org|net|ru|io|me|dev|info)\b(?:/\S*)?")
_SHORTEST = 4
"""Shorter words (UX, PhD, XKCD in capitals aside) tell nothing by their letters."""
_LIKELY = -5.9
"""Mean log2 probability of a letter after its two neighbours: of the glossary's own words, left out one by one, 99% lie
above; letters at random (asdfgh, qwrtpsd, zxcvbn) lie below. A word that is wrongly doubted costs one press."""
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_RUN = 4
"""So many keys side by side are a hand on a keyboard."""


def is_link(text: str) -> bool:
    """Whether `text` holds an address on the web."""
    return _LINK.search(text) is not None


@cache
def known_words() -> frozenset[str]:
    """The words of the glossary's English, in lower case."""
    entries = (entry for path in sorted(FOLDER.glob("*.tsv")) for entry in read_entries(path))
    said = " ".join(meaning for entry in entries for meaning in entry.meanings)
    return frozenset(word.lower() for word in _WORD.findall(said))


def is_word_like(word: str) -> bool:
    """Whether `word` is English, or could be: by the glossary, or by how its letters follow each other."""
    lower = word.lower()
    if len(word) < _SHORTEST or (word.isupper() and len(word) <= 2 * _SHORTEST) or lower in known_words():
        return True
    return _score(lower) > _LIKELY and not _on_one_row(lower)


def looks_like_words(text: str) -> bool:
    """Whether at least half of the Latin words in `text` are `is_word_like`; True where there are none."""
    words = _WORD.findall(text)
    return not words or 2 * sum(map(is_word_like, words)) >= len(words)


def _on_one_row(word: str) -> bool:
    """Whether `word` holds `_RUN` neighbouring keys in a row, in either direction."""
    rows = [*_ROWS, *(row[::-1] for row in _ROWS)]
    return any(row[at : at + _RUN] in word for row in rows for at in range(len(row) - _RUN + 1))


def _score(word: str) -> float:
    """Mean log2 probability of the letters of `word`, its end included."""
    trigrams, bigrams = _counts()
    letters = f"^^{word}$"
    steps = list(zip(pairwise(letters), letters[2:], strict=False))
    # 0.02 of a trigram each for what was never seen: 5,000 words show a tenth of all possible trigrams
    each = [math.log2((trigrams[a + b + c] + 0.02) / (bigrams[a + b] + 0.02 * 27)) for (a, b), c in steps]
    return sum(each) / len(each)


@cache
def _counts() -> tuple[Counter[str], Counter[str]]:
    trigrams: Counter[str] = Counter()
    bigrams: Counter[str] = Counter()
    for word in known_words():
        letters = f"^^{word}$"
        for at in range(len(letters) - 2):
            trigrams[letters[at : at + 3]] += 1
            bigrams[letters[at : at + 2]] += 1
    return trigrams, bigrams
