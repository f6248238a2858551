"""Where a line may be broken in two, and where it is best broken: the halves as even as the words allow.

Words of scripts without spaces are ICU's: its dictionaries for Thai, Lao, Khmer, Burmese and Chinese with Japanese,
the syllables of UAX #14 for Javanese. ICU is loaded for these scripts only.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import Literal

import regex

from overlay.text.clean import graphemes
from overlay.text.scripts import JOINED, UNSPACED, is_emoji, scripts_of
from overlay.text.shaping import Line

_AFTER = frozenset("-/\u2010\u2013\u2014\u00b7&+|\u3001\u3002\uff0c")
_NEVER_FIRST = frozenset(
    "\u3001\u3002\uff0c\uff0e\u30fb\uff1a\uff1b\uff1f\uff01)]}\u300d\u300f\u3011\uff09\u30fc\u3041\u3043\u3045\u3047\u3049"
    "\u3063\u3083\u3085\u3087\u308e\u30a1\u30a3\u30a5\u30a7\u30a9\u30c3\u30e3\u30e5\u30e7\u30ee,.!?:;%\u00bb\u201d"
)
"""Characters that may not begin a line (JIS X 4051 for Japanese; closing punctuation elsewhere)."""
_NEVER_LAST = frozenset("([{\u300c\u300e\u3010\uff08\u00ab\u201e")
_CJK = frozenset(("Han", "Hiragana", "Katakana", "Bopomofo"))
_STACKS = regex.compile(r"[\p{InSC=Virama}\p{InSC=Invisible_Stacker}\p{Logical_Order_Exception}]$")
"""What ends like this goes on in the next letter: a conjunct, or a vowel written before its consonant."""
_HANGS = regex.compile(r"[\u0e2f\u0e30\u0e32\u0e33\u0e45\u0e46\u0eaf\u0eb0\u0eb2\u0eb3\u0ec6]|.\u103a")
"""What belongs to the letter before it: Thai and Lao vowels that are letters, signs of repetition, and a Burmese
consonant without a vowel (asat), which closes the syllable."""
_IN_WORD = 1.25
"""A break inside a word must make the longer line this much shorter than the best break between words."""

Where = Literal["between words", "inside words", "anywhere"]
"""The last is a break in words whose letters hang together (Arabic, Devanagari), too."""


def best_break(line: Line, where: Where) -> tuple[str, str] | None:
    """The two lines whose longer one is shortest, or None where the text cannot be broken there."""
    clusters = graphemes(line.text)
    widths = _widths(line, clusters)
    between, inside = _break_points(clusters)
    if where == "between words":
        inside = []
    elif where == "anywhere":
        inside = [k for k in range(1, len(clusters)) if _may_break(clusters[k - 1], clusters[k])]
    best = min(between, key=lambda k: _longer(widths, clusters, k), default=None)
    rough = min(inside, key=lambda k: _longer(widths, clusters, k), default=None)
    if rough is not None and (
        best is None or _longer(widths, clusters, best) > _IN_WORD * _longer(widths, clusters, rough)
    ):
        best = rough
    if best is None:
        return None
    return "".join(clusters[:best]).rstrip(), "".join(clusters[best:]).lstrip()


def _widths(line: Line, clusters: list[str]) -> list[float]:
    """The advance of each grapheme in ems; one inside a ligature counts as nothing."""
    starts, position = {}, 0
    for index, cluster in enumerate(clusters):
        for offset in range(len(cluster)):
            starts[position + offset] = index
        position += len(cluster)
    widths = [0.0] * len(clusters)
    for glyph in line.glyphs:
        widths[starts[glyph.cluster]] += glyph.advance
    return widths


def _longer(widths: list[float], clusters: list[str], k: int) -> float:
    """The longer of the two lines when broken before grapheme k, the space there not counted."""
    before = sum(widths[: k - 1]) if clusters[k - 1] == " " else sum(widths[:k])
    return max(before, sum(widths[k:]))


def _may_break(before: str, after: str) -> bool:
    """False where a break would begin or end a line with what cannot stand there."""
    return not (
        after == " "
        or after in _NEVER_FIRST
        or before in _NEVER_LAST
        or _STACKS.search(before) is not None
        or _HANGS.match(after) is not None
    )


def _break_points(clusters: list[str]) -> tuple[list[int], list[int]]:
    """Indices before which a line may be broken: between words, and inside a word."""
    scripts = scripts_of([g[0] for g in clusters])
    words = _word_starts(clusters, scripts)
    between, inside = [], []
    for k in range(1, len(clusters)):
        before, after = clusters[k - 1], clusters[k]
        if not _may_break(before, after):
            continue
        if before == " " or before in _AFTER or k in words or is_emoji(before) or is_emoji(after):
            between.append(k)
        elif not (scripts[k] in JOINED and scripts[k - 1] in JOINED):
            inside.append(k)
    return between, inside


def _word_starts(clusters: list[str], scripts: Sequence[str]) -> set[int]:
    """The graphemes that begin a word, in those parts of a text whose script has no spaces."""
    unspaced, cjk = not UNSPACED.isdisjoint(scripts), not _CJK.isdisjoint(scripts)
    if not (unspaced or cjk):
        return set()
    from icu4py.breakers import LineBreaker, WordBreaker

    text = "".join(clusters)
    # icu4py 1.0 counts UTF-16 units, so a letter beyond U+FFFF counts twice.
    units = (len(g.encode("utf-16-le")) // 2 for g in clusters)
    at = {offset: k for k, offset in enumerate(accumulate(units, initial=0))}
    found: set[int] = set()
    for wanted, scripts_with, breaker in ((unspaced, UNSPACED, LineBreaker), (cjk, _CJK, WordBreaker)):
        if wanted:
            starts = {at[start] for start, _ in breaker(text, "en").segments() if start in at}
            found |= {k for k in starts if 0 < k < len(clusters) and {scripts[k - 1], scripts[k]} & scripts_with}
    return found
