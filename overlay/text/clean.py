"""From what a person typed to the text of a banner: cleaned, composed, limited, never silently cut.

Order matters: strip what cannot be drawn or could mislead (controls, surrogates, private use, bidi controls,
tags outside flags), fold white space, compose to NFC, limit marks per grapheme, then count graphemes.
Grapheme clusters are those of UAX #29, as the `regex` module finds them.
"""

from __future__ import annotations

import unicodedata

import regex

from overlay.errors import InvalidText, printable

MAX_GRAPHEMES = 40
MAX_CHARACTERS = 2_000
"""Longer input is refused before any other work is done on it."""
MAX_MARKS = 2
"""Combining marks kept on one base; stacked ones beyond that ("zalgo") leave the plate."""
MAX_SIGNS = 4
"""Vowel signs and viramas kept in a row: no word of any script has more."""

_GRAPHEME = regex.compile(r"\X")
_SPACE = regex.compile(r"\s+")
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_KEPT_IGNORABLES = frozenset((_ZWNJ, _ZWJ, "\ufe0e", "\ufe0f"))
_EMOJI_TAG = range(0xE0020, 0xE0080)
_BLACK_FLAG = "\U0001f3f4"
_EMOJI_BASE = regex.compile(r"\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}")
_JOINING = regex.compile(
    r"[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=NKo}"
    r"\p{InSC=Virama}\p{InSC=Invisible_Stacker}\p{InSC=Vowel_Dependent}\p{InSC=Consonant}]"
)


def graphemes(text: str) -> list[str]:
    """The extended grapheme clusters of `text`, in logical order."""
    return _GRAPHEME.findall(text)


def clean_text(text: str) -> str:
    """The text as the banner will show it: NFC, single spaces, no control characters, 1 to 40 graphemes.

    Cleaning is idempotent. Raises InvalidText when the text is empty, over-long, or nothing of it is left.
    """
    if not isinstance(text, str):
        raise InvalidText(f"the banner text must be a string, not {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise InvalidText(f"the banner text has {len(text)} characters; at most {MAX_GRAPHEMES} fit")
    stripped = "".join(c for c in text if _is_drawable(c))
    spaced = unicodedata.normalize("NFC", _SPACE.sub(" ", stripped).strip())
    clusters = [_tidy(cluster) for cluster in graphemes(spaced)]
    cleaned = unicodedata.normalize("NFC", _SPACE.sub(" ", "".join(clusters)).strip())
    if not cleaned:
        if text.strip():
            raise InvalidText(f"the banner text {printable(text)} has no characters that can be drawn")
        raise InvalidText("the banner text is empty: write what the banner should say")
    count = len(graphemes(cleaned))
    if count > MAX_GRAPHEMES:
        raise InvalidText(f"the banner text has {count} characters; at most {MAX_GRAPHEMES} fit: shorten it")
    return cleaned


def _is_drawable(char: str) -> bool:
    """False for controls, surrogates, private use, and invisible characters that no banner needs.

    Unassigned code points stay: they may be newer than this Python, and what no font has is an error, not a gap.
    """
    if char.isspace():
        return True
    if unicodedata.category(char) in ("Cc", "Cs", "Co"):
        return False
    if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"):
        return False
    return char in _KEPT_IGNORABLES or ord(char) in _EMOJI_TAG or _IGNORABLE.match(char) is None


def _tidy(cluster: str) -> str:
    """One grapheme with few marks, joiners only where they join, tags only in flags."""
    kept: list[str] = []
    marks = signs = 0
    for char in cluster:
        if ord(char) in _EMOJI_TAG and not cluster.startswith(_BLACK_FLAG):
            continue
        if char in (_ZWJ, _ZWNJ) and not (kept and (_EMOJI_BASE.search(cluster) or _JOINING.match(kept[-1]))):
            continue
        if unicodedata.category(char) in ("Mn", "Mc", "Me") and char not in _KEPT_IGNORABLES:
            if unicodedata.combining(char) in (0, 7, 9) and unicodedata.category(char) != "Me":
                signs += 1
            else:
                marks += 1
            if marks > MAX_MARKS or signs > MAX_SIGNS:
                continue
        elif char not in (_ZWJ, _ZWNJ):
            marks = signs = 0
        kept.append(char)
    return "".join(kept)
