"""The demo's vocabulary, from the tables that ship beside its weights: things with their words, and colours.

`inference/demo/vocabulary.tsv` has a row a thing; one without an emoji is drawn by a function of `things/`. A new
emoji thing is one more row, no code.
"""

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

Color = tuple[int, int, int]
FOLDER = Path(__file__).parents[3] / "inference" / "demo"


@dataclass(frozen=True)
class Row:
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
def rows() -> dict[str, Row]:
    """All things by name, in the order of the table."""
    return {r["name"]: Row(r["name"], _words(r["synonyms_en"]), r["kind"], r["emoji"], r["pose"])
            for r in _table("vocabulary.tsv")}  # fmt: skip


@cache
def colours() -> dict[str, Colour]:
    """The colour words by name."""
    found = {}
    for r in _table("colours.tsv"):
        number = int(r["rgb"][1:], 16)
        rgb = (number >> 16, number >> 8 & 255, number & 255)
        found[r["name"]] = Colour(r["name"], _words(r["synonyms_en"]), rgb)
    return found


def _table(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def _words(cell: str) -> tuple[str, ...]:
    return tuple(word for word in cell.split(", ") if word)
