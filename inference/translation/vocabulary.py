"""A closed vocabulary: the things that a small model can draw, in English and Russian, from the profile's table.

The table is tab-separated with a header: `name`, `russian`, `synonyms_en`, `synonyms_ru` (lists with commas), `kind`
and `emoji`; other columns are for whoever draws the training pictures. `colours.tsv` beside it names the colours that
a thing may have. Names and synonyms are matched by dictionary form: plurals in English, all cases in Russian.
"""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import SequenceMatcher, get_close_matches
from functools import cache
from itertools import product
from pathlib import Path

from inference.errors import InvalidRequest
from inference.translation.glossary import load_glossary, word_keys
from inference.translation.morphology import plain
from inference.translation.scripts import has_cyrillic

COLUMNS = ("name", "russian", "synonyms_en", "synonyms_ru", "kind", "emoji")
COLOURS = "colours.tsv"
NEAREST = 4
"""As many names as fit two rows of buttons on a phone."""
_ALIKE = 0.7
"""Of difflib's ratio: "telescop" and "tellescope" pass for "telescope", "stethoscope" does not (0.6)."""
_WORD = re.compile(r"[^\W_]+")
_IRREGULAR = {
    "mice": "mouse", "geese": "goose", "men": "man", "women": "woman", "children": "child", "feet": "foot",
    "teeth": "tooth", "oxen": "ox", "cacti": "cactus", "octopi": "octopus", "loaves": "loaf", "dies": "die",
}  # fmt: skip
_ONLY_PLURAL = frozenset({"glasses", "sunglasses", "goggles"})
"""Not more than one glass: their singular is another thing."""


@dataclass(frozen=True)
class Thing:
    """One thing: its name in prompts and in Russian, other words for it, its kind, and its emoji ("" for none)."""

    name: str
    russian: str
    synonyms: tuple[str, ...] = ()
    russian_synonyms: tuple[str, ...] = ()
    kind: str = ""
    emoji: str = ""


@dataclass
class Vocabulary:
    """All things, by name and by every phrase that names them, and the colours that they may have.

    Build it with `load_vocabulary`.
    """

    things: dict[str, Thing]
    colours: dict[str, Thing] = field(default_factory=dict)
    _phrases: dict[tuple[str, ...], tuple[Thing, str]] = field(default_factory=dict)
    _kinds: dict[str, str] = field(default_factory=dict)
    _shades: dict[str, Thing] = field(default_factory=dict)
    longest: int = 1
    """Words in the longest phrase."""

    _russian: bool = False
    """Whether the index holds the Russian words. Their forms need a dictionary: English requests do not wait for it."""

    def __post_init__(self) -> None:
        for thing in self.things.values():  # every name before any synonym: "orange" is a fruit before it is a ball
            self._add(thing, thing.name, thing.name)
        for thing in self.things.values():
            for words in thing.synonyms:
                kept = set(split(thing.name)) <= set(split(words))  # "coffee cup" says more than "cup"
                self._add(thing, words, words if kept else thing.name)
        for colour in self.colours.values():
            self._add_shades(colour, (colour.name, *colour.synonyms))
        every = (words for thing in self.things.values() for words in (*_names(thing, False), *_names(thing, True)))
        self.longest = max((len(split(words)) for words in every), default=1)

    def _index_for(self, words: Iterable[str]) -> None:
        """Take the Russian words into the index at the first Russian request."""
        if self._russian or not any(map(has_cyrillic, words)):
            return
        self._russian = True
        for thing in self.things.values():
            self._add(thing, thing.russian, thing.name)
        for thing in self.things.values():
            for phrase in thing.russian_synonyms:
                self._add(thing, phrase, thing.name)
        for colour in self.colours.values():
            self._add_shades(colour, (colour.russian, *colour.russian_synonyms))

    def _add_shades(self, colour: Thing, phrases: Iterable[str]) -> None:
        for words in phrases:
            parts = split(words)
            if len(parts) == 1:  # "jet black" is found by its last word
                self._shades.setdefault(parts[0], colour)

    def named(self, words: tuple[str, ...]) -> tuple[Thing, str] | None:
        """The thing that a phrase names, and the English for the prompt; None for what names nothing here."""
        self._index_for(words)
        for forms in product(*map(word_forms, words)):
            if forms in self._phrases:
                return self._phrases[forms]
        joined = "".join(words)  # "teapot" for "tea pot", and the other way about
        return self._phrases.get((joined,)) if len(words) > 1 else None

    def colour(self, word: str) -> Thing | None:
        """The colour that a word in any form names."""
        self._index_for((word,))
        return next((self._shades[form] for form in word_forms(word) if form in self._shades), None)

    def with_emoji(self, text: str) -> Thing | None:
        """The thing whose emoji is all of `text`."""
        given = _bare_emoji(text)
        return next(
            (thing for thing in self.things.values() if thing.emoji and _bare_emoji(thing.emoji) == given), None
        )

    def nearest(self, text: str) -> tuple[str, ...]:
        """Up to four things that may have been meant, in the language of `text`: spelt much alike, then of its kind."""
        russian = has_cyrillic(text)
        every = {plain(words): thing for thing in self.things.values() for words in _names(thing, russian)}
        words = [word for word in split(text) if len(word) > 2]
        asked = set(split(text))
        found = [thing for name, thing in every.items() if asked and asked < set(split(name))]
        found.sort(key=lambda thing: -_likeness(text, _names(thing, russian)[-1]))
        for given in dict.fromkeys([plain(text), *words]):
            found += [every[key] for key in get_close_matches(given, every, n=2, cutoff=_ALIKE)]
        if len(found) < NEAREST:
            found += self._akin(text, russian)
        return tuple(dict.fromkeys(_names(thing, russian)[-1] for thing in found))[:NEAREST]

    def _akin(self, text: str, russian: bool) -> list[Thing]:
        """Things of the kind of what `text` names by the glossary, those spelt most alike first."""
        head = split(text)[:1] if russian else split(text)[-1:]
        kinds = kinds_of(text) or (kinds_of(head[0]) if head else ())
        akin = [thing for kind in kinds for thing in self.things.values() if self._glossary_kind(thing.kind) == kind]
        return sorted(akin, key=lambda thing: -_likeness(text, _names(thing, russian)[-1]))

    def _glossary_kind(self, kind: str) -> str:
        """The file of the glossary that knows most of the things of this kind."""
        if not self._kinds:
            for each in {thing.kind for thing in self.things.values()}:
                counts = Counter(k for t in self.things.values() if t.kind == each for k in kinds_of(t.name))
                best, known = counts.most_common(1)[0] if each and counts else ("", 0)
                self._kinds[each] = best if known * 2 > counts.total() else ""  # treasures are no clothes for a crown
        return self._kinds[kind]

    def _add(self, thing: Thing, words: str, english: str) -> None:
        parts = split(words)
        for forms in product(*map(word_forms, parts)):
            self._phrases.setdefault(forms, (thing, english))
        if len(parts) > 1:
            self._phrases.setdefault(("".join(parts),), (thing, english))


