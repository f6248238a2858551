"""What of a batch is finished already: rows are known by what they ask for, never by their place in the file.

A row on top, another order or a new `name` changes no other row's work: a finished badge is found by its key (object,
text, style, seed, size, prompt, model, LoRA; see `recipe.work_key`) wherever it lies in the folder. Rows that ask for
the very same get as many badges as there are rows.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from configs.foreign import kind_of
from inference.errors import InvalidRequest, RenderFailed
from inference.files import append_line
from inference.output.manifest import MANIFEST, Entry
from inference.output.recipe import read_recipe
from inference.output.rows import Row


class Work(Protocol):
    """What is matched: a row, and the key of what it asks for."""

    @property
    def row(self) -> Row: ...
    @property
    def key(self) -> str: ...


W = TypeVar("W", bound=Work)


def assign(works: Sequence[W], known: Mapping[str, Entry], out: Path) -> list[tuple[W, Entry | None]]:
    """Each work with the entry of its finished badge in `out`, or None with a row whose file is free to be written.

    A badge whose row has another `name` now is renamed. `known` are the manifest's entries by file.
    """
    by_key = _finished(known, out)
    taken: set[str] = set()
    found: dict[int, Entry] = {}

    def claim(number: int, entry: Entry) -> None:
        found[number] = entry
        taken.add(entry.file.casefold())
        by_key[entry.key].remove(entry)

    for number, work in enumerate(works):
        entry = next((e for e in by_key.get(work.key, ()) if e.file == f"{work.row.name}.png"), None)
        if entry:
            claim(number, entry)
    for number, work in enumerate(works):
        if number not in found and by_key.get(work.key):
            claim(number, by_key[work.key][0])
    result: list[tuple[W, Entry | None]] = []
    for number, work in enumerate(works):
        entry = found.get(number)
        if entry and work.row.named and entry.file != f"{work.row.name}.png":
            entry = _renamed(entry, f"{work.row.name}.png", taken, out)
        if entry is None:
            row = work.row if work.row.named else _with_free_name(work.row, taken, out)
            taken.add(f"{row.name}.png".casefold())
            work = dataclasses.replace(work, row=row)  # type: ignore[type-var]
        result.append((work, entry))
    return result


def _finished(known: Mapping[str, Entry], out: Path) -> dict[str, list[Entry]]:
    """Every finished badge in `out` by its key, in the files' order; those whose manifest line was lost are adopted."""
    found: dict[str, list[Entry]] = {}
    for path in sorted(out.glob("*.png")):
        if not _is_plain(path):
            continue
        entry = known.get(path.name) or _adopted(path, out)
        if entry and entry.key:
            found.setdefault(entry.key, []).append(entry)
    return found


def _adopted(path: Path, out: Path) -> Entry | None:
    """The entry of a badge that a run wrote and was killed before it could say so, from the PNG itself."""
    try:
        recipe = read_recipe(path)
    except InvalidRequest:
        return None
    if not recipe.key:
        return None
    entry = Entry(**{**recipe.model_dump(), "file": path.name, "seconds": 0.0, "cost_usd": 0.0})
    append_line(out / MANIFEST, entry.model_dump_json())
    return entry


def _renamed(entry: Entry, file: str, taken: set[str], out: Path) -> Entry:
    """`entry` under the file name that its row asks for now; as it is where another row of the batch has that file."""
    if file.casefold() in taken:
        return entry
    try:
        (out / entry.file).replace(out / file)
    except OSError as error:
        raise RenderFailed(f"cannot rename {out / entry.file}: {error.strerror}") from error
    taken.add(file.casefold())
    renamed = entry.model_copy(update={"file": file})
    append_line(out / MANIFEST, renamed.model_dump_json())
    return renamed


def _with_free_name(row: Row, taken: set[str], out: Path) -> Row:
    """The row under a name that no other row has and no file in the folder: what was drawn before stays."""
    name, number = row.name, 2
    while f"{name}.png".casefold() in taken or os.path.lexists(out / f"{name}.png"):
        name = f"{row.name}-{number}"
        number += 1
    return dataclasses.replace(row, name=name)


def _is_plain(path: Path) -> bool:
    try:
        return kind_of(path) == ""
    except OSError:
        return False
