"""A batch: many rows to one folder, resumable at any moment.

Each badge is written aside, synced and renamed, then gets its line in `manifest.jsonl`; what a killed run finished
is found there (or, where it died between the two, in the PNG itself) and is not drawn again. A bad row is reported
and the others go on. A row whose object, text, style, seed, model or LoRA changed since is drawn again.
"""

import json
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from configs.settings import Settings
from inference.badge import checked, make_badge, portrait_request, translated
from inference.errors import BackendUnavailable, Canceled, InvalidRequest, RenderError
from inference.files import append_line, write_atomically
from inference.generator import Generator
from inference.output.progress import Progress, say
from inference.output.recipe import encode_png, read_recipe, recipe_of, work_key
from inference.output.rows import BadRow, Row
from inference.output.sheet import contact_sheet
from inference.types import Badge, BadgeRequest, PortraitRequest

MANIFEST = "manifest.jsonl"
SHEET = "index.html"


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


@dataclass(frozen=True)
class _Work:
    """A row that is yet to be drawn, checked; `key` tells whether a finished file is this very work."""

    row: Row
    request: BadgeRequest
    key: str


@dataclass
class BatchResult:
    """How a batch ended: entries of all finished badges in row order, and how many rows failed."""

    entries: list[Entry]
    failed: int


def run_batch(
    rows: Sequence[Row | BadRow],
    out: Path,
    generator: Generator,
    settings: Settings,
    tell: Callable[[Entry], None] = lambda entry: None,
) -> BatchResult:
    """Draw what is not finished yet into `out`, which exists. `tell` is called once a finished badge.

    Raises BackendUnavailable where the generator is gone for good; what is finished by then stays finished.
    """
    known = _read_manifest(out)
    finished: dict[int, Entry] = {}
    todo: list[_Work] = []
    failed = 0
    with Progress(len(rows)) as progress:
        for row in rows:
            try:
                work = _work(row, generator, settings)
            except InvalidRequest as error:
                say(f"line {row.line}: {error}")
                progress.badge()
                failed += 1
                continue
            entry = _finished_entry(work, known, out)
            if entry:
                finished[row.line] = entry
                progress.badge()
                tell(entry)
            else:
                todo.append(work)
        for line in drawn_as(work.request for work in todo):
            say(line)
        if todo:
            generator.prepare(
                list(dict.fromkeys(portrait_request(w.request.seeded(), settings.prompt).prompt for w in todo))
            )
        for work, outcome in _draw_all(todo, out, generator, settings, progress):
            progress.badge()
            if isinstance(outcome, Entry):
                finished[work.row.line] = outcome
                tell(outcome)
            else:
                say(f"line {work.row.line}: {outcome}")
                failed += 1
    entries = [finished[line] for line in sorted(finished)]
    _write_index(entries, known, out)
    return BatchResult(entries, failed)


def drawn_as(requests: Iterable[BadgeRequest]) -> list[str]:
    """How `translated` requests are understood: a line for each object that is not drawn in the words it came in."""
    meant = dict.fromkeys((each.object, each.english) for each in requests)
    return [
        f"{thing} is drawn as: {english}"
        for thing, english in meant
        if english is not None and english.casefold() != thing.casefold()
    ]


def _work(row: Row | BadRow, generator: Generator, settings: Settings) -> _Work:
    if isinstance(row, BadRow):
        raise InvalidRequest(row.problem)
    request = translated(checked(row.request, settings.banner), generator.model, settings.translation)
    prompt = portrait_request(request.seeded(), settings.prompt).prompt
    style = request.style or settings.banner.style
    seed = -1 if request.seed is None else request.seed
    wanted = PortraitRequest(prompt, seed, settings.local.steps, settings.local.guidance)
    return _Work(
        row, request, work_key(request.object, request.text, style, settings.banner.size, wanted, generator.model)
    )


def _finished_entry(work: _Work, known: dict[str, Entry], out: Path) -> Entry | None:
    """The entry of an earlier run for this very work, if its file is still there."""
    file = f"{work.row.name}.png"
    if not (out / file).is_file():
        return None
    entry = known.get(file)
    if entry and entry.key == work.key:
        return entry
    try:
        recipe = read_recipe(out / file)
    except InvalidRequest:
        return None
    if recipe.key != work.key:
        return None
    adopted = Entry(**{**recipe.model_dump(), "file": file, "seconds": 0.0, "cost_usd": 0.0})
    append_line(out / MANIFEST, adopted.model_dump_json())
    return adopted


def _draw_all(
    todo: Sequence[_Work], out: Path, generator: Generator, settings: Settings, progress: Progress
) -> Iterator[tuple[_Work, Entry | RenderError]]:
    """Draw with as many calls in flight as the generator likes; yields in order of completion."""
    stop = threading.Event()
    writing = threading.Lock()

    def draw(work: _Work) -> Entry:
        def on_step(done: int, total: int) -> None:
            if stop.is_set():
                raise Canceled("the batch was stopped")
            progress.step(done, total, work.row.line)

        badge = make_badge(work.request, generator, prompt=settings.prompt, banner=settings.banner, on_step=on_step)
        file = f"{work.row.name}.png"
        entry = Entry.of(badge, file, work.key)
        write_atomically(out / file, encode_png(badge.image, recipe_of(badge, work.key)))
        with writing:
            append_line(out / MANIFEST, entry.model_dump_json())
        return entry

    waiting = iter(todo)
    running: dict[Future[Entry], _Work] = {}
    with ThreadPoolExecutor(max_workers=max(1, generator.parallel), thread_name_prefix="draw") as pool:
        try:
            while True:
                while len(running) < generator.parallel and (work := next(waiting, None)):
                    running[pool.submit(draw, work)] = work
                if not running:
                    return
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    work = running.pop(future)
                    try:
                        yield work, future.result()
                    except BackendUnavailable:
                        raise
                    except RenderError as error:
                        yield work, error
        finally:
            stop.set()


def _read_manifest(out: Path) -> dict[str, Entry]:
    """File name to its newest entry; a last line that a crash cut off is dropped from the file."""
    path = out / MANIFEST
    if not path.is_file():
        return {}
    data = path.read_bytes()
    whole, newline, _torn = data.rpartition(b"\n")
    if whole + newline != data:
        write_atomically(path, whole + newline)
    entries = {}
    for line in whole.splitlines():
        try:
            entry = Entry.model_validate_json(line)
        except ValidationError:
            continue  # a line that somebody edited; the PNG itself still says what it is
        entries[entry.file] = entry
    return entries


def _write_index(entries: list[Entry], known: dict[str, Entry], out: Path) -> None:
    """One manifest line a badge, this batch's first and in row order; and the contact sheet."""
    here = {entry.file for entry in entries}
    others = [entry for file, entry in known.items() if file not in here and (out / file).is_file()]
    lines = "".join(json.dumps(entry.model_dump(), ensure_ascii=False) + "\n" for entry in [*entries, *others])
    write_atomically(out / MANIFEST, lines.encode())
    write_atomically(out / SHEET, contact_sheet(entries).encode())
