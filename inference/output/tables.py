"""Tables as people save them: CSV of any spreadsheet program, Excel's .xlsx, JSON lines; to lines of named cells.

A line that cannot be read becomes an error with its reason, and the others go on. What a spreadsheet program leaves
behind (`sep=;`, empty columns and lines, one quote too many) spoils nothing but its own line.
"""

import csv
import io
import json
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from configs.archives import ArchiveError, members
from configs.decoding import Undecodable, decode
from configs.foreign import read_regular, what_it_is
from configs.names import unknown_name
from configs.printable import printable
from inference.errors import InvalidRequest

REQUIRED = ("object", "text")
COLUMNS = (*REQUIRED, "seed", "style", "name", "preset")
MOST_BYTES = 64 * 2**20
_MOST_ROWS, _MOST_COLUMNS = 100_000, 64
_MOST_UNPACKED = 128 * 2**20
_LONGEST_RECORD = 50
"""Lines that one cell may go over; a quote that is never closed would swallow the rest of the file."""

Line = tuple[int, dict[str, Any] | str]
"""The line's number from 1, and its cells by column or what is wrong with it."""


@dataclass(frozen=True)
class _Columns:
    """Which columns a table may have, any where none are named, and which it must have."""

    known: Sequence[str]
    required: Sequence[str]


def read_table(
    path: Path, encoding: str = "", columns: Sequence[str] = COLUMNS, required: Sequence[str] = REQUIRED
) -> list[Line]:
    """All lines of the table at `path`. `columns` may stand in it (any, where there are none), `required` must.

    `encoding` is what the user says. Raises InvalidRequest where the file itself is unusable.
    """
    data = read_text_file(path, "batch file")
    wanted = _Columns(columns, required)
    shown = printable(str(path))
    if data.startswith(b"PK\x03\x04"):
        return list(_excel(path, data, wanted))
    what = what_it_is(data[:512])
    if what and "JSON" not in what and what != "it is empty":
        raise InvalidRequest(f"{shown} is not a table ({what}): save it as CSV UTF-8 or .xlsx")
    try:
        text = decode(data, encoding=encoding).text
    except (Undecodable, ValueError) as error:
        raise InvalidRequest(f"{shown} {error}" if isinstance(error, Undecodable) else str(error)) from error
    if path.suffix.lower() in (".jsonl", ".ndjson", ".json") or text.lstrip().startswith("{"):
        return list(_json_lines(text, wanted))
    return list(_csv(text, shown, wanted))


def read_text_file(path: Path, what: str) -> bytes:
    """The bytes of a file that the user named, at most 64 MB; a pipe (`<(...)`, /dev/stdin) too.

    Raises InvalidRequest, which calls it a `what`.
    """
    shown = printable(str(path))
    try:
        if stat.S_ISFIFO(path.stat().st_mode):
            with path.open("rb") as file:
                return file.read(MOST_BYTES)
        return read_regular(path, MOST_BYTES, follow=True)
    except FileNotFoundError as error:
        raise InvalidRequest(f"no such {what}: {shown}") from error
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"cannot read {shown}: {getattr(error, 'strerror', None) or error}") from error


def _excel(path: Path, data: bytes, columns: _Columns) -> Iterator[Line]:
    shown = printable(str(path))
    try:
        names = {member.name for member in members(path, _MOST_UNPACKED)}
    except ArchiveError as error:
        raise InvalidRequest(f"{shown} {error}") from error
    if "xl/workbook.xml" not in names:
        raise InvalidRequest(f"{shown} is not a table (it is a ZIP archive): save it as CSV UTF-8 or .xlsx")
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise InvalidRequest(
            f"{shown} is an Excel workbook: install the extra that reads it (pip install 'samurai-badges[xlsx]'), "
            "or save it as CSV UTF-8"
        ) from error
    try:
        sheet = load_workbook(io.BytesIO(data), read_only=True, data_only=True, keep_links=False).worksheets[0]
        # What the sheet says of its own size is not to be trusted.
        sheet.reset_dimensions()
        rows = [
            ["" if cell is None else str(cell) for cell in row]
            for row in sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True)
        ]
    except Exception as error:  # openpyxl lets whatever its XML and ZIP readers raise through
        reason = f"{type(error).__name__}: {printable(str(error))[:100]}"
        raise InvalidRequest(f"{shown} cannot be read as an Excel workbook: {reason}") from error
    yield from _cells(((number, row) for number, row in enumerate(rows, start=1)), shown, columns, "")


