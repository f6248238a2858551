"""Reading a batch: the lines of a table to rows, each with its line number; bad rows are reported, not fatal.

Columns are `object` and `text`, and optionally `seed`, `style`, `name` (the image's file name without `.png`) and
`preset`. A file that cannot be read as a whole raises InvalidRequest (see `tables`).
"""

import re
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import regex

from configs.printable import printable
from inference.errors import InvalidRequest
from inference.output.tables import read_table
from inference.types import MAX_SEED, BadgeRequest

_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|index|manifest)", re.IGNORECASE)
_NAME = regex.compile(r"[\p{L}\p{N}_][\p{L}\p{M}\p{N}\u200c\u200d_. ()+-]*")
_WORD = regex.compile(r"[\p{L}\p{N}_][\p{L}\p{M}\p{N}\u200c\u200d_]*")
"""Combining marks belong to their letters: without them Hindi is no Hindi."""


@dataclass(frozen=True)
class Row:
    """One badge of a batch: the line it stands on (from 1), its file name without ending, and the request.

    `named` says whether that name was asked for, or made from the row's place and object.
    """

    line: int
    name: str
    request: BadgeRequest
    named: bool = False
    preset: str = ""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be drawn, why, and what it asks for as it was typed."""

    line: int
    problem: str
    object: str = field(default="", compare=False)
    text: str = field(default="", compare=False)


def read_rows(path: Path, encoding: str = "") -> list[Row | BadRow]:
    """All rows of the batch file, in order. `encoding` is what the user says it is in, "" where he does not.

    Raises InvalidRequest where the file itself is unusable.
    """
    rows: list[Row | BadRow] = []
    taken: dict[str, int] = {}
    for number, (line, cells) in enumerate(read_table(path, encoding), start=1):
        try:
            row = _row(line, number, cells)
            first = taken.setdefault(row.name.casefold(), line)
            if first != line:
                raise InvalidRequest(f"the name {row.name!r} is taken by line {first}: choose another")
            rows.append(row)
        except InvalidRequest as error:
            typed = {key: cells.get(key) for key in ("object", "text")} if isinstance(cells, dict) else {}
            rows.append(BadRow(line, str(error), **{key: str(value or "") for key, value in typed.items()}))
    if not rows:
        raise InvalidRequest(
            f"{printable(str(path))} holds no rows: write one badge a line under the header object,text"
        )
    return rows


def _row(line: int, number: int, cells: dict[str, Any] | str) -> Row:
    if isinstance(cells, str):
        raise InvalidRequest(cells)
    words = {}
    for key in ("object", "text", "style", "name", "preset"):
        value = cells.get(key)
        if not isinstance(value, str | None):
            raise InvalidRequest(f"{key!r} must be words in quotes, not {_short(value)}")
        words[key] = value or ""
    request = BadgeRequest(words["object"], words["text"], _seed(cells.get("seed")), words["style"].strip() or None)
    name = unicodedata.normalize("NFC", words["name"].strip())
    called = _checked_name(name) if name else f"{number:04d}-{slug(words['object'])}"
    return Row(line, called, request, named=bool(name), preset=words["preset"].strip())


def _seed(value: Any) -> int | None:
    """A seed as people and spreadsheet programs write it: 7, "7", 7.0, "7,0"."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    given = value
    if isinstance(value, str):
        found = re.fullmatch(r"([+-]?)(\d{1,4300})(?:[.,]0+)?", value.strip().replace("\u00a0", ""))
        value = int(found[1] + found[2]) if found and len(found[2]) < 20 else MAX_SEED + 1 if found else value
    elif isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(f"seed {_short(given)} is not a whole number")
    if not 0 <= value <= MAX_SEED:
        raise InvalidRequest(f"seed {_short(given).strip(chr(39))} is out of range: choose 0 to {MAX_SEED}")
    return value


def _short(value: Any) -> str:
    shown = repr(value) if not isinstance(value, int) or -(10**40) < value < 10**40 else "a number of many digits"
    return printable(shown if len(shown) <= 40 else f"{shown[:37]}...")


def _checked_name(name: str) -> str:
    stem = name.removesuffix(".png")
    if (
        not _NAME.fullmatch(stem)
        or len(stem.encode("utf-8", "surrogatepass")) > 120
        or _RESERVED.fullmatch(stem.partition(".")[0])
        or stem.endswith((".", " "))
    ):
        raise InvalidRequest(f"the name {_short(name)} cannot be a file name: use letters, digits, '-' and '_'")
    return stem


def slug(text: str) -> str:
    """A short file name part: letters and digits of any script, joined by '-'."""
    words = _WORD.findall(unicodedata.normalize("NFC", text).lower())
    joined = "-".join(words)[:40]
    while joined and unicodedata.category(joined[-1]) in ("Pd", "Pc"):
        joined = joined[:-1]
    return joined.strip("-_") or "badge"
