"""Reading a list of names: a name a line, or a table (CSV, .xlsx, JSON lines) with a column `text`."""

from dataclasses import dataclass
from pathlib import Path

from configs.decoding import Undecodable, decode
from configs.printable import printable
from inference.errors import InvalidRequest
from inference.output.tables import read_table, read_text_file

MOST_NAMES = 100_000
"""A page of so many badges is still read by a browser; a longer list is two."""
_TABLES = (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".xlsx")


@dataclass(frozen=True)
class Name:
    """A name as it was typed, the line it stands on (from 1), and why it cannot be read, where that is so."""

    line: int
    text: str
    problem: str = ""


def read_names(path: Path, encoding: str = "") -> list[Name]:
    """All names of the list, in order, empty lines left out. Raises InvalidRequest where the file is unusable."""
    shown = printable(str(path))
    if path.suffix.lower() in _TABLES:
        names = [_from_cells(line, cells) for line, cells in read_table(path, encoding, (), ("text",))]
    else:
        data = read_text_file(path, "list of names")
        if data.startswith(b"PK\x03\x04"):
            raise InvalidRequest(f"{shown} is a spreadsheet or an archive: save the names as CSV, or one a line")
        try:
            text = decode(data, encoding=encoding).text
        except (Undecodable, ValueError) as error:
            raise InvalidRequest(f"{shown} {error}" if isinstance(error, Undecodable) else str(error)) from error
        names = [Name(line, each) for line, each in enumerate(text.splitlines(), start=1) if each.strip()]
    if not names:
        raise InvalidRequest(f"{shown} holds no names: write one a line, or a CSV column called text")
    if len(names) > MOST_NAMES:
        raise InvalidRequest(f"{shown} holds {len(names)} names: at most {MOST_NAMES}, so split it")
    return names


def _from_cells(line: int, cells: dict[str, object] | str) -> Name:
    if isinstance(cells, str):
        return Name(line, "", cells)
    said = cells.get("text", "")
    return (
        Name(line, said) if isinstance(said, str) else Name(line, str(said)[:200], "the name must be words in quotes")
    )
