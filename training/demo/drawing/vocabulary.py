"""The demo's vocabulary, from the tables that ship beside its weights: things with their words, and colours.

`inference/demo/vocabulary.tsv` has a row for each thing that the shipped weights draw; `candidates.tsv` here has those
that they do not draw well enough yet, which a longer training may. A thing without an emoji is drawn by a function of
`things/`. A new emoji thing is one more row, no code.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Color = tuple[int, int, int]
FOLDER = Path(__file__).parents[3] / "inference" / "demo"
VOCABULARY, CANDIDATES = FOLDER / "vocabulary.tsv", Path(__file__).with_name("candidates.tsv")


@dataclass(frozen=True)
class VocabularyRow:
    """One thing's words; `pose` says how its emoji is turned (mirror, flip, turn, or nothing)."""

    name: str
    synonyms: tuple[str, ...]
    kind: str
    emoji: str
    pose: str


@dataclass(frozen=True)
class Colour:
    """A colour word, other words for it, and what it looks like on the pictures."""

    name: str
    synonyms: tuple[str, ...]
    rgb: Color


@cache
def shipped() -> dict[str, VocabularyRow]:
    """The things of the shipped vocabulary by name, in the order of its table."""
    return {r["name"]: VocabularyRow(r["name"], _words(r["synonyms_en"]), r["kind"], r["emoji"], r["pose"])
            for r in _table(VOCABULARY)}  # fmt: skip


@cache
def rows() -> dict[str, VocabularyRow]:
    """All things that can be drawn for training, by name in alphabetical order: the order of labels and classes."""
    found = {r["name"]: VocabularyRow(r["name"], _words(r["synonyms_en"]), r["kind"], r["emoji"], r["pose"])
             for r in _table(CANDIDATES)}  # fmt: skip
    return dict(sorted({**shipped(), **found}.items()))


@cache
def colours() -> dict[str, Colour]:
    """The colour words by name."""
    found = {}
    for r in _table(FOLDER / "colours.tsv"):
        number = int(r["rgb"][1:], 16)
        rgb = (number >> 16, number >> 8 & 255, number & 255)
        found[r["name"]] = Colour(r["name"], _words(r["synonyms_en"]), rgb)
    return found


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word for word in cell.split(", ") if word)
