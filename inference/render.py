"""`python -m inference.render`: one badge, several seeds, many names, a batch, or an earlier badge again.

    python -m inference.render --object telescope --text "UX SCOUT" --out badge.png
    python -m inference.render --object telescope --text "UX SCOUT" --out badge.png --seed 7 --count 4
    python -m inference.render --object telescope --names names.txt --out DIR
    python -m inference.render --batch badges.csv --out DIR
    python -m inference.render --like badge.png --out again.png

Files go where `--out` says; `--json` prints one JSON object a badge on stdout; everything else is on stderr.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from configs.console import BAD_INPUT, FAILED, Parser, run_command
from configs.errors import ConfigError
from configs.names import unknown_name
from inference.errors import InvalidRequest, RenderError
from inference.local.tiers import TIERS
from inference.output.endings import ENDINGS
from inference.types import MAX_SEED
from overlay.styles import style_names

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
    from inference.commands.render import run

    return run(args)


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


if __name__ == "__main__":
    sys.exit(main())
