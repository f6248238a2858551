"""A Russian noun phrase to English by the glossary: "с большой кружкой кофе" is "big mug of coffee".

Understood are things with adjectives before or after them, genitives (кружка кофе), prepositions (кот в сапогах),
numerals, lists (меч и щит), appositions (кот-самурай), and Latin words among the Russian ones (красный MacBook).
Ambiguous forms (кружки: of a mug, or mugs) are read by what stands before them. All or nothing: one word that is not
understood fails the whole phrase, so that no part of a wish is dropped in silence.
"""

import re
from dataclasses import dataclass, field

from inference.translation.glossary import Glossary, word_keys
from inference.translation.morphology import is_word, plain
from inference.translation.nouns import (
    FREE,
    LATIN,
    MODIFIER,
    Forms,
    Noun,
    find_adjective,
    find_listed,
    find_noun,
    may_be_named,
)
from inference.translation.wording import (
    ADVERBS,
    BEARERS,
    CLOSINGS,
    CONJUNCTIONS,
    FILLERS,
    NUMERALS,
    OPENINGS,
    PREPOSITIONS,
)

_TOKEN = re.compile(r"[^\W_][\w'’.#+-]*[\w#+]|[^\W_]|[,;/&+]")
_THOUSANDS = re.compile(r"(?<=\d)[ \u00a0](?=\d{3}\b)")


class UnknownWords(Exception):
    """Some words are not in the glossary. `words` are as typed, in order."""

    def __init__(self, words: list[str]) -> None:
        super().__init__(", ".join(words))
        self.words = tuple(words)


@dataclass
class _State:
    """What stands before the word being read: the English so far, and what it says about the next form."""

    pieces: list[tuple[str, ...]] = field(default_factory=list)
    adjectives: list[str] = field(default_factory=list)
    forms: Forms = frozenset()
    cases: tuple[str, ...] = FREE
    many: bool = False
    after_name: bool = False
    noun_at: int | None = None
    """Where in `pieces` the noun is that a genitive or a late adjective would belong to."""


def translate_phrase(text: str, glossary: Glossary) -> list[str]:
    """The English for `text`, likeliest first, at most five readings. Raises UnknownWords."""
    words, after_with = _without_frame(_TOKEN.findall(_THOUSANDS.sub("", text)))
    state = _State(cases=("ablt", *FREE) if after_with else FREE)
    unknown: list[str] = []
    position = 0
    while position < len(words):
        used = _read(words, position, state, glossary)
        if not used:
            unknown.append(words[position])
        position += used or 1
    if state.adjectives and not unknown:
        _place_late_adjectives(state, words, unknown)
    if state.pieces and state.pieces[-1] == (",",):  # "катану, пожалуйста"
        del state.pieces[-1]
        state.noun_at = len(state.pieces) - 1
    if unknown or state.noun_at is None:
        raise UnknownWords(unknown or [text])
    return _variants(state.pieces)


def bare_phrase(text: str) -> str:
    """`text` without what only says that the thing is held: "пусть держит катану" is "катану"."""
    return " ".join(_without_frame(_TOKEN.findall(text))[0])


def cyrillic_words(text: str) -> list[str]:
    """The words of `text` that are not written in Latin letters, as typed."""
    return [word for word in _TOKEN.findall(text) if word[0].isalpha() and not LATIN.fullmatch(word)]


def is_understood_word(word: str, glossary: Glossary) -> bool:
    """Whether `word` is Russian at all: in the dictionary in this form, or a form of something in the glossary."""
    return is_word(word) or find_noun(word, glossary) is not None or find_adjective(plain(word), glossary) is not None


