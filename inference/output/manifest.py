"""`manifest.jsonl`: a line for each finished badge of a folder, and one for each row that failed, with its reason."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from inference.files import write_atomically
from inference.types import Badge

MANIFEST = "manifest.jsonl"


class Entry(BaseModel):
    """One finished badge, as `--json` prints it and the manifest keeps it.

    `file` is relative in a manifest; `english` is what was drawn of `object`.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    file: str
    object: str
    english: str = ""
    text: str
    style: str
    seed: int
    generator: str
    profile: str
    lora: str | None
    steps: int
    seconds: float
    cost_usd: float
    key: str = ""

    @classmethod
    def of(cls, badge: Badge, file: str, key: str = "") -> "Entry":
        """The entry of a badge that was written to `file`."""
        portrait, lora = badge.portrait, badge.portrait.model.lora
        return cls(
            file=file,
            object=badge.request.object,
            english=badge.request.english or "",
            text=badge.request.text,
            style=badge.style,
            seed=portrait.seed,
            generator=portrait.model.generator,
            profile=portrait.model.profile,
            lora=lora.name if lora else None,
            steps=portrait.steps,
            seconds=round(badge.seconds, 3),
            cost_usd=portrait.cost_usd,
            key=key,
        )


class FailedRow(BaseModel):
    """A row that gave no badge: the line it stands on, what was asked for as it was typed, and why not."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    line: int
    object: str = ""
    text: str = ""
    failed: str


@dataclass
class Manifest:
    """What a folder's manifest says: file name to its newest entry. Failed rows of earlier runs are forgotten."""

    entries: dict[str, Entry] = field(default_factory=dict)


def read_manifest(folder: Path) -> Manifest:
    """The manifest of `folder`, empty where there is none; a last line that a crash cut off is dropped."""
    path = folder / MANIFEST
    if not path.is_file():
        return Manifest()
    data = path.read_bytes()
    whole, newline, _torn = data.rpartition(b"\n")
    if whole + newline != data:
        write_atomically(path, whole + newline)
    entries = {}
    for line in whole.splitlines():
        try:
            entry = Entry.model_validate_json(line)
        except ValidationError:
            continue  # a failed row, or a line that somebody edited; the PNG itself still says what it is
        entries[entry.file] = entry
    return Manifest(entries)


def write_manifest(folder: Path, rows: Sequence[Entry | FailedRow], known: Iterable[Entry] = ()) -> None:
    """One line a row, in this order; then what is `known` of other pictures that are still in the folder."""
    here = {row.file for row in rows if isinstance(row, Entry)}
    others = [entry for entry in known if entry.file not in here and (folder / entry.file).is_file()]
    lines = "".join(json.dumps(row.model_dump(), ensure_ascii=False) + "\n" for row in [*rows, *others])
    write_atomically(folder / MANIFEST, lines.encode("utf-8", "backslashreplace"))
