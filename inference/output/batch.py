"""A batch: many rows to one folder, resumable at any moment.

Each badge is written aside, synced and renamed, then gets its line in `manifest.jsonl`; what a killed run finished
is found there (or, where it died between the two, in the PNG itself) and is not drawn again. A bad row is reported
and the others go on. A row whose object, text, style, seed, model or LoRA changed since is drawn again; a row that only
moved or got another name is not (see `resume`).
"""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from configs.settings import Settings
from inference.badge import Look, ReadyRequest, look_of, make_badge, portrait_request, ready
from inference.errors import BackendUnavailable, Canceled, InvalidRequest, RenderError
from inference.files import alone_in, append_line, write_atomically
from inference.generator import Generator
from inference.output.manifest import MANIFEST, Entry, FailedRow, read_manifest, write_manifest
from inference.output.progress import ProgressBars, say
from inference.output.recipe import encode_png, recipe_of, work_key
from inference.output.resume import assign
from inference.output.rows import BadRow, Row
from inference.output.sheet import SHEET, write_sheet
from inference.wrappers.turns import Turns


@dataclass(frozen=True)
class _Work:
    """A row that is yet to be drawn; `key` tells whether a finished file is this very work."""

    row: Row
    request: ReadyRequest
    look: Look
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

    Raises InvalidRequest where another batch is at work in `out`, BackendUnavailable where the generator has failed for
    good; what is finished by then stays finished.
    """
    with alone_in(out):
        return _run_batch(rows, out, generator, settings, tell)


def _run_batch(
    rows: Sequence[Row | BadRow], out: Path, generator: Generator, settings: Settings, tell: Callable[[Entry], None]
) -> BatchResult:
    known = read_manifest(out).entries
    finished: dict[int, Entry] = {}
    works: list[_Work] = []
    todo: list[_Work] = []
    failed: dict[int, FailedRow] = {}
    with ProgressBars(len(rows)) as progress:
        for row in rows:
            try:
                works.append(_work(row, generator, settings))
            except InvalidRequest as error:
                say(f"line {row.line}: {error}")
                progress.badge()
                failed[row.line] = _failed_row(row, error)
        for work, entry in assign(works, known, out):
            if entry:
                finished[work.row.line] = entry
                progress.badge()
                tell(entry)
            else:
                todo.append(work)
        presets = list(dict.fromkeys(work.row.preset for work in todo))
        todo.sort(key=lambda work: presets.index(work.row.preset))  # each LoRA is put on once
        for line in drawn_as(work.request for work in todo):
            say(line)
        if todo:
            prompts = [portrait_request(work.request, work.look.prompt).prompt for work in todo]
            generator.prepare(list(dict.fromkeys(prompts)))
        for work, outcome in _draw_all(todo, out, generator, settings, progress):
            progress.badge()
            if isinstance(outcome, Entry):
                finished[work.row.line] = outcome
                tell(outcome)
            else:
                say(f"line {work.row.line}: {outcome}")
                failed[work.row.line] = _failed_row(work.row, outcome)
    entries = [finished[line] for line in sorted(finished)]
    both: dict[int, Entry | FailedRow] = {**finished, **failed}
    rows_in_order = [both[line] for line in sorted(both)]
    write_manifest(out, rows_in_order, known.values())
    write_sheet(out / SHEET, rows_in_order, out.resolve().name)
    return BatchResult(entries, len(failed))


def _failed_row(row: Row | BadRow, error: Exception) -> FailedRow:
    if isinstance(row, BadRow):
        return FailedRow(line=row.line, object=row.object, text=row.text, failed=row.problem)
    return FailedRow(line=row.line, object=row.request.object, text=row.request.text, failed=str(error))


def drawn_as(requests: Iterable[ReadyRequest]) -> list[str]:
    """How requests are understood: a line for each object that is not drawn in the words it came in."""
    meant = dict.fromkeys((each.object, each.english) for each in requests)
    return [f"{thing} is drawn as: {english}" for thing, english in meant if english.casefold() != thing.casefold()]


def _work(row: Row | BadRow, generator: Generator, settings: Settings) -> _Work:
    if isinstance(row, BadRow):
        raise InvalidRequest(row.problem)
    look = look_of(settings, row.preset)
    request = ready(row.request, generator.model, look.banner, settings.translation)
    wanted = portrait_request(request, look.prompt, settings.local.steps, settings.local.guidance, look.lora)
    if row.request.seed is None:  # any seed does: a row that was drawn at one is not drawn again at another
        wanted = replace(wanted, seed=-1)
    size = settings.banner.size
    model = generator.model_for(wanted)
    return _Work(row, request, look, work_key(request.object, request.text, request.style, size, wanted, model))


def _draw_all(
    todo: Sequence[_Work], out: Path, generator: Generator, settings: Settings, progress: ProgressBars
) -> Iterator[tuple[_Work, Entry | RenderError]]:
    """Draw with as many calls at once as the generator likes; yields in order of completion.

    As many badges more are finished meanwhile, so that the generator never waits for a banner or a file.
    """
    stop = threading.Event()
    turns = Turns(generator)
    writing = threading.Lock()

    def draw(work: _Work) -> Entry:
        def on_step(done: int, total: int) -> None:
            if stop.is_set():
                raise Canceled("the batch was stopped")
            if total:
                progress.step(done, total, work.row.line)

        look = work.look
        badge = make_badge(work.request, turns, prompt=look.prompt, banner=look.banner, lora=look.lora, on_step=on_step)
        file = f"{work.row.name}.png"
        entry = Entry.of(badge, file, work.key)
        write_atomically(out / file, encode_png(badge.image, recipe_of(badge, work.key)))
        with writing:
            append_line(out / MANIFEST, entry.model_dump_json())
        return entry

    waiting = iter(todo)
    running: dict[Future[Entry], _Work] = {}
    with ThreadPoolExecutor(max_workers=2 * max(1, generator.parallel), thread_name_prefix="draw") as pool:
        try:
            while True:
                while len(running) < 2 * generator.parallel and (work := next(waiting, None)):
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
