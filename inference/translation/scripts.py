"""Which writing a text is in, and what can be said about it without any dictionary.

FLUX.1's text encoders know English: Latin letters go through. Of the other scripts only Russian is translated; here
the rest is recognised by its letters, so that the message can name it, and emoji are turned into their Unicode names.
"""

import re
import unicodedata

_LANGUAGES = {
    "ґєії": "Ukrainian", "ўі": "Belarusian", "ђљњћџј": "Serbian or Macedonian",
    "әғқңөұүһі": "Kazakh", "җ": "Tatar",
}  # fmt: skip
_SCRIPTS = {
    "CJK": "Chinese", "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "ARABIC": "Arabic",
    "HEBREW": "Hebrew", "GREEK": "Greek", "ARMENIAN": "Armenian", "GEORGIAN": "Georgian", "DEVANAGARI": "Hindi",
    "THAI": "Thai", "BENGALI": "Bengali", "TAMIL": "Tamil",
}  # fmt: skip
_RUSSIAN = frozenset("абвгдеёжзийклмнопрстуфхцчшщъыьэюя")
_LATIN_TWINS = str.maketrans("aceopxyABCEHKMOPTX", "асеорхуАВСЕНКМОРТХ")
_CYRILLIC_TWINS = str.maketrans("асеорхуАВСЕНКМОРТХ", "aceopxyABCEHKMOPTX")
_GLYPH_WORDS = re.compile(r"^(heavy |white |black |medium |small |large )+|( sign| symbol)+$")
_FLAG_LETTER = "REGIONAL INDICATOR SYMBOL LETTER "


def letters_of(text: str) -> str:
    """The letters of `text`, in order."""
    return "".join(c for c in text if unicodedata.category(c).startswith("L"))


def has_cyrillic(text: str) -> bool:
    """Whether any letter of `text` is Cyrillic."""
    return any(_script(c) == "CYRILLIC" for c in letters_of(text))


def other_language(text: str) -> str:
    """The language that `text` seems to be in, by its letters; "" for what may be English or Russian.

    >>> other_language("парасолька з їжаком"), other_language("қылыш"), other_language("刀"), other_language("зонт")
    ('Ukrainian', 'Kazakh', 'Chinese', '')
    """
    letters = letters_of(text.lower())
    odd = {c for c in letters if _script(c) == "CYRILLIC" and c not in _RUSSIAN}
    if odd:
        best = max(_LANGUAGES, key=lambda marks: len(odd & set(marks)))
        return _LANGUAGES[best] if odd & set(best) else "another language in Cyrillic letters"
    scripts = [_script(c) for c in letters if _script(c) not in ("LATIN", "CYRILLIC", "FULLWIDTH")]
    if "HIRAGANA" in scripts or "KATAKANA" in scripts:
        return "Japanese"
    return _SCRIPTS.get(scripts[0], "a language that is not known here") if scripts else ""


def one_alphabet(text: str) -> str:
    """`text` with full-width letters made plain, and each word that mixes look-alike letters in one alphabet.

    >>> one_alphabet("\uff4b\uff41\uff54"), one_alphabet("к\u006fт") == "к\u043eт"
    ('kat', True)
    """
    if any(_script(c) == "FULLWIDTH" for c in text):
        text = unicodedata.normalize("NFKC", text)
    return " ".join(_one_alphabet(word) for word in text.split())


def _one_alphabet(word: str) -> str:
    scripts = {_script(c) for c in letters_of(word)}
    if scripts != {"LATIN", "CYRILLIC"} or "-" in word:
        return word
    for twins, script in ((_LATIN_TWINS, "CYRILLIC"), (_CYRILLIC_TWINS, "LATIN")):
        repaired = word.translate(twins)
        if {_script(c) for c in letters_of(repaired)} == {script}:
            return repaired
    return word


def without_emoji(text: str) -> str:
    """`text` without emoji and the signs that join or colour them."""
    return " ".join("".join(" " if _is_emoji(c) else c for c in text).split())


def emoji_names(text: str) -> str:
    """The Unicode names of the emoji in `text`, in lower case, without words that only describe the glyph.

    >>> emoji_names("🔭"), emoji_names("❤️"), emoji_names("🇯🇵")
    ('telescope', 'heart', 'flag of JP')
    """
    names, flag = [], ""
    for c in text:
        name = unicodedata.name(c, "")
        if name.startswith(_FLAG_LETTER):
            flag += name.removeprefix(_FLAG_LETTER)
        elif unicodedata.category(c) == "So" and name:
            names.append(_GLYPH_WORDS.sub("", name.lower()))
    if flag:
        names.append(f"flag of {flag}")
    return " and ".join(names)


def _is_emoji(c: str) -> bool:
    return unicodedata.category(c) in ("So", "Sk") or c in "\u200d\ufe0f\u20e3"


def _script(c: str) -> str:
    return unicodedata.name(c, "").split(" ")[0]