def _csv(text: str, path: str, columns: _Columns) -> Iterator[Line]:
    lines = re.split(r"\r\n|\n|\r", text)
    start = next((n for n, line in enumerate(lines) if line.strip(" ,;\t")), len(lines))
    delimiter = ""
    if start < len(lines) and (said := re.fullmatch(r"\"?sep=(.)\"?[,;\t ]*", lines[start].strip(" "), re.IGNORECASE)):
        delimiter, start = said[1], start + 1
    header = lines[start] if start < len(lines) else ""
    delimiter = delimiter or max(",;\t|", key=header.count)  # no name of a column holds any of them
    yield from _cells(_records(lines, start, delimiter), path, columns, delimiter)


def _records(lines: list[str], start: int, delimiter: str) -> Iterator[tuple[int, list[str] | str]]:
    """(line number, cells or what is wrong) for each record; one may go over several lines within quotes."""
    at = start
    while at < len(lines):
        reader = csv.reader(
            (line + "\n" for line in lines[at : at + _LONGEST_RECORD]), strict=True, delimiter=delimiter
        )
        try:
            cells = next(reader, [])
        except csv.Error as error:
            never = "unexpected end" in str(error)
            problem = "a quote is opened and never closed" if never else f"not valid CSV: {error}"
            yield at + 1, f"{problem}; within a quoted cell write a quote twice"
            at += 1
        else:
            yield at + 1, cells
            at += max(1, reader.line_num)


def _cells(
    records: Iterator[tuple[int, list[str] | str]], path: str, columns: _Columns, delimiter: str
) -> Iterator[Line]:
    header: list[str] | None = None
    for line, cells in records:
        if isinstance(cells, str):
            if header is None:
                raise InvalidRequest(f"{path}, line {line}: {cells}")
            yield line, cells
        elif not any(cell.strip() for cell in cells):
            continue
        elif header is None:
            header = [cell.strip().strip("\ufeff").lower() for cell in cells]
            _check_header(header, path, columns)
        else:
            beyond = [cell for n, cell in enumerate(cells) if cell.strip() and (n >= len(header) or not header[n])]
            if beyond:
                hint = f": quote cells that contain {delimiter!r}" if delimiter else ""
                yield line, f"{len(cells)} cells, but the header has {len([h for h in header if h])}{hint}"
            else:
                yield line, {name: cell for name, cell in zip(header, cells, strict=False) if name}
    if header is None:
        _check_header([], path, columns)


def _check_header(header: list[str], path: str, columns: _Columns) -> None:
    named = [name for name in header if name]
    for name in columns.required:
        if name not in named:
            found = printable(", ".join(named))[:100] or "nothing"
            raise InvalidRequest(
                f"{path}: the column {name!r} is missing: "
                f"the first line must name {','.join(columns.required)} (found: {found})"
            )
    for name in named:
        if columns.known and name not in columns.known:
            raise InvalidRequest(f"{path}: {unknown_name('column', printable(name)[:60], columns.known)}")
        if named.count(name) > 1:
            raise InvalidRequest(f"{path}: the column {name!r} appears {named.count(name)} times: keep one")


def _json_lines(text: str, columns: _Columns) -> Iterator[Line]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            cells = json.loads(line, object_pairs_hook=_once)
        except json.JSONDecodeError as error:
            yield number, f"not valid JSON: {error.msg} (column {error.colno})"
            continue
        except RecursionError:
            yield number, "not valid JSON: nested too deeply"
            continue
        except ValueError as error:  # a key twice, or a number of more digits than Python reads
            yield number, f"not usable: {str(error).split(';')[0]}"
            continue
        if not isinstance(cells, dict):
            yield number, 'not a JSON object: write {"object": ..., "text": ...} on each line, without a list around'
            continue
        unknown = [name for name in cells if columns.known and name not in columns.known]
        missing = [name for name in columns.required if name not in cells]
        if unknown:
            yield number, unknown_name("key", printable(unknown[0])[:60], columns.known)
        elif missing:
            yield number, f"the key {missing[0]!r} is missing"
        else:
            yield number, cells


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {printable(key)[:60]!r} appears twice")
        found[key] = value
    return found
