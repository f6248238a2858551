"""The contact sheet of many badges: one HTML page beside the pictures to look through, filter and choose from.

Small pictures stand for the large ones; a click opens those. Rows that failed are shown as they were typed, with the
reason. What is ticked can be saved as JSON lines that `--batch` reads.
"""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import quote

from configs.pages import render_page
from inference.errors import InvalidRequest
from inference.files import write_atomically
from inference.models.profiles import load_profile
from inference.output.manifest import Entry, FailedRow
from inference.output.thumbnails import thumbnail_of

SHEET = "index.html"
THUMBNAILS = "thumbs"
_NOT_IN_NAMES = re.compile(r"[^\w ()+-]")
"""What a batch's column `name` does not take (inference/output/rows.py)."""
_TEMPLATES = Path(__file__).parent / "templates"


@dataclass(frozen=True)
class _Card:
    """What the template shows of a row."""

    text: str
    object: str
    find: str
    file: str = ""
    thumbnail: str = ""
    made: str = ""
    row: str = ""
    command: str = ""
    failed: str = ""
    line: int = 0


def write_sheet(page: Path, rows: Sequence[Entry | FailedRow], title: str, thumbs: str = THUMBNAILS) -> None:
    """Write the sheet `page` of pictures that lie in its folder, and the thumbnails that are missing, into `thumbs`."""
    small = {
        row.file: f"{quote(thumbs)}/{quote(name)}"
        for row in rows
        if isinstance(row, Entry) and (name := thumbnail_of(page.parent / row.file, page.parent / thumbs))
    }
    write_atomically(page, contact_sheet(rows, title, small).encode("utf-8", "replace"))


def contact_sheet(
    rows: Sequence[Entry | FailedRow], title: str = "Samurai badges", thumbnails: dict[str, str] | None = None
) -> str:
    """A complete HTML page. `thumbnails` maps a picture's file to its thumbnail's URL; the picture itself without."""
    cards = [
        _finished(row, thumbnails or {}) if isinstance(row, Entry) else _failed(row)
        for row in sorted(rows, key=lambda row: isinstance(row, Entry))  # what needs looking at comes first
    ]
    failed = sum(bool(card.failed) for card in cards)
    lead = _count(len(cards) - failed) + _drawn_by(rows) + (f", {failed} failed" if failed else "")
    return render_page(_TEMPLATES, "sheet.html", title=title, lead=lead, cards=cards, failed=failed)


def _count(badges: int) -> str:
    return f"{badges} badge{'' if badges == 1 else 's'}"


def _drawn_by(rows: Sequence[Entry | FailedRow]) -> str:
    entries = [row for row in rows if isinstance(row, Entry)]
    by = sorted({entry.profile if entry.generator == "local" else entry.generator for entry in entries})
    return f" drawn by {', '.join(by)}" if by else ""


def _finished(entry: Entry, thumbnails: dict[str, str]) -> _Card:
    facts = [f"seed {entry.seed}", f"{entry.steps} steps", f"{entry.seconds:.1f} s"]
    facts += [f"${entry.cost_usd:.3f}"] if entry.cost_usd else []
    facts += [entry.lora] if entry.lora else []
    row = {
        "object": entry.object,
        "text": entry.text,
        "seed": entry.seed,
        "style": entry.style,
        "name": _NOT_IN_NAMES.sub("-", Path(entry.file).name.split(".")[0]),
    }
    return _Card(
        entry.text,
        entry.object,
        _find(entry.text, entry.object, entry.file),
        entry.file,
        thumbnails.get(entry.file, quote(entry.file)),
        " · ".join(facts),
        json.dumps(row, ensure_ascii=False),
        command_of(entry),
    )


def _failed(row: FailedRow) -> _Card:
    return _Card(row.text or "(no text)", row.object, _find(row.text, row.object), failed=row.failed, line=row.line)


def _find(*words: str) -> str:
    return " ".join(words).lower()


@cache
def _own_lora(profile: str) -> str | None:
    """What the LoRA is called that a profile draws with where nobody names another."""
    try:
        path = load_profile(profile).default_lora
    except InvalidRequest:
        return None
    return path.stem if path else None


def command_of(entry: Entry) -> str:
    """The command that draws this badge again with the settings in force.

    One that another LoRA than the profile's own drew is known by its file alone (`--like`, in this folder).
    """
    if entry.generator == "local" and entry.lora not in (None, _own_lora(entry.profile)):
        name = Path(entry.file).name
        return shlex.join(["python", "-m", "inference.render", "--like", entry.file, "--out", f"again-{name}"])
    if entry.generator == "local":
        generator = ["--generator", "demo"] if entry.profile == "demo" else ["--profile", entry.profile]
    else:
        generator = ["--generator", entry.generator]
    words = ["--object", entry.object, "--text", entry.text, "--seed", str(entry.seed), "--style", entry.style]
    return shlex.join(["python", "-m", "inference.render", *words, *generator, "--out", Path(entry.file).name])
