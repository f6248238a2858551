"""Drawing as the command line asks for it: single badges, a batch, many names, or nothing but loading."""

import argparse
import dataclasses
import json
import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from configs.console import DONE, FAILED
from configs.settings import Settings, load_settings
from inference.badge import ReadyRequest, checked, make_badge, ready, use_own_styles, with_preset
from inference.choice import open_generator, profile_here
from inference.errors import InvalidRequest
from inference.files import alone_in, require_writable, write_atomically
from inference.models.profiles import load_profile
from inference.output.banners import draw_names
from inference.output.batch import drawn_as, run_batch
from inference.output.encode import encoder_for
from inference.output.endings import numbered, stem_of
from inference.output.like import request_like, settings_like, wanted_like, warn_of_differences
from inference.output.manifest import Entry
from inference.output.names import read_names
from inference.output.progress import LoadingBar, ProgressBars, give, say, untorn_log
from inference.output.recipe import Recipe, read_recipe, recipe_of
from inference.output.rows import read_rows
from inference.output.sheet import SHEET, THUMBNAILS, write_sheet
from inference.output.thumbnails import keep_thumbnail
from inference.translation.vocabulary import load_vocabulary
from inference.types import MAX_SEED, BadgeRequest


def run(args: argparse.Namespace) -> int:
    """Draw; returns the exit code. Raises ConfigError, InvalidRequest and RenderError."""
    recipe = read_recipe(args.like) if args.like else None
    settings = _settings(args, recipe)
    if args.list_objects:
        return _list_objects(args, settings)
    with untorn_log():
        if args.warm:
            return _warm(settings)
        if args.batch:
            return _draw_batch(args, settings)
        if args.names:
            return _draw_names(args, settings, recipe)
        return _draw_single(args, settings, recipe)


def _settings(args: argparse.Namespace, recipe: Recipe | None) -> Settings:
    """The settings in force: files and environment, then what `--like` says, then the command line."""
    settings = load_settings(args.config)
    use_own_styles(settings)
    if args.preset is not None:
        settings = with_preset(settings, args.preset)
    if recipe:
        settings = settings_like(recipe, settings, Path(args.lora) if args.lora else None, args.generator or "")
    else:
        settings = _changed(settings, "local", lora=args.lora)
    settings = _changed(settings, "local", tier=args.tier)
    settings = _changed(settings, "generator", kind=args.generator, profile=args.profile)
    if args.profile and not args.generator and settings.generator.kind == "auto":
        settings = _changed(settings, "generator", kind="local")
    load_profile(settings.generator.profile)
    return _changed(settings, "banner", style=args.style)


def _changed(settings: Settings, section: str, **values: Any) -> Settings:
    given = {key: value for key, value in values.items() if value is not None}
    return settings.model_copy(update={section: getattr(settings, section).model_copy(update=given)})


def _warm(settings: Settings) -> int:
    """Do once what first drawings wait for: download, load, compile. The results stay under `data_dir`."""
    started = time.perf_counter()
    with open_generator(settings, LoadingBar()) as generator:
        generator.warm()
        model = generator.model
    seconds = time.perf_counter() - started
    say(f"{model.generator} {model.profile} is warm: {model.tier} on {model.device}, {seconds:.1f} s")
    return DONE


def _list_objects(args: argparse.Namespace, settings: Settings) -> int:
    """Print the vocabulary of what would draw: names, or with --json all that its table says of each thing."""
    name = profile_here(settings)
    file = load_profile(name).vocabulary_file if name else None
    if file is None:
        who = load_profile(name).title if name else "the model on Replicate"
        raise InvalidRequest(f"{who} draws any object, so there is no list of them; --generator demo has one")
    for thing in load_vocabulary(file).things.values():
        give(json.dumps(dataclasses.asdict(thing), ensure_ascii=False) if args.json else thing.name)
    return DONE


def _draw_batch(args: argparse.Namespace, settings: Settings) -> int:
    rows = read_rows(args.batch, args.encoding)
    with open_generator(settings, LoadingBar()) as generator:
        require_writable(args.out)
        try:
            result = run_batch(rows, args.out, generator, settings, _printer(args.json, args.out))
        except KeyboardInterrupt:
            say(f"What is finished stays in {args.out}; the same command goes on from there.")
            raise
    look = f"; look at {args.out / SHEET}" if result.entries else ""
    say(f"{len(result.entries)} of {len(rows)} badges are in {args.out}{look}")
    return FAILED if result.failed else DONE


