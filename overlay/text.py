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

_GRAPHEME = regex.compile(r"\X")
_SPACE = regex.compile(r"\s+")
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_EMOJI_TAG = range(0xE0020, 0xE0080)
_BLACK_FLAG = "\U0001f3f4"
_EMOJI_BASE = regex.compile(r"\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}")
_JOINING = regex.compile(r"[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=NKo}"
                         r"\p{InSC=Virama}\p{InSC=Invisible_Stacker}\p{InSC=Vowel_Dependent}\p{InSC=Consonant}]")  # fmt: skip


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
    """False for controls, surrogates, private use, unassigned, and invisible format characters we do not need."""
    if char.isspace():
        return True
    category = unicodedata.category(char)
    if category in ("Cc", "Cs", "Co", "Cn"):
        return False
    if category == "Cf":
        return char in (_ZWNJ, _ZWJ) or ord(char) in _EMOJI_TAG
    return True


def _tidy(cluster: str) -> str:
    """One grapheme with at most two marks, joiners only where they join, tags only in flags."""
    kept: list[str] = []
    marks = 0
    for char in cluster:
        code = ord(char)
        if code in _EMOJI_TAG and not cluster.startswith(_BLACK_FLAG):
            continue
        if char in (_ZWJ, _ZWNJ) and not (kept and (_EMOJI_BASE.search(cluster) or _JOINING.match(kept[-1]))):
            continue
        if unicodedata.category(char) in ("Mn", "Me") and unicodedata.combining(char) not in (0, 7, 9):
            marks += 1
            if marks > MAX_MARKS:
                continue
        kept.append(char)
    return "".join(kept)
