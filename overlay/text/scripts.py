"""Which script a character belongs to, and which graphemes are emoji (Unicode properties, by way of `regex`)."""

from collections.abc import Sequence
from functools import lru_cache

import regex

_SCRIPTS = (
    "Latin", "Cyrillic", "Greek", "Arabic", "Hebrew", "Devanagari", "Hiragana", "Katakana", "Han", "Hangul",
    "Bopomofo", "Armenian", "Bengali", "Cherokee", "Ethiopic", "Georgian", "Gujarati", "Gurmukhi", "Javanese",
    "Kannada", "Khmer", "Lao", "Malayalam", "Myanmar", "Oriya", "Sinhala", "Tamil", "Telugu", "Thaana", "Thai",
    "Common", "Inherited",
)  # fmt: skip
_SCRIPT = regex.compile("|".join(rf"(?P<{name}>\p{{Script={name}}})" for name in _SCRIPTS))
_EMOJI = regex.compile(
    r"\p{Emoji_Presentation}|\p{Regional_Indicator}{2}|\p{Extended_Pictographic}\ufe0f|[0-9#*]\ufe0f?\u20e3"
    r"|\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier})?\u200d|\p{Emoji_Modifier_Base}\p{Emoji_Modifier}"
)
_PICTURE = regex.compile(r"\p{Extended_Pictographic}")

JOINED = frozenset(
    ("Arabic", "Devanagari", "Bengali", "Gujarati", "Gurmukhi", "Javanese", "Kannada", "Khmer", "Malayalam", "Myanmar",
     "Oriya", "Sinhala", "Tamil", "Telugu", "Thaana")
)  # fmt: skip
"""Scripts whose letters hang together: no letter-spacing, no break inside a word."""

UNSPACED = frozenset(("Javanese", "Khmer", "Lao", "Myanmar", "Thai"))
"""Scripts written without spaces between words, which only a dictionary (or the syllables of UAX #14) tells apart."""


@lru_cache(maxsize=8192)
def script_of(char: str) -> str:
    """The Unicode script of one character, "Unknown" where no font here could draw it anyway."""
    match = _SCRIPT.match(char)
    return match.lastgroup if match and match.lastgroup else "Unknown"


@lru_cache(maxsize=8192)
def is_emoji(grapheme: str) -> bool:
    """True for graphemes shown in colour by default, or asked to be by U+FE0F, a modifier or a ZWJ sequence."""
    return "\ufe0e" not in grapheme and _EMOJI.match(grapheme) is not None


@lru_cache(maxsize=8192)
def is_picture(grapheme: str) -> bool:
    """True for characters that have an emoji form even where text is their default, such as U+2694."""
    return _PICTURE.match(grapheme) is not None


def scripts_of(text: Sequence[str]) -> list[str]:
    """The script of each character; common and inherited ones take the script around them."""
    found = [script_of(c) for c in text]
    before = "Common"
    for i, name in enumerate(found):
        if name in ("Common", "Inherited"):
            found[i] = before
        before = found[i]
    after = "Common"
    for i in range(len(found) - 1, -1, -1):
        if found[i] == "Common":
            found[i] = after
        after = found[i]
    return found
