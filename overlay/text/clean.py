"""From what a person typed to the text of a banner: cleaned, composed, limited, never silently cut.

Order matters: refuse what stands for a lost letter, strip what nobody sees or could mislead (controls, bidi controls,
tags outside flags), fold white space, compose to NFC, refuse marks without a letter or in heaps, then count graphemes.
Grapheme clusters are those of UAX #29, as the `regex` module finds them, each with the vowel signs that follow it.
"""

import unicodedata

import regex

from overlay.errors import InvalidText, TextTooLong, name_characters, printable

MAX_GRAPHEMES = 40
"""By hand: a longer text would have smaller letters still."""
MAX_CHARACTERS = 2_000
"""Longer input is refused before any other work is done on it."""
MAX_MARKS = 8
"""Marks on one letter. Pointed Hebrew with a cantillation sign has five, a Burmese syllable up to seven; heaps of more
("zalgo") leave the plate."""

_GRAPHEME = regex.compile(r"\X")
_SPACE = regex.compile(r"\s+")
_IGNORABLE = regex.compile(r"\p{Default_Ignorable_Code_Point}")
_ZWNJ, _ZWJ = "\u200c", "\u200d"
_LOST = frozenset("\ufffc\ufffd")
"""What programs put in place of an object, and of a letter that they could not read."""
_KEPT_IGNORABLES = frozenset((_ZWNJ, _ZWJ, "\ufe0e", "\ufe0f"))
_EMOJI_TAG = range(0xE0020, 0xE0080)
_BLACK_FLAG = "\U0001f3f4"
_EMOJI_BASE = regex.compile(r"\p{Extended_Pictographic}|\p{Emoji_Modifier}|\p{Regional_Indicator}")
_JOINING = regex.compile(
    r"[\p{Script=Arabic}\p{Script=Syriac}\p{Script=Mongolian}\p{Script=NKo}"
    r"\p{InSC=Virama}\p{InSC=Invisible_Stacker}\p{InSC=Vowel_Dependent}\p{InSC=Consonant}]"
)


def graphemes(text: str) -> list[str]:
    """The characters of `text` as people count them, in logical order.

    UAX #29 leaves some vowel signs of Burmese and others as clusters of their own, so that a line could begin with
    one: here they belong to the letter before them.
    """
    found: list[str] = []
    for cluster in _GRAPHEME.findall(text):
        if found and unicodedata.category(cluster[0])[0] == "M" and not found[-1].isspace():
            found[-1] += cluster
        else:
            found.append(cluster)
    return found


def clean_text(text: str) -> str:
    """The text as the banner will show it: NFC, single spaces, no control characters, 1 to 40 graphemes.

    Cleaning is idempotent and leaves out nothing that can be seen. Raises InvalidText when the text is empty,
    over-long, nothing of it is left, a letter of it was lost on the way, or a mark has no letter.
    """
    if not isinstance(text, str):
        raise InvalidText(f"the banner text must be a string, not {type(text).__name__}")
    if len(text) > MAX_CHARACTERS:
        raise TextTooLong(f"the banner text has {len(text)} characters; at most {MAX_GRAPHEMES} fit")
    _refuse_lost(text)
    stripped = "".join(c for c in text if _is_drawable(c))
    spaced = unicodedata.normalize("NFC", _SPACE.sub(" ", stripped).strip())
    clusters = [_tidy(cluster) for cluster in graphemes(spaced)]
    cleaned = unicodedata.normalize("NFC", _SPACE.sub(" ", "".join(clusters)).strip())
    if not cleaned:
        if text.strip():
            raise InvalidText(f"the banner text {printable(text)} has no characters that can be drawn")
        raise InvalidText("the banner text is empty: write what the banner should say")
    _refuse_marks(cleaned)
    count = len(graphemes(cleaned))
    if count > MAX_GRAPHEMES:
        raise TextTooLong(f"the banner text has {count} characters; at most {MAX_GRAPHEMES} fit: shorten it")
    return cleaned


def _refuse_lost(text: str) -> None:
    """Raise InvalidText where a character only says that another one was lost, or means nothing outside its font."""
    foreign = [c for c in text if unicodedata.category(c) == "Cs"]
    if foreign:
        found = ", ".join(f"\\x{ord(c) - 0xDC00:02X}" if 0xDC80 <= ord(c) <= 0xDCFF else f"U+{ord(c):04X}" for c in
                          dict.fromkeys(foreign))  # fmt: skip
        raise InvalidText(f"the banner text {printable(text)} is not UTF-8 ({found}): write it as UTF-8")
    lost = [c for c in text if c in _LOST]
    if lost:
        raise InvalidText(f"a letter of the banner text was lost ({name_characters(lost)}): type it again")
    private = [c for c in text if unicodedata.category(c) == "Co"]
    if private:
        raise InvalidText(f"{name_characters(private)} is a letter of one font only, not text: leave it out")


def _refuse_marks(text: str) -> None:
    """Raise InvalidText where a mark has no letter to stand on, or a letter has more of them than any language."""
    for cluster in graphemes(text):
        marks = run = 0
        for char in cluster:
            if unicodedata.category(char)[0] == "M" and char not in _KEPT_IGNORABLES:
                run += 1
                marks = max(marks, run)
            elif char not in _KEPT_IGNORABLES:
                run = 0
        first = cluster[0]
        if marks and (first.isspace() or unicodedata.category(first)[0] == "M"):
            alone = next(c for c in cluster if not c.isspace())
            raise InvalidText(f"{name_characters([alone])} has no letter to stand on: write it after one")
        if marks > MAX_MARKS:
            raise InvalidText(f"{marks} marks stand on the letter {printable(first)}; at most {MAX_MARKS} can be drawn")


def _is_drawable(char: str) -> bool:
    """False for controls and for invisible characters that no banner needs.

    Unassigned code points stay: they may be newer than this Python, and what no font has is an error, not a gap.
    """
    if char.isspace():
        return True
    if unicodedata.category(char) == "Cc":
        return False
    if unicodedata.bidirectional(char) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"):
        return False
    return char in _KEPT_IGNORABLES or ord(char) in _EMOJI_TAG or _IGNORABLE.match(char) is None


def _tidy(cluster: str) -> str:
    """One grapheme with joiners only where they join, variation selectors on something, tags only in flags."""
    kept: list[str] = []
    for char in cluster:
        if ord(char) in _EMOJI_TAG and not cluster.startswith(_BLACK_FLAG):
            continue
        if char in (_ZWJ, _ZWNJ) and not (kept and (_EMOJI_BASE.search(cluster) or _JOINING.match(kept[-1]))):
            continue
        if char in _KEPT_IGNORABLES and not kept:
            continue
        kept.append(char)
    return "".join(kept)
