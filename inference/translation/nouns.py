"""Which thing of the glossary a Russian word or phrase names, in whatever form it stands.

Several readings are ranked by the adjectives before them, then by being the dictionary form itself, then by the case
that the place asks for, then by how common they are.
"""

import re
from dataclasses import dataclass

from inference.translation.english import plural
from inference.translation.glossary import Glossary, GlossaryEntry, word_keys
from inference.translation.morphology import Reading, plain, readings
from inference.translation.wording import CONJUNCTIONS, PREPOSITIONS

FREE = ("nomn", "accs", "ablt", "gent", "gen2")
"""Cases of a thing that stands by itself, likeliest first."""
MODIFIER = ("gent", "gen2")
"""Cases of a thing right after another one."""
LATIN = re.compile(r"[A-Za-z0-9À-ɏ][A-Za-z0-9À-ɏ'’.#+-]*")

Forms = frozenset[tuple[str, str]]
"""(case, number) pairs that a word may stand in."""


@dataclass(frozen=True)
class Noun:
    """A thing found: its meanings in English, in the right number, and whether it may be a genitive after a noun."""

    meanings: tuple[str, ...]
    genitive: bool = True
    name: bool = False
    """Written in Latin letters or digits by the person."""


def find_noun(
    word: str, glossary: Glossary, cases: tuple[str, ...] = FREE, forms: Forms = frozenset(), many: bool = False
) -> Noun | None:
    """What `word` names: the reading that fits best to the cases expected and to the adjectives before it (`forms`)."""
    word = plain(word)
    ranked: list[tuple[tuple[bool, bool, int, float], GlossaryEntry, bool]] = []
    own = [reading for reading in readings(word) if reading.kind == "noun"]
    if word in glossary.nouns:
        of_many = bool(forms) and {number for _, number in forms} == {"plur"} and any(r.number == "plur" for r in own)
        ranked.append(((False, False, 0, 0.0), glossary.nouns[word], of_many and not any(r.only_plural for r in own)))
    for reading in own:
        found = glossary.noun(reading.lemma, reading.number)
        if found:
            entry, to_plural = found
            disagrees = bool(forms) and (_broad(reading.case), reading.number) not in forms
            rank = cases.index(reading.case) if reading.case in cases else len(cases)
            to_plural = to_plural and not reading.only_plural
            ranked.append(((disagrees and not many, True, rank, -reading.score), entry, to_plural))
    genitive = any(reading.case in MODIFIER and not reading.breed for reading in own)
    if not ranked:
        other = _guess(word, glossary)
        if not other:
            return _compound(word, glossary, cases)
        ranked, genitive = [((False, False, 0, 0.0), *other)], True
    ranked.sort(key=lambda item: item[0])
    best, to_plural = ranked[0][1:]
    meanings = list(best.meanings)
    for _, entry, _ in ranked[1:]:
        meanings += [meaning for meaning in entry.meanings if entry is not best and meaning not in meanings]
    if to_plural or (many and plain(best.russian) not in glossary.plurals):
        meanings = [plural(meaning) for meaning in meanings]
    return Noun(tuple(meanings), genitive)


def _guess(word: str, glossary: Glossary) -> tuple[GlossaryEntry, bool] | None:
    """By the stem, for what the dictionary does not have; None for a word that it knows to be another."""
    if any(reading.known for reading in readings(word)):
        return None
    return glossary.coined(word)


def _compound(word: str, glossary: Glossary, cases: tuple[str, ...]) -> Noun | None:
    """For "кот-самурай": what the second part names tells what kind of the first it is."""
    first, dash, second = word.partition("-")
    if not dash or not first or not second:
        return None
    thing, kind = find_noun(first, glossary, cases), find_noun(second, glossary, ("nomn", *cases))
    if thing is None or kind is None:
        return None
    return Noun((f"{kind.meanings[0]} {thing.meanings[0]}",), thing.genitive)


def find_adjective(word: str, glossary: Glossary) -> tuple[str, Forms] | None:
    """The English of an adjective, and the forms that a noun after it may have; None for one that is not listed."""
    own = [r for r in readings(word) if r.kind == "adjective" and r.lemma in glossary.adjectives]
    if own:
        english = glossary.adjectives[own[0].lemma].meanings[0]
        return english, _forms(own)
    if word in glossary.adjectives:
        return glossary.adjectives[word].meanings[0], frozenset()
    return None


def may_be_named(word: str, glossary: Glossary) -> bool:
    """Whether an adjective may belong to `word`: another adjective, a thing, or a name in Latin letters."""
    if plain(word) in PREPOSITIONS or plain(word) in CONJUNCTIONS or word in (",", ";"):
        return False
    return bool(LATIN.fullmatch(word) or find_adjective(plain(word), glossary) or find_noun(word, glossary))


def find_listed(
    words: list[str], at: int, glossary: Glossary, cases: tuple[str, ...], many: bool
) -> tuple[Noun, int] | None:
    """The longest entry of several words that stands at `at`, in whatever form, and how many words it takes."""
    best: tuple[tuple[int, bool], GlossaryEntry, bool] | None = None
    for key in word_keys(words[at]):
        for entry in glossary.phrases.get(key, ()):
            size = len(entry.words)
            given = words[at : at + size]
            if len(given) < size or not all(map(_same_word, given, entry.words)):
                continue
            listed = _head_number(entry.words, ("nomn",))
            number = _head_number(given, cases)
            rank = (size, listed == number)
            if best is None or rank > best[0]:
                best = rank, entry, listed == "sing" and (number == "plur" or many)
    if best is None:
        return None
    (size, _), entry, to_plural = best
    meanings = tuple(plural(meaning) for meaning in entry.meanings) if to_plural else entry.meanings
    return Noun(meanings), size


def _same_word(given: str, listed: str) -> bool:
    return bool(word_keys(given) & word_keys(listed))


def _head_number(words: list[str] | tuple[str, ...], cases: tuple[str, ...]) -> str:
    """The number of a phrase: of its first noun, as far as the adjectives before it allow."""
    forms: Forms = frozenset()
    for word in words:
        own = readings(plain(word))
        adjectives = [reading for reading in own if reading.kind == "adjective"]
        nouns = [reading for reading in own if reading.kind == "noun"]
        if adjectives and (not nouns or adjectives[0].score >= nouns[0].score) and word is not words[-1]:
            forms = _forms(adjectives)
            continue
        agreeing = [reading for reading in nouns if (_broad(reading.case), reading.number) in forms]
        fitting = agreeing or nouns
        if fitting:
            return min(fitting, key=lambda r: (cases.index(r.case) if r.case in cases else len(cases), -r.score)).number
    return "sing"


def _forms(own: list[Reading]) -> Forms:
    return frozenset((_broad(reading.case), reading.number) for reading in own)


def _broad(case: str) -> str:
    """The case that adjectives agree in: the second genitive and locative are forms of nouns alone."""
    return {"gen2": "gent", "gen1": "gent", "loc2": "loct", "loc1": "loct", "acc2": "accs"}.get(case, case)
