"""Many names on one portrait: drawn once, then a banner a name, on all cores.

What a process does for a name is banner, PNG and thumbnail; two processes on two cores halve the time where threads
do not, since Pillow's encoders hold the GIL (`python -m benchmarks.banner --names 200`).
"""

import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from PIL import Image

from configs.settings import Settings
from inference.badge import ReadyRequest, banner_base, checked, portrait_request, ready
from inference.errors import InvalidRequest, RenderFailed
from inference.files import append_line, write_atomically
from inference.generator import Generator
from inference.models.hardware import usable_cores
from inference.output.batch import drawn_as
from inference.output.manifest import MANIFEST, Entry, FailedRow, read_manifest, write_manifest
from inference.output.names import Name
from inference.output.progress import ProgressBars, say
from inference.output.recipe import Recipe, encode_png, read_recipe, recipe_of, work_key
from inference.output.rows import slug
from inference.output.sheet import SHEET, THUMBNAILS, write_sheet
from inference.output.thumbnails import keep_thumbnail
from inference.types import Badge, BadgeRequest, PortraitRequest
from overlay import BannerError, BannerStyle, draw_banner
from overlay.styles import own_styles, set_own_styles


@dataclass(frozen=True)
class NamesResult:
    """How it ended: entries of all finished badges in the list's order, and how many names failed."""

    entries: list[Entry]
    failed: int


@dataclass(frozen=True)
class _Task:
    """A name to draw: its cleaned text, its file, and the key of the work."""

    line: int
    text: str
    file: str
    key: str


def draw_names(
    names: Sequence[Name],
    request: BadgeRequest,
    out: Path,
    generator: Generator,
    settings: Settings,
    tell: Callable[[Entry], None] = lambda entry: None,
    wanted: PortraitRequest | None = None,
) -> NamesResult:
    """One portrait of `request` (its text counts for nothing), a badge of it for each name, into `out`, which exists.

    `wanted` is the portrait to draw instead, an earlier badge's. What an earlier run finished is not drawn again, and
    names that were added get its portrait. Raises what the generator raises; bad names are reported, the others go on.
    """
    known = read_manifest(out).entries
    tasks, failed = _tasks(names, request, settings)
    for row in failed.values():
        say(f"line {row.line}: {row.failed}")
    finished: dict[int, Entry] = {}
    if tasks:
        first = replace(request, text=tasks[0].text)
        asked = ready(first, generator.model, settings.banner, settings.translation)
        for line in drawn_as([asked]):
            say(line)
        key_of = partial(_key, asked, request.seed is None, generator, settings, wanted)
        tasks = [replace(task, key=key_of(task.text)) for task in tasks]
        finished = _finished(tasks, known, out)
        if request.seed is None and finished:
            asked = replace(asked, seed=next(iter(finished.values())).seed)
        with ProgressBars(len(names), finished=len(finished) + len(failed)) as progress:
            for entry in finished.values():
                tell(entry)
            todo = [task for task in tasks if task.line not in finished]
            if todo:
                for task, outcome in _draw(todo, asked, out, generator, settings, wanted, progress):
                    progress.badge()
                    if isinstance(outcome, Entry):
                        finished[task.line] = outcome
                        tell(outcome)
                    else:
                        say(f"line {task.line}: {outcome}")
                        failed[task.line] = FailedRow(
                            line=task.line, object=request.object, text=task.text, failed=outcome
                        )
    both: dict[int, Entry | FailedRow] = {**finished, **failed}
    rows = [both[line] for line in sorted(both)]
    write_manifest(out, rows, known.values())
    write_sheet(out / SHEET, rows, f"{out.resolve().name}: {request.object}")
    return NamesResult([finished[line] for line in sorted(finished)], len(failed))


def _tasks(
    names: Sequence[Name], request: BadgeRequest, settings: Settings
) -> tuple[list[_Task], dict[int, FailedRow]]:
    """The names that can be drawn, each with its file's name, and those that cannot, as they were typed.

    Raises InvalidRequest where it is not the name that is wrong.
    """
    checked(replace(request, text="A"), settings.banner)
    tasks: list[_Task] = []
    failed: dict[int, FailedRow] = {}
    taken: set[str] = {"index", "manifest"}
    for name in names:
        try:
            if name.problem:
                raise InvalidRequest(name.problem)
            text = checked(replace(request, text=name.text), settings.banner).text
        except InvalidRequest as error:
            failed[name.line] = FailedRow(line=name.line, object=request.object, text=name.text, failed=str(error))
            continue
        stem, number = slug(text), 1
        while (unique := stem if number == 1 else f"{stem}-{number}").casefold() in taken:
            number += 1
        taken.add(unique.casefold())
        tasks.append(_Task(name.line, text, f"{unique}.png", ""))
    return tasks, failed


