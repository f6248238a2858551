"""What a person's words come to in a closed vocabulary: a thing, its colour, and whether all of the wish is drawn.

Of an English phrase the head noun counts ("cup of coffee with cream": the cup), of a Russian one the first
("чашка кофе"); a name of several words comes before one of its words. Colours beside the thing are kept; every other
word that says something makes the wish known in part only.
"""

import re
from dataclasses import dataclass, replace

from inference.translation.morphology import agreeing, plain, readings
from inference.translation.scripts import has_cyrillic
from inference.translation.vocabulary import Thing, Vocabulary, split, word_forms
from inference.translation.wording import BEARERS, CLOSINGS, CONJUNCTIONS, FILLERS, OPENINGS, PREPOSITIONS

_COLOUR_WORDS = frozenset({"color", "colour", "colored", "coloured", "цвет"})
_ENGLISH_FILLERS = """
    a an the my your his her its their our this that some one please draw drawing paint make picture image
    samurai character warrior hero he she it is are be who holds holding hold held carrying carries want i id
    would like me to let give show hand hands paw paws s
"""
_FILLERS = frozenset(_ENGLISH_FILLERS.split()) | FILLERS | OPENINGS | BEARERS
_FILLERS |= frozenset(word for phrase in CLOSINGS for word in phrase.split())
_ENGLISH_LINKS = """
    with without in on at from for by under over near behind inside like and or plus beside above against
    between into onto instead about across through around wearing
"""
_LINKS = frozenset(_ENGLISH_LINKS.split()) | frozenset(PREPOSITIONS) | frozenset(CONJUNCTIONS)
_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[,;/&+()]")


@dataclass(frozen=True)
class KnownThing:
    """`thing` with `english`, the words for the prompt (colour included). `partly` where words of the wish are lost,
    `head` where none of those names the thing itself ("guitar player", "piece of cheese")."""

    thing: Thing
    english: str
    colour: Thing | None = None
    partly: bool = False
    head: bool = True


@dataclass(frozen=True)
class _Found:
    """A name that stands at [start, end) of the words, but for those at `skipped`."""

    thing: Thing
    english: str
    start: int
    end: int
    skipped: frozenset[int] = frozenset()


def find_known(text: str, vocabulary: Vocabulary) -> KnownThing | None:
    """What `text` comes to in `vocabulary`; None where nothing in it is known."""
    whole = vocabulary.named(split(text))
    words = [word for token in _TOKEN.findall(plain(text)) for word in (split(token) or (token,))]
    if whole and not any(vocabulary.colour(word) for word in words[:-1]):
        return KnownThing(whole[0], whole[1])
    found = _best(words, vocabulary, _FILLERS) or _best(words, vocabulary, frozenset())
    if found is None:
        return KnownThing(whole[0], whole[1]) if whole else None
    colour, used = _colour_of(words, found, vocabulary)
    english = found.english
    if colour and vocabulary.colour(
        split(english)[0]
    ):  # "golden key" is a word for the key: another colour replaces it
        english = found.thing.name
    named = set(range(found.start, found.end)) - found.skipped
    rest = [word for at, word in enumerate(words) if at not in used | named]
    english = f"{colour.name} {english}" if colour else english
    if whole and whole[1] == english:  # "orange juice" is juice of oranges, no colour of it
        return KnownThing(*whole)
    known = KnownThing(found.thing, english, colour)
    return replace(known, partly=any(_says_something(word) for word in rest), head=_is_head(words, found))


def _best(words: list[str], vocabulary: Vocabulary, fillers: frozenset[str]) -> _Found | None:
    """The name that the phrase is about; one of `fillers` by itself is none ("samurai with a paw" may still be one)."""
    for start, end in _parts(words):
        found = _in_part(words, start, end, vocabulary, fillers)
        if found:
            return found
    return None


def _parts(words: list[str]) -> list[tuple[int, int]]:
    """[start, end) of the stretches between links and signs, in order; a stretch may hold an "of"."""
    parts, start = [], 0
    for at, word in enumerate([*words, ","]):
        if _is_link(word):
            if at > start:
                parts.append((start, at))
            start = at + 1
    return parts


def _is_link(word: str) -> bool:
    return not word[0].isalnum() or word in _LINKS


