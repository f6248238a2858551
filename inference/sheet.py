"""`python -m inference.sheet`: badges on pages for the printer, in true millimetres, for button makers and stickers.

    python -m inference.sheet team/*.png --out sheet.pdf --paper a4 --size 58mm --bleed 3mm --marks --copies 2

A badge's PNG says how it was made: its portrait is taken from the portraits drawn before, and the banner is drawn anew
at 300 dpi for the size. Where the portrait is gone, the picture itself is printed.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from configs.console import BAD_INPUT, FAILED, Parser, run_command
from configs.errors import ConfigError
from inference.errors import InvalidRequest, RenderError
from inference.output.pdf import BUTTONS, PAPERS
from overlay.errors import BannerError


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m inference.sheet",
        description="Lay badges out on pages for the printer, in true millimetres: for button makers and stickers.",
    )
    parser.add_argument("badges", nargs="+", type=Path, metavar="BADGE", help="PNG files of badges, or folders of them")
    parser.add_argument("--out", type=Path, default=Path("sheet.pdf"), metavar="FILE", help="PDF (default sheet.pdf)")
    parser.add_argument("--paper", default="a4", metavar="NAME", help=" | ".join(PAPERS))
    parser.add_argument(
        "--size",
        default="58mm",
        metavar="LENGTH",
        help=f"across, after cutting; buttons have {', '.join(map(str, BUTTONS))} mm",
    )
    parser.add_argument("--bleed", default="3mm", metavar="LENGTH", help="background beyond the cut (default 3mm)")
    parser.add_argument("--shape", default="round", metavar="NAME", help="round | square")
    parser.add_argument("--marks", action="store_true", help="crop marks, and the line to cut buttons out by")
    parser.add_argument("--copies", type=int, default=1, metavar="N", help="of every badge")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that override configs/badge.toml")
    parser.add_argument("--debug", action="store_true", help="show library logs and tracebacks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    codes: dict[type[Exception], int] = {
        ConfigError: BAD_INPUT, InvalidRequest: BAD_INPUT, BannerError: BAD_INPUT, RenderError: FAILED,
    }  # fmt: skip
    return run_command(_command, build_parser(), argv, codes)


def _command(args: argparse.Namespace) -> int:
    from inference.commands.sheet import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
