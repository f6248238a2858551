"""The shipped glossary: several thousand concrete things and adjectives, Russian to English.

Each file of `glossary/` is tab-separated: the dictionary form (one word or several), then the English, the likeliest
meaning for a thing in a hand first and others after `|`. Lines that begin with # are comments.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from inference.translation.morphology import Number, is_word, plain, readings, stems

FOLDER = Path(__file__).with_name("glossary")
ADJECTIVES = "adjectives.tsv"


@dataclass(frozen=True)
class GlossaryEntry:
    """One line: the Russian `words` as written, and its meanings, likeliest first."""

    words: tuple[str, ...]
    meanings: tuple[str, ...]

    @property
    def russian(self) -> str:
        """The Russian side as one string."""
        return " ".join(self.words)


@dataclass
class Glossary:
    """All entries, indexed by dictionary form. Build it with `load_glossary`."""

    nouns: dict[str, GlossaryEntry] = field(default_factory=dict)
    plurals: dict[str, GlossaryEntry] = field(default_factory=dict)
    adjectives: dict[str, GlossaryEntry] = field(default_factory=dict)
    phrases: dict[str, list[GlossaryEntry]] = field(default_factory=lambda: defaultdict(list))
    kinds: list[tuple[str, GlossaryEntry]] = field(default_factory=list)
    """Every thing with the name of its file: animals, food, tools."""
    _coined: dict[str, list[GlossaryEntry]] = field(default_factory=lambda: defaultdict(list))

    def noun(self, lemma: str, number: Number) -> tuple[GlossaryEntry, bool] | None:
        """The entry for a noun and whether its English is still to be put into the plural; None where there is none."""
        if number == "plur" and lemma in self.plurals:
            return self.plurals[lemma], False
        if lemma in self.nouns:
            return self.nouns[lemma], number == "plur"
        return None

    def coined(self, word: str) -> tuple[GlossaryEntry, bool] | None:
        """As `noun`, by its stem, for a word that the dictionary does not have; None where several would fit."""
        for stem, number in stems(word):
            entries = self._coined.get(stem, [])
            if len({entry.meanings for entry in entries}) == 1:
                own_plural = plain(entries[0].russian).endswith(("ы", "и"))
                return entries[0], number == "plur" and not own_plural
        return None

    def near(self, word: str) -> list[str]:
        """Up to three glossary words that are spelt much like `word`; none where it is one itself."""
        if word_keys(word) & (self.nouns.keys() | self.adjectives.keys()):
            return []
        found = get_close_matches(plain(word), [*self.nouns, *self.adjectives], n=3, cutoff=0.75)
        return [(self.nouns.get(key) or self.adjectives[key]).russian for key in found]

    def add(self, entry: GlossaryEntry, adjective: bool) -> None:
        """Put `entry` into the indexes that it belongs to."""
        key = plain(entry.russian)
        if adjective:
            self.adjectives[key] = entry
            return
        if len(entry.words) > 1:
            for first in word_keys(entry.words[0]):
                self.phrases[first].append(entry)
            return
        self.nouns[key] = entry
        if not is_word(entry.words[0]):
            for stem, _ in stems(key):
                self._coined[stem].append(entry)
        elif key.endswith(("ы", "и", "а", "я")):
            for reading in readings(entry.words[0]):
                is_plural = (reading.kind, reading.number, reading.case) == ("noun", "plur", "nomn")
                if is_plural and reading.lemma != key:
                    self.plurals.setdefault(reading.lemma, entry)


def word_keys(word: str) -> frozenset[str]:
    """Everything that `word` may be a form of, itself included: two words match where these sets meet."""
    return frozenset({plain(word), *(reading.lemma for reading in readings(word))})


def read_entries(path: Path) -> list[GlossaryEntry]:
    """The lines of one glossary file, in order."""
    entries = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            russian, english = line.split("\t")
            entries.append(GlossaryEntry(tuple(russian.split()), tuple(english.split("|"))))
    return entries


@cache
def load_glossary() -> Glossary:
    """The shipped glossary, read once (about a third of a second)."""
    glossary = Glossary()
    for path in sorted(FOLDER.glob("*.tsv")):
        for entry in read_entries(path):
            glossary.add(entry, adjective=path.name == ADJECTIVES)
            if path.name != ADJECTIVES:
                glossary.kinds.append((path.stem, entry))
    return glossary