def _read(words: list[str], at: int, state: _State, glossary: Glossary) -> int:
    """Read what stands at `at` into `state`; how many words that took, 0 where it is not understood."""
    word = plain(words[at])
    last = at + 1 == len(words)
    cases = state.cases if state.noun_at is None else MODIFIER
    phrase = find_listed(words, at, glossary, cases, state.many)
    if phrase:
        _add_noun(phrase[0], state)
        return phrase[1]
    if word in (",", ";") or word in CONJUNCTIONS:
        return _read_link(word, state, last)
    if word in PREPOSITIONS and not last:
        if state.adjectives:
            _place_late_adjectives(state, words, [])
        english, state.cases = PREPOSITIONS[word]
        state.pieces.append((english,))
        state.noun_at, state.forms, state.many = None, frozenset(), False
        return 1
    if word in NUMERALS or (word.isdecimal() and not last and not LATIN.fullmatch(words[at + 1])):
        _add_adjective(NUMERALS.get(word, word), state)
        state.many = word != "1"
        return 1
    if word in ADVERBS or any(key in ADVERBS for key in word_keys(word)):
        _add_adjective(next(ADVERBS[key] for key in (word, *word_keys(word)) if key in ADVERBS), state)
        return 1
    if LATIN.fullmatch(words[at]):
        _add_noun(Noun((words[at],), name=True), state)
        return 1
    if FILLERS & word_keys(word):
        return 1
    noun = find_noun(word, glossary, cases, state.forms, state.many)
    adjective = find_adjective(word, glossary)
    if adjective and (noun is None or (not last and may_be_named(words[at + 1], glossary))):
        english, forms = adjective
        _add_adjective(english, state)
        state.forms = (state.forms & forms) or forms
        return 1
    if noun:
        _add_noun(noun, state)
        return 1
    return 0


def _read_link(word: str, state: _State, last: bool) -> int:
    if state.noun_at is None and not state.adjectives and not state.pieces:
        return 1
    if state.noun_at is None and state.adjectives:
        return 1
    if last:
        return 1
    english = CONJUNCTIONS.get(word, ",")
    if state.pieces[-1] != (",",):
        state.pieces.append((english,))
    elif english != ",":
        state.pieces[-1] = (english,)
    state.noun_at, state.forms, state.many = None, frozenset(), False
    return 1


def _add_adjective(english: str, state: _State) -> None:
    state.adjectives.append(english)


def _add_noun(noun: Noun, state: _State) -> None:
    """Put a noun, with the adjectives that wait for it, behind what is there or (an apposition) before it."""
    # "игрушечная машинка" is a toy car, not a toy toy car
    fresh = [word for word in state.adjectives if not noun.meanings[0].startswith(f"{word} ")]
    pieces: list[tuple[str, ...]] = [(word,) for word in fresh]
    pieces.append(noun.meanings)
    # "iPhone 15" and "C++ книга" go on as written; "кот самурай" is a kind of cat; "кружка кофе" is a mug of coffee.
    if state.noun_at is not None and not noun.genitive and not state.adjectives and not state.after_name:
        state.pieces.insert(state.noun_at, noun.meanings)
        state.noun_at += 1
        return
    joined = not state.adjectives and (noun.name or (state.after_name and not noun.genitive))
    if state.noun_at is not None and not joined:
        state.pieces.append(("of",))
    state.pieces += pieces
    state.noun_at = len(state.pieces) - 1
    state.after_name = noun.name
    state.adjectives, state.forms, state.many = [], frozenset(), False


def _place_late_adjectives(state: _State, words: list[str], unknown: list[str]) -> None:
    """Adjectives with no noun after them belong to the noun before them: "зонт красный"."""
    if state.noun_at is None:
        unknown.append(words[-1])
        return
    for english in state.adjectives:
        state.pieces.insert(state.noun_at, (english,))
        state.noun_at += 1
    state.adjectives = []


def _without_frame(words: list[str]) -> tuple[list[str], bool]:
    """`words` without "пусть держит", "с", "в руках" around the thing, and whether "с" stood right before it."""
    lower = [plain(word) for word in words]
    for closing in CLOSINGS:
        size = len(closing.split())
        if len(words) > size and lower[-size:] == closing.split():
            words, lower = words[:-size], lower[:-size]
    start = 0
    if len(words) > 2 and lower[0] in BEARERS and (lower[1] in ("с", "со") or lower[1].startswith("держ")):
        start = 1
    while start < len(words) - 1 and (lower[start] in OPENINGS or lower[start] in (",", ";")):
        start += 1
    return words[start:], start > 0 and lower[start - 1] in ("с", "со")


def _variants(pieces: list[tuple[str, ...]]) -> list[str]:
    """All pieces in their first meaning, then with one piece at a time in another meaning."""
    choices = [[piece[0] for piece in pieces]]
    for index, piece in enumerate(pieces):
        for other in piece[1:]:
            choices.append([*choices[0][:index], other, *choices[0][index + 1 :]])
    return list(dict.fromkeys(" ".join(choice).replace(" ,", ",") for choice in choices))[:5]
