"""`python -m inference.render`: one badge, several seeds, many names, a batch, or an earlier badge again.

    python -m inference.render --object telescope --text "UX SCOUT" --out badge.png
    python -m inference.render --object telescope --text "UX SCOUT" --out badge.png --seed 7 --count 4
    python -m inference.render --object telescope --names names.txt --out DIR
    python -m inference.render --batch badges.csv --out DIR
    python -m inference.render --like badge.png --out again.png

Files go where `--out` says; `--json` prints one JSON object a badge on stdout; everything else is on stderr.
"""

import argparse
import dataclasses
import json
import os
import secrets
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from configs import ConfigError, Settings, load_settings
from configs.console import BAD_INPUT, DONE, FAILED, Parser, run_command
from configs.names import unknown_name
from inference.badge import ReadyRequest, checked, make_badge, ready, use_own_styles, with_preset
from inference.choice import open_generator, profile_here
from inference.errors import InvalidRequest, RenderError
from inference.files import alone_in, require_writable, write_atomically
from inference.local.plan import TIERS
from inference.models.profiles import load_profile
from inference.output.banners import draw_names
from inference.output.batch import drawn_as, run_batch
from inference.output.encode import ENDINGS, encoder_for, numbered, stem_of
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
from overlay import style_names

_MAX_COUNT = 10_000
_GENERATORS = ("auto", "local", "replicate", "demo", "ray")


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m inference.render",
        description="Draw samurai badges: FLUX draws the samurai, HarfBuzz and Pillow the golden banner.",
        epilog="Every other setting: configs/badge.toml, with --config FILE or BADGE_<SECTION>__<KEY>.",
    )
    what = parser.add_argument_group("what")
    what.add_argument("--object", metavar="WORDS", help="what the samurai holds")
    what.add_argument("--text", metavar="WORDS", help="what the banner says, at most 40 characters")
    what.add_argument("--seed", type=int, metavar="N", help=f"0 to {MAX_SEED}; random if omitted, and printed")
    what.add_argument("--count", type=int, default=1, metavar="N", help="draw N seeds from --seed on: badge-1.png ...")
    what.add_argument("--style", metavar="NAME", help=f"banner: {' | '.join(style_names())}, or a theme")
    what.add_argument(
        "--batch", type=Path, metavar="FILE", help="CSV with object,text[,seed,style,name], or JSON lines"
    )
    what.add_argument(
        "--names", type=Path, metavar="FILE", help="one portrait, a banner a name: a name a line, or a column text"
    )
    what.add_argument(
        "--encoding", metavar="NAME", default="", help="of --batch or --names, where it is not UTF-8: cp1251 ..."
    )
    what.add_argument("--like", type=Path, metavar="PNG", help="make this badge again, from what its file says")
    who = parser.add_argument_group("generator")
    who.add_argument("--generator", metavar="NAME", help=" | ".join(_GENERATORS))
    who.add_argument("--profile", metavar="NAME", help="base model, see configs/profiles")
    who.add_argument("--lora", metavar="FILE", help="style LoRA as .safetensors, or none")
    who.add_argument("--tier", metavar="NAME", help=f"how a CUDA card draws: {' | '.join(TIERS)}")
    who.add_argument("--warm", action="store_true", help="load and compile, keep that for later starts, draw nothing")
    who.add_argument("--list-objects", action="store_true", help="print what the demo can draw, a name a line")
    who.add_argument("--preset", metavar="NAME", help="character: a table [presets.NAME] of the settings")
    where = parser.add_argument_group("where")
    where.add_argument(
        "--out",
        type=Path,
        metavar="PATH",
        help=f"file (default badge.png), or folder for --batch and --names; {', '.join(ENDINGS)}",
    )
    where.add_argument("--json", action="store_true", help="one JSON object a badge on stdout")
    where.add_argument("--config", type=Path, metavar="FILE", help="settings that override configs/badge.toml")
    where.add_argument("--debug", action="store_true", help="show library logs and tracebacks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    codes: dict[type[Exception], int] = {ConfigError: BAD_INPUT, InvalidRequest: BAD_INPUT, RenderError: FAILED}
    return run_command(_command, build_parser(), argv, codes)


def _command(args: argparse.Namespace) -> int:
    _check_usage(args)
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


def _check_usage(args: argparse.Namespace) -> None:
    given = [name for name in ("object", "text", "seed", "style", "like") if getattr(args, name) is not None]
    given += ["count"] if args.count != 1 else []
    if args.batch and given:
        options = ", ".join(f"--{name}" for name in given)
        raise InvalidRequest(f"--batch takes object, text, seed and style from its file: leave {options} out")
    if args.tier is not None and args.tier not in TIERS:
        raise InvalidRequest(unknown_name("tier", args.tier, TIERS))
    for option in ("warm", "list_objects"):
        if getattr(args, option):
            if given or args.batch or args.names or args.out:
                name = option.replace("_", "-")
                raise InvalidRequest(f"--{name} draws nothing: leave out what to draw and where")
            _check_generator(args)
            return
    if not args.batch and not args.like:
        for name in ("object",) if args.names else ("object", "text"):
            if name not in given:
                raise InvalidRequest(f'--{name} is missing: --object telescope --text "UX SCOUT"')
    if args.batch and not args.out:
        raise InvalidRequest("--batch needs --out DIR, the folder for its images")
    if args.names and (args.text is not None or args.batch or args.count != 1):
        raise InvalidRequest("--names takes the texts from its file: leave --text, --batch and --count out")
    if args.names and not args.out:
        raise InvalidRequest("--names needs --out DIR, the folder for its images")
    if not 1 <= args.count <= _MAX_COUNT:
        raise InvalidRequest(f"--count {args.count}: draw 1 to {_MAX_COUNT} seeds")
    if args.like and args.count != 1:
        raise InvalidRequest("--like makes one badge again: leave --count out")
    _check_generator(args)


def _check_generator(args: argparse.Namespace) -> None:
    if args.generator is not None and args.generator not in _GENERATORS:
        raise InvalidRequest(unknown_name("generator", args.generator, _GENERATORS))


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


if __name__ == "__main__":
    sys.exit(main())
