"""Bytes to text, one way for all that people hand in: captions, batches, lists of names.

A byte order mark counts; then UTF-8 where the bytes are valid; then UTF-16 by the look of it. Anything else was
written in a code page, and the bytes do not say in which: it is decoded only where the letters suit a language (the
one that its neighbours are written in, where that is known) and no other code page gives another plausible text.
Statistical detectors alone read Russian in cp1251 as Korean with full confidence. What stays open is refused by name.
"""

import codecs
import math
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from configs.alphabets import LANGUAGES, Language
from configs.printable import printable

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_PUNCTUATION = frozenset(
    "«»„“”‘’‚‹›–—…№•·§©®™°±×÷€£¥¿¡\u00a0\u202f、。！？，：；（）「」『』《》〈〉・～＋－／　％＆＝"
)
_THIN_PUNCTUATION = frozenset("«»„“”‘’‚‹›–—…№•·§©®™°±×÷€£¿¡\u00a0")
_WORD = re.compile(r"[^\W\d_]+")
_ENOUGH = 16_384
_CLEAR = 6.0
"""By how much the best reading's log-likelihood must beat the next: it is 400 times as likely."""
_CLEAR_NEAR = 4.0
"""The same where the language is known from the neighbours: 50 times."""
_PRIOR = {"koi8-r": -2.0, "koi8-u": -3.0, "cp866": -3.0, "mac-cyrillic": -7.0, "mac-roman": -2.0, "cp850": -3.0,
          "cp852": -3.0, "euc_jp": -2.0, "iso8859-5": -3.0}  # fmt: skip
"""Code pages that nobody has written by default for twenty years, as logarithms; Windows' own have 0."""
_UNKNOWN = "unknown encoding {!r}: name one such as cp1251, gb18030 or utf-16"
_MARK = math.log(0.02)
_TITLE = math.log(0.3)
_SHOUTED = math.log(0.02)
"""One text in fifty is in capitals throughout."""


class Undecodable(ValueError):
    """No encoding can be named for certain; the message says so and starts with "is not"."""


@dataclass(frozen=True)
class Decoded:
    """Text in NFC, and the encoding that its bytes were in (`utf-8` is the ordinary one)."""

    text: str
    encoding: str


def known_encoding(name: str) -> str:
    """Python's name of the text encoding that a person calls `name`. Raises ValueError."""
    try:
        found = codecs.lookup(name)
        "".encode(found.name)  # some of Python's codecs are no text encodings: hex, zip, rot13
    except (LookupError, ValueError, UnicodeError) as error:
        raise ValueError(
            f"unknown encoding {printable(name)[:40]!r}: name one such as cp1251, gb18030 or utf-16"
        ) from error
    if found.name in ("idna", "punycode", "unicode_escape", "raw_unicode_escape", "undefined"):
        raise ValueError(_UNKNOWN.format(name))
    return found.name


def decode(data: bytes, *, encoding: str = "", near: str = "") -> Decoded:
    """The text in `data`. `encoding` is what the user says it is in; `near` is text of the same set, known for certain.

    Raises Undecodable.
    """
    if encoding:
        return _said(data, known_encoding(encoding))
    for mark, name in _MARKS:
        if data.startswith(mark) and (name != "utf-16" or len(data) % 2 == 0):
            return _said(data, name)
    wide = _wide(data)
    if wide:
        return wide
    try:
        return Decoded(_normal(data.decode("utf-8")), "utf-8")
    except UnicodeDecodeError as error:
        place = error.start
    readings = _readings(_sample(data), near)
    clear = _CLEAR if near.isascii() else _CLEAR_NEAR
    if readings and (len(readings) == 1 or readings[0][0] - readings[1][0] >= clear):
        try:
            return Decoded(_normal(data.decode(readings[0][2])), readings[0][2])
        except UnicodeDecodeError:
            pass  # the part that was looked at fits, the whole does not
    perhaps = f" (perhaps {', '.join(dict.fromkeys(reading[2] for reading in readings[:3]))})" if readings else ""
    raise Undecodable(f"is not UTF-8 (byte {place}), and its encoding is not certain{perhaps}: name it with --encoding")


def _said(data: bytes, name: str) -> Decoded:
    try:
        text = data.decode(name)
    except UnicodeError as error:
        raise Undecodable(f"is not {name} text ({printable(str(error))[:80]})") from error
    return Decoded(_normal(text.removeprefix("\ufeff")), name)


def _normal(text: str) -> str:
    return unicodedata.normalize("NFC", text.removeprefix("\ufeff"))


def _sample(data: bytes) -> bytes:
    """Lines of `data` that hold bytes beyond ASCII, 16 kB of them at most: enough to tell, and quick for any file.

    No encoding that is tried here has a line feed or a space inside a letter.
    """
    lines, size = [], 0
    for line in data.split(b"\n"):
        if line.isascii():
            continue
        lines.append(line if len(line) <= _ENOUGH else line[:_ENOUGH].rpartition(b" ")[0] or line[:_ENOUGH])
        size += len(lines[-1])
        if size >= _ENOUGH:
            break
    return b"\n".join(lines)