def _draw_names(args: argparse.Namespace, settings: Settings, recipe: Recipe | None) -> int:
    names = read_names(args.names, args.encoding)
    request = BadgeRequest(args.object or "", "", args.seed, args.style)
    if recipe:
        request = request_like(recipe, args.object, None, args.seed, args.style)
    checked(dataclasses.replace(request, text="A"), settings.banner)  # what is wrong with every name is said at once
    with open_generator(settings, LoadingBar()) as generator:
        require_writable(args.out)
        wanted = wanted_like(recipe, request, settings) if recipe else None
        try:
            tell = _printer(args.json, args.out)
            with alone_in(args.out):
                result = draw_names(names, request, args.out, generator, settings, tell, wanted)
        except KeyboardInterrupt:
            say(f"What is finished stays in {args.out}; the same command goes on from there.")
            raise
    say(f"{len(result.entries)} of {len(names)} badges are in {args.out}; look at {args.out / SHEET}")
    return FAILED if result.failed else DONE


def _draw_single(args: argparse.Namespace, settings: Settings, recipe: Recipe | None) -> int:
    out = args.out or Path("badge.png")
    encode = encoder_for(out)
    request = BadgeRequest(args.object or "", args.text or "", args.seed, args.style)
    if recipe:
        request = request_like(recipe, args.object, args.text, args.seed, args.style)
    request = checked(request, settings.banner)
    tell = _printer(args.json)
    with open_generator(settings, LoadingBar()) as generator, ProgressBars(args.count) as progress:
        asked = ready(request, generator.model, settings.banner, settings.translation)
        requests = _seeds(asked, request.seed, args.count)
        for line in drawn_as(requests):
            say(line)
        require_writable(out.parent)
        thumbnails = out.with_name(f"{stem_of(out)}-{THUMBNAILS}")
        if recipe:
            warn_of_differences(recipe, generator.model)
        entries: list[Entry] = []
        for number, each in enumerate(requests, start=1):
            badge = make_badge(
                each,
                generator,
                prompt=settings.prompt,
                banner=settings.banner,
                wanted=wanted_like(recipe, each, settings) if recipe else None,
                on_step=progress.step,
            )
            file = out if args.count == 1 else numbered(out, number)
            write_atomically(file, encode(badge, recipe_of(badge, recipe.key if recipe else "")))
            progress.badge()
            tell(Entry.of(badge, str(file)))
            entries.append(Entry.of(badge, file.name))
            if args.count > 1:
                keep_thumbnail(thumbnails, file.name, badge.image)
        if args.count > 1:
            page = out.with_name(f"{stem_of(out)}.html")
            title = f"{each.text}: {each.object}"
            write_sheet(page, entries, title, thumbnails.name)
            say(f"Look at them side by side in {page}")
    return DONE


def _seeds(request: ReadyRequest, first: int | None, count: int) -> list[ReadyRequest]:
    """`request` once for each seed, `first` to `first` + `count` - 1; from a random one where `first` is None."""
    first = secrets.randbelow(MAX_SEED + 2 - count) if first is None else first
    return [dataclasses.replace(request, seed=first + offset) for offset in range(count)]


def _printer(as_json: bool, folder: Path = Path()) -> Callable[[Entry], None]:
    """Tells of a finished badge: a JSON object on stdout, or a line for people on stderr."""

    def tell(entry: Entry) -> None:
        # A path may hold bytes that are no UTF-8; JSON cannot.
        file = os.fsencode(folder / entry.file).decode("utf-8", "backslashreplace")
        entry = entry.model_copy(update={"file": file})
        if as_json:
            give(entry.model_dump_json(exclude={"key"}))
        else:
            cost = f", ${entry.cost_usd:.3f}" if entry.cost_usd else ""
            lora = f" with {entry.lora}" if entry.lora and entry.lora != entry.profile else ""
            say(f"{entry.file}: drawn by {entry.profile}{lora}, seed {entry.seed}, {entry.seconds:.1f} s{cost}")

    return tell
