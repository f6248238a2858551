"""Russian word forms: what a written word may be the form of, by pymorphy3 and the OpenCorpora dictionary.

pymorphy3 is imported at the first Russian word (about 0.1 s and 40 MB), never before.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pymorphy3 import MorphAnalyzer

Number = Literal["sing", "plur"]

_ENDINGS = (
    "ами", "ями", "ого", "его", "ому", "ему", "ыми", "ими",
    "ов", "ев", "ей", "ам", "ям", "ах", "ях", "ом", "ем", "ой", "ою", "ею", "ью", "ые", "ие", "ый", "ий", "ая", "яя",
    "а", "я", "у", "ю", "е", "и", "ы", "о", "ь", "й",
)  # fmt: skip
_PLURAL_ENDINGS = ("ами", "ями", "ов", "ам", "ям", "ах", "ях", "ы", "и")


@dataclass(frozen=True)
class Reading:
    """One way to read a word. `lemma` is its dictionary form with е for ё.

    `case` is OpenCorpora's name (nomn, gent, datv, accs, ablt, loct, and rarer ones), `score` the probability that
    pymorphy3 gives this reading.
    """

    lemma: str
    kind: Literal["noun", "adjective"]
    case: str
    number: Number
    score: float
    known: bool
    only_plural: bool = False
    """A thing that is one but has no singular: часы, ножницы."""
    breed: bool = False
    """A living thing whose name has one form for all cases: корги, кенгуру."""


def plain(word: str) -> str:
    """`word` in lower case with е for ё, the form in which words are compared."""
    return word.lower().replace("ё", "е")


@lru_cache(maxsize=8192)
def readings(word: str) -> tuple[Reading, ...]:
    """The readings of `word` as noun or adjective, likeliest first; none where it can only be something else."""
    found = []
    for parse in _analyzer().parse(word.lower()):
        part = str(parse.tag.POS)
        number: Number = "plur" if parse.tag.number == "plur" else "sing"
        case = str(parse.tag.case)
        score, known = float(parse.score), bool(parse.is_known)
        if part == "NOUN":
            only_plural, breed = "Pltm" in parse.tag, "Fixd" in parse.tag and "anim" in parse.tag
            found.append(Reading(plain(parse.normal_form), "noun", case, number, score, known, only_plural, breed))
        elif part in ("ADJF", "PRTF"):
            base = parse.inflect({"nomn", "masc", "sing"}) or parse
            found.append(Reading(plain(base.word), "adjective", case, number, score, known))
    return tuple(found)


def is_word(word: str) -> bool:
    """Whether the dictionary has `word` in this very form, as any part of speech."""
    return bool(_analyzer().word_is_known(word.lower()))


def stems(word: str) -> list[tuple[str, Number]]:
    """`word` without each ending that it may have, longest ending first, and the number which that ending hints at.

    For words that no dictionary has (рамен, макбук), where the analyzer can only guess.
    """
    word = plain(word)
    cut: list[tuple[str, Number]] = [(word, "sing")]
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            cut.append((word.removesuffix(ending), "plur" if ending in _PLURAL_ENDINGS else "sing"))
    return cut


def agreeing(adjective: str, phrase: str) -> str:
    """`adjective` (its dictionary form) as it stands before `phrase`, whose first noun is in the nominative.

    >>> agreeing("синий", "чашка"), agreeing("синий", "солнечные очки")
    ('синяя', 'синие')
    """
    for word in phrase.split():
        nouns = [p.tag for p in _analyzer().parse(word) if p.tag.POS == "NOUN" and p.tag.case == "nomn"]
        if not nouns:
            continue
        forms = {"nomn", "plur"} if nouns[0].number == "plur" else {"nomn", "sing", str(nouns[0].gender or "masc")}
        inflected = next(p for p in _analyzer().parse(adjective) if p.tag.POS == "ADJF").inflect(forms)
        return str(inflected.word) if inflected else adjective
    return adjective


@cache
def _analyzer() -> "MorphAnalyzer":
    from pymorphy3 import MorphAnalyzer

    return MorphAnalyzer(lang="ru")