def split(text: str) -> tuple[str, ...]:
    """The words of `text` in the form in which they are compared; hyphens part words, a possessive 's goes.

    >>> split("Dragon's T-shirt"), split("Ёжик")
    (('dragon', 't', 'shirt'), ('ежик',))
    """
    return tuple(_WORD.findall(re.sub(r"['’]s\b", "", plain(text)).replace("'", "").replace("’", "")))


def word_forms(word: str) -> tuple[str, ...]:
    """What `word` may be a form of, itself first.

    >>> word_forms("mice"), word_forms("cherries"), word_forms("knives")
    (('mice', 'mouse'), ('cherries', 'cherry', 'cherrie'), ('knives', 'knif', 'knife', 'knive'))
    """
    if has_cyrillic(word):
        return tuple(dict.fromkeys((word, *sorted(word_keys(word)))))
    return tuple(dict.fromkeys((word, *_singulars(word))))


def _singulars(word: str) -> Iterator[str]:
    if word in _IRREGULAR:
        yield _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(("ss", "us", "is")) or word in _ONLY_PLURAL:
        return
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("ves"):
        yield word[:-3] + "f"
        yield word[:-3] + "fe"
    if word.endswith(("ses", "xes", "zes", "ches", "shes", "oes")):
        yield word[:-2]
    yield word[:-1]


@cache
def kinds_of(words: str) -> tuple[str, ...]:
    """Which files of the shipped glossary know `words`, in either language: animals, food, tools and so on."""
    glossary_kinds = _kinds()
    key = plain(words)
    forms = {" ".join((*split(words)[:-1], form)) for form in word_forms(split(words)[-1])} if split(words) else set()
    return tuple(dict.fromkeys(kind for form in (key, *sorted(forms)) for kind in glossary_kinds.get(form, ())))


@cache
def _kinds() -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for kind, entry in load_glossary().kinds:
        for words in (plain(entry.russian), plain(entry.meanings[0])):
            found[words] = tuple(dict.fromkeys((*found.get(words, ()), kind)))
    return found


def _names(thing: Thing, russian: bool) -> tuple[str, ...]:
    """Everything that names `thing` in a language, its name last."""
    return (*thing.russian_synonyms, thing.russian) if russian else (*thing.synonyms, thing.name)


def _likeness(given: str, name: str) -> float:
    return SequenceMatcher(None, plain(given), plain(name)).ratio()


def _bare_emoji(text: str) -> str:
    """Without the sign that asks for a coloured glyph, and without spaces."""
    return "".join(c for c in text if c != "\ufe0f" and not c.isspace())


@cache
def load_vocabulary(path: Path) -> Vocabulary:
    """The table at `path`, with the colours beside it. Raises InvalidRequest where it cannot be used."""
    colours = path.with_name(COLOURS)
    return Vocabulary(_read(path), _read(colours) if colours.exists() else {})


def _read(path: Path) -> dict[str, Thing]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"the vocabulary {path} cannot be read: {error}") from error
    return {thing.name: thing for thing in _things(lines, path.name)}


def _things(lines: Iterable[str], source: str) -> Iterator[Thing]:
    rows = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
    for column in ("name", "russian"):
        if column not in (rows.fieldnames or ()):
            raise InvalidRequest(f"the vocabulary {source} has no column {column!r}: it needs {', '.join(COLUMNS)}")
    for row in rows:
        cells = {column: (row.get(column) or "").strip() for column in COLUMNS}
        if not cells["name"] or not cells["russian"]:
            raise InvalidRequest(f"the vocabulary {source}, line {rows.line_num}: a name in both languages is needed")
        yield Thing(
            cells["name"], cells["russian"], _listed(cells["synonyms_en"]), _listed(cells["synonyms_ru"]),
            cells["kind"], cells["emoji"],
        )  # fmt: skip


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(",") if part.strip())