def _in_part(words: list[str], start: int, end: int, vocabulary: Vocabulary, fillers: frozenset[str]) -> _Found | None:
    """The name in a stretch that begins there; it may reach over a link ("ball of yarn", "мяч для регби")."""
    if "of" in words[start:end]:
        of = words.index("of", start, end)
        return (
            _turned_round(words, start, of, end, vocabulary)
            or _in_part(words, start, of, vocabulary, fillers)
            or _in_part(words, of + 1, end, vocabulary, fillers)
        )
    every = []
    for first in range(start, end):
        for length in range(vocabulary.longest, 0, -1):
            piece = words[first : first + length]
            if len(piece) < length or (length == 1 and piece[0] in fillers):
                continue
            named = vocabulary.named(tuple(word for word in piece if word[0].isalnum()))
            if named:
                every.append(_Found(*named, first, first + length))
    every = [found for found in every if found.end == end or not _is_colour_alone(found, words, vocabulary)]
    every = [found for found in every if not _is_colour_of_another(found, words, every, vocabulary)]
    if not every:
        return None
    if has_cyrillic(words[min(found.start for found in every)]):
        return min(every, key=lambda found: (found.start, -found.end))
    return max(every, key=lambda found: (found.end, -found.start))


def _is_colour_alone(found: _Found, words: list[str], vocabulary: Vocabulary) -> bool:
    """Whether `found` is one word that is a colour too: before other words it is the colour ("orange ball")."""
    return found.end == found.start + 1 and vocabulary.colour(words[found.start]) is not None


def _is_head(words: list[str], found: _Found) -> bool:
    """Whether the phrase is about `found`: in Russian no noun stands before it, in English none after it, and no "of"
    before it."""
    if has_cyrillic(words[found.start]):
        before = [word for word in words[: found.start] if _says_something(word)]
        return not any(found and found[0].kind == "noun" for found in map(readings, before))
    after = next((word for word in words[found.end :]), ",")
    return (_is_link(after) or after == "of") and "of" not in words[: found.start]


def _is_colour_of_another(found: _Found, words: list[str], every: list[_Found], vocabulary: Vocabulary) -> bool:
    """Whether `found` is only the colour of a name after it ("orange cat"), or that name and its colour ("red car")."""
    if not vocabulary.colour(words[found.start]):
        return False
    if found.end == found.start + 1:
        return any(other.start >= found.end for other in every)
    return any(other.end == found.end and other.start > found.start for other in every)


def _turned_round(words: list[str], start: int, of: int, end: int, vocabulary: Vocabulary) -> _Found | None:
    """For "cup of hot coffee": the name "coffee cup", or the very words where they are a name."""
    for first in range(start, of):
        left = tuple(words[first:of])
        for last in range(end, of + 1, -1):
            for begin in range(of + 1, last):
                right = tuple(words[begin:last])
                named = vocabulary.named((*left, "of", *right)) or vocabulary.named((*right, *left))
                if named:
                    return _Found(*named, first, last, frozenset(range(of + 1, begin)))
    return None


def _colour_of(words: list[str], found: _Found, vocabulary: Vocabulary) -> tuple[Thing | None, set[int]]:
    """The colour that is said of the thing, if any, and where the words are that say so."""
    for at in range(found.start - 1, -1, -1):
        if _is_link(words[at]) or words[at] == "of":
            break
        colour = vocabulary.colour(words[at])
        if colour:
            return colour, {at}
    used: set[int] = set()
    said: Thing | None = None
    for at in range(found.end, len(words)):  # "зонт красного цвета", "umbrella, red"
        colour = vocabulary.colour(words[at])
        if colour and said is None:
            said = colour
        elif not (_is_link(words[at]) or words[at] == "of" or _is_colour_word(words[at])):
            return None, set()
        used.add(at)
    return said, used if said else set()


def _is_colour_word(word: str) -> bool:
    return any(form in _COLOUR_WORDS for form in word_forms(word))


def _says_something(word: str) -> bool:
    """Whether leaving `word` out loses a part of the wish."""
    if not word[0].isalnum() or word in _FILLERS or word in _LINKS or word == "of":
        return False
    return not (has_cyrillic(word) and any(form in FILLERS for form in word_forms(word)))


def russian_words(known: KnownThing) -> str:
    """What is drawn, in Russian: the colour agrees with the thing.

    >>> russian_words(Known(Thing("cup", "чашка"), "red cup", Thing("red", "красный")))
    'красная чашка'
    """
    name = known.thing.russian
    return f"{agreeing(known.colour.russian, name)} {name}" if known.colour else name