def _key(
    asked: ReadyRequest,
    any_seed: bool,
    generator: Generator,
    settings: Settings,
    wanted: PortraitRequest | None,
    text: str,
) -> str:
    """The name of the work: as in a batch, with seed -1 for one drawn at random."""
    portrait = wanted or portrait_request(asked, settings.prompt, settings.local.steps, settings.local.guidance)
    if any_seed and wanted is None:
        portrait = replace(portrait, seed=-1)
    return work_key(asked.object, text, asked.style, settings.banner.size, portrait, generator.model_for(portrait))


def _finished(tasks: Iterable[_Task], known: dict[str, Entry], out: Path) -> dict[int, Entry]:
    """By line what an earlier run finished of this very work: in the manifest, or by what the PNG itself says."""
    found: dict[int, Entry] = {}
    seeds: set[int] = set()
    for task in tasks:
        if not (out / task.file).is_file():
            continue
        entry = known.get(task.file)
        if entry is None or entry.key != task.key:
            try:
                recipe = read_recipe(out / task.file)
            except InvalidRequest:
                continue
            if recipe.key != task.key:
                continue
            entry = Entry(**{**recipe.model_dump(), "file": task.file, "seconds": 0.0, "cost_usd": 0.0})
        if seeds and entry.seed not in seeds:
            continue  # of another run without a seed: one portrait for all
        seeds.add(entry.seed)
        found[task.line] = entry
    return found


def _draw(
    todo: Sequence[_Task], asked: ReadyRequest, out: Path, generator: Generator, settings: Settings,
    wanted: PortraitRequest | None, progress: ProgressBars,
) -> Iterator[tuple[_Task, Entry | str]]:  # fmt: skip
    """Draw the portrait, then every banner; yields in the list's order."""
    portrait = generator.generate(wanted or portrait_request(asked, settings.prompt), progress.step)
    image = banner_base(portrait, settings.banner)
    badge = Badge(image, replace(asked, text=todo[0].text), portrait, asked.style, portrait.seconds)
    recipe, first = recipe_of(badge), Entry.of(badge, "")
    (out / THUMBNAILS).mkdir(exist_ok=True)
    drawn = _drawn(todo, image.tobytes(), image.size, asked.style, recipe, out)
    for number, (task, (seconds, problem)) in enumerate(zip(todo, drawn, strict=True)):
        if problem:
            yield task, problem
            continue
        # The portrait's time and price are the first badge's: a sum over the manifest is what was spent.
        seconds += portrait.seconds if number == 0 else 0.0
        cost = portrait.cost_usd if number == 0 else 0.0
        changes = {"file": task.file, "text": task.text, "key": task.key, "seconds": round(seconds, 3)}
        entry = first.model_copy(update={**changes, "cost_usd": cost})
        append_line(out / MANIFEST, entry.model_dump_json())
        yield task, entry


def _drawn(
    todo: Sequence[_Task], pixels: bytes, size: tuple[int, int], style: str, recipe: Recipe, out: Path
) -> Iterator[tuple[float, str]]:
    """(seconds, what went wrong or "") for each task, in order: on all cores where there are several to draw."""
    workers = min(usable_cores(), len(todo))
    if workers == 1:
        _prepare(pixels, size, style, recipe, out, own_styles())
        yield from map(_draw_one, todo)
        return
    # A process that is forked from one with torch's threads may hang: these begin anew and import no torch.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, _prepare, (pixels, size, style, recipe, out, own_styles())) as pool:
        try:
            yield from pool.map(_draw_one, todo, chunksize=min(16, -(-len(todo) // workers)))
        except BrokenProcessPool as error:
            raise RenderFailed("a process that draws banners was killed: out of memory? Run the same again") from error
        finally:
            pool.shutdown(cancel_futures=True)


@dataclass
class _Held:
    """What a process keeps for all its names."""

    image: Image.Image
    style: str
    recipe: Recipe
    out: Path


_held: _Held | None = None


def _prepare(
    pixels: bytes, size: tuple[int, int], style: str, recipe: Recipe, out: Path, own: dict[str, BannerStyle]
) -> None:
    global _held  # a process of the pool has no other place for what all its tasks share
    set_own_styles(own)
    _held = _Held(Image.frombytes("RGB", size, pixels), style, recipe, out)


def _draw_one(task: _Task) -> tuple[float, str]:
    started = time.perf_counter()
    held = _held
    if held is None:
        raise RuntimeError("the process was not prepared")
    try:
        image = draw_banner(held.image, task.text, held.style)
    except BannerError as error:
        return 0.0, str(error)
    recipe = held.recipe.model_copy(update={"text": task.text, "key": task.key, "size": image.width})
    write_atomically(held.out / task.file, encode_png(image, recipe))
    keep_thumbnail(held.out / THUMBNAILS, task.file, image)
    return time.perf_counter() - started, ""
