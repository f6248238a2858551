"""Reading a batch: CSV or JSON lines to rows, each with its line number; bad rows are told apart, not fatal.

Columns are `object` and `text`, and optionally `seed`, `style`, `name` (the image's file name without `.png`), with
commas between, or semicolons or tabs, as spreadsheet programs write in many countries. JSON lines hold one object a
line with the same keys. A file that cannot be read as a whole raises InvalidRequest.
"""

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.names import unknown_name
from inference.errors import InvalidRequest
from inference.types import BadgeRequest

_REQUIRED = ("object", "text")
_COLUMNS = (*_REQUIRED, "seed", "style", "name")
_RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d|index|manifest)", re.IGNORECASE)


@dataclass(frozen=True)
class Row:
    """One badge of a batch: the line it stands on (from 1), its file name without ending, and the request."""

    line: int
    name: str
    request: BadgeRequest


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be drawn, and why."""

    line: int
    problem: str


def read_rows(path: Path) -> list[Row | BadRow]:
    """All rows of the batch file, in order. Raises InvalidRequest where the file itself is unusable."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InvalidRequest(f"no such batch file: {path}") from error
    except UnicodeDecodeError as error:
        raise InvalidRequest(f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8") from error
    except OSError as error:
        raise InvalidRequest(f"cannot read {path}: {error.strerror}") from error
    json_lines = path.suffix in (".jsonl", ".ndjson", ".json") or text.lstrip().startswith("{")
    rows: list[Row | BadRow] = []
    taken: dict[str, int] = {}
    for number, (line, cells) in enumerate(_json_lines(text) if json_lines else _csv(text, path), start=1):
        try:
            row = _row(line, number, cells)
            first = taken.setdefault(row.name.casefold(), line)
            if first != line:
                raise InvalidRequest(f"the name {row.name!r} is taken by line {first}: choose another")
            rows.append(row)
        except InvalidRequest as error:
            rows.append(BadRow(line, str(error)))
    if not rows:
        raise InvalidRequest(f"{path} holds no rows: write one badge a line under the header object,text")
    return rows


def _csv(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any] | str]]:
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)  # no name of a column holds any of them
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=delimiter)
    line = 1
    try:
        header = [cell.strip().lower() for cell in next(reader, [])]
        _check_header(header, path)
        line = reader.line_num + 1
        for cells in reader:
            if len(cells) > len(header):
                yield (
                    line,
                    f"{len(cells)} cells, but the header has {len(header)}: quote cells that contain {delimiter!r}",
                )
            elif any(cell.strip() for cell in cells):
                yield line, dict(zip(header, cells, strict=False))
            line = reader.line_num + 1
    except csv.Error as error:
        raise InvalidRequest(f"{path}, line {line}: not valid CSV: {error}") from error


def _check_header(header: list[str], path: Path) -> None:
    for name in _REQUIRED:
        if name not in header:
            found = ", ".join(header) or "nothing"
            raise InvalidRequest(
                f"{path}: the column {name!r} is missing: the first line must name object,text (found: {found})"
            )
    for name in header:
        if name not in _COLUMNS:
            raise InvalidRequest(f"{path}: {unknown_name('column', name, _COLUMNS)}")


def _json_lines(text: str) -> Iterator[tuple[int, dict[str, Any] | str]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line)
        except json.JSONDecodeError as error:
            yield number, f"not valid JSON: {error.msg} (column {error.colno})"
            continue
        except RecursionError:
            yield number, "not valid JSON: nested too deeply"
            continue
        if not isinstance(cells, dict):
            yield number, 'not a JSON object: write {"object": ..., "text": ...} on each line, without a list around'
            continue
        unknown = [name for name in cells if name not in _COLUMNS]
        missing = [name for name in _REQUIRED if name not in cells]
        if unknown:
            yield number, unknown_name("key", unknown[0], _COLUMNS)
        elif missing:
            yield number, f"the key {missing[0]!r} is missing"
        else:
            yield number, cells


def _row(line: int, number: int, cells: dict[str, Any] | str) -> Row:
    if isinstance(cells, str):
        raise InvalidRequest(cells)
    words = {}
    for key in ("object", "text", "style", "name"):
        value = cells.get(key)
        if not isinstance(value, str | None):
            raise InvalidRequest(f"{key!r} must be words in quotes, not {value!r}")
        words[key] = value or ""
    request = BadgeRequest(words["object"], words["text"], _seed(cells.get("seed")), words["style"].strip() or None)
    name = words["name"].strip()
    return Row(line, _checked_name(name) if name else f"{number:04d}-{slug(words['object'])}", request)


def _seed(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidRequest(f"seed {value!r} is not a whole number")
    return value


def _checked_name(name: str) -> str:
    stem = name.removesuffix(".png")
    if (
        not re.fullmatch(r"[\w][\w. ()+-]*", stem)
        or len(stem.encode()) > 120
        or _RESERVED.fullmatch(stem)
        or stem.endswith((".", " "))
    ):
        raise InvalidRequest(f"the name {name!r} cannot be a file name: use letters, digits, '-' and '_'")
    return stem


def slug(text: str) -> str:
    """A short file name part: letters and digits of any script, joined by '-'."""
    words = re.findall(r"\w+", unicodedata.normalize("NFC", text).lower())
    return "-".join(words)[:40].strip("-_") or "badge"
