"""The glossary's files: well formed, small, without contradictions, and every line reachable as it stands."""

import doctest
import importlib
import re

import pytest

from inference.translation.glossary import ADJECTIVES, FOLDER, load_glossary, read_entries
from inference.translation.phrase import translate_phrase

FILES = sorted(FOLDER.glob("*.tsv"))


def test_thousands_of_things_in_a_few_kilobytes() -> None:
    assert sum(len(read_entries(path)) for path in FILES) >= 5000
    assert sum(path.stat().st_size for path in FILES) <= 300_000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_lines_are_well_formed(path: object) -> None:
    for entry in read_entries(FOLDER / str(path)):
        assert re.fullmatch(r"[а-яёa-z0-9\- ]+", entry.russian), entry
        assert entry.meanings
        assert all(re.fullmatch(r"[A-Za-z0-9'\- ]+", meaning) for meaning in entry.meanings), entry
        assert len(set(entry.meanings)) == len(entry.meanings), entry


def test_no_word_is_listed_twice() -> None:
    things = [entry.russian for path in FILES if path.name != ADJECTIVES for entry in read_entries(path)]
    adjectives = [entry.russian for entry in read_entries(FOLDER / ADJECTIVES)]
    assert sorted(set(things)) == sorted(things)
    assert sorted(set(adjectives)) == sorted(adjectives)


def test_every_thing_is_understood_as_it_is_listed() -> None:
    glossary = load_glossary()
    wrong = {}
    for path in FILES:
        for entry in read_entries(path):
            wish = f"{entry.russian} меч" if path.name == ADJECTIVES else entry.russian
            meant = f"{entry.meanings[0]} sword" if path.name == ADJECTIVES else entry.meanings[0]
            if translate_phrase(wish, glossary)[0] != meant:
                wrong[wish] = translate_phrase(wish, glossary)
    allowed = {"самурайский меч", "двуручный меч", "алмазный меч"}  # things of their own
    assert set(wrong) <= allowed, wrong


@pytest.mark.parametrize(
    "name", ["inference.translation.english", "inference.translation.scripts", "inference.translation.marian"]
)
def test_examples_in_docstrings(name: str) -> None:
    results = doctest.testmod(importlib.import_module(name))
    assert results.attempted > 0
    assert results.failed == 0