def _wide(data: bytes) -> Decoded | None:
    """UTF-16 without a mark: bytes that are controls in any 8-bit text, and letters of one script in 16-bit pairs."""
    if len(data) < 4 or len(data) % 2 or not any(byte < 32 and byte not in b"\t\n\r" for byte in data):
        return None
    found = []
    for name in ("utf-16-le", "utf-16-be"):
        try:
            text = data.decode(name)
        except UnicodeDecodeError:
            continue
        part = text[: _ENOUGH // 2]
        likely = [_likelihood(part, language, language.encodings[0]) for language in LANGUAGES]
        best = max((value for value in likely if value is not None), default=None)
        if best is not None:
            found.append((best, text, name))
    found.sort(reverse=True)
    clear = len(found) == 1 or (len(found) > 1 and found[0][0] - found[1][0] >= _CLEAR)
    return Decoded(_normal(found[0][1]), found[0][2]) if clear else None


def script_of(char: str) -> str:
    """The script's name as it begins the character's own: LATIN, CYRILLIC, CJK, HIRAGANA, HANGUL ..."""
    return unicodedata.name(char, "?").partition(" ")[0]


def _readings(data: bytes, near: str) -> list[tuple[float, str, str]]:
    """(log-likelihood, text, encoding), the best first, one for each different text."""
    best: dict[str, tuple[float, str]] = {}
    for language in _languages(near):
        for encoding in language.encodings:
            try:
                text = data.decode(encoding)
            except UnicodeDecodeError:
                continue
            likely = _likelihood(text, language, encoding)
            if likely is not None and (text not in best or likely > best[text][0]):
                best[text] = (likely, encoding)
    return sorted(((likely, text, encoding) for text, (likely, encoding) in best.items()), reverse=True)


def _languages(near: str) -> Iterable[Language]:
    """The languages that `near` may be in; all where it tells nothing."""
    letters = {char for char in unicodedata.normalize("NFC", near).lower() if char.isalpha() and not char.isascii()}
    fit = [language for language in LANGUAGES if letters and all(_belongs(char, language) for char in letters)]
    return fit or LANGUAGES


def _belongs(char: str, language: Language) -> bool:
    return char in language.letters or any(low <= ord(char) <= high for low, high in language.blocks)


def _likelihood(text: str, language: Language, encoding: str) -> float | None:
    """The logarithm of how likely the language gives these letters in this encoding; None where it cannot."""
    total = _PRIOR.get(encoding, 0.0)
    marks = _PUNCTUATION if language.dense else _THIN_PUNCTUATION
    for before, char, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if unicodedata.category(char) in ("Cc", "Co", "Cn", "Cs") and char not in "\t\n\r":
            return None
        if char.isascii():
            continue
        if char in marks:
            if not language.dense and char not in "’—" and before.isalpha() and after.isalpha():
                return None
            total += _MARK
            continue
        weight = _weight(char, language, encoding)
        if weight == 0 or _misplaced(before, char, after):
            return None
        total += math.log(weight)
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    if any(_mixed(word, language) for word in words) or (language.dense and not _has_common(words, language)):
        return None
    return total + _capitals(words)


def _misplaced(before: str, char: str, after: str) -> bool:
    """Whether a letter stands where its script never has it: final forms within words, marks on nothing."""
    if char in "םןךףץς":
        return after.isalpha()
    if char == "σ":
        return not after.isalpha()
    if unicodedata.category(char) in ("Mn", "Mc"):
        return before.isascii() or before in "เแโใไ"
    return char in "เแโใไ" and not "ก" <= after <= "ฮ"


def _has_common(words: list[str], language: Language) -> bool:
    """Whether at least a quarter of the letters are everyday ones; two bytes at random nearly always give rare ones."""
    letters = [char for word in words for char in word if not char.isascii()]
    return sum(char in language.letters for char in letters) * 4 >= len(letters)


def _capitals(words: list[str]) -> float:
    whole = [word.isupper() and len(word) > 1 for word in words]
    if words and all(whole):
        return _SHOUTED
    titles = sum(not shout and word[0].isupper() for word, shout in zip(words, whole, strict=True))
    return titles * _TITLE + sum(whole) * 3 * _TITLE


def _weight(char: str, language: Language, encoding: str) -> float:
    """The share of `char` among the language's letters beyond ASCII, about; 0 where it has none such."""
    low = "i" if char == "İ" and language.name == "Turkish" else char.lower()
    if low == "i":
        return 0.05
    if len(low) != 1 or not _belongs(low, language):
        return 0.0
    rank, size = language.letters.find(low), len(language.letters)
    if not language.dense:
        # The last letters of an alphabet are about a thirtieth as frequent as the first.
        return math.exp(-3.5 * rank / size) * 3.5 / size
    plain = {"gb18030": "gb2312", "cp949": "euc_kr", "cp932": "shift_jis"}.get(encoding, encoding)
    try:
        packed = char.encode(plain)
    except UnicodeEncodeError:
        return 0.0  # a later extension, where almost any two bytes are a letter: another encoding misread
    if len(packed) != 2:
        return 0.0
    if rank >= 0:
        return 0.5 / size
    first, last = _FIRST_LEVEL[plain]
    return (0.45 if first <= packed[0] <= last else 0.02) / 3_500


_FIRST_LEVEL = {"gb2312": (0xB0, 0xD7), "big5": (0xA4, 0xC6), "shift_jis": (0x88, 0x98), "euc_jp": (0xB0, 0xCF),
                "euc_kr": (0xB0, 0xC8)}  # fmt: skip
"""First bytes of the letters that make up nearly all of running text; the second levels are rare letters."""


def _mixed(word: str, language: Language) -> bool:
    """Whether letters of two alphabets stand in one word, or capitals within it."""
    if not language.latin and not language.dense and any(char.isascii() for char in word):
        return True
    return any(a.islower() and b.isupper() for a, b in pairwise(word))
