"""`python -m training.dataset import|name|check|repair|pack`: from pictures as they come to a folder fit for training.

python -m training.dataset import export.zip photos --out training_images   everything into one folder, copies left out
python -m training.dataset name training_images                 a page in the browser: what does each character hold?
python -m training.dataset check training_images               a table, and report.html in the current folder
python -m training.dataset repair training_images --out mended  a mended copy; the originals stay
python -m training.dataset pack training_images                 training_data.zip for a hosted trainer
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from configs.console import Parser, run_command
from training.errors import EXIT_CODES


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(
        prog="python -m training.dataset",
        description="Gather, name, check, mend or pack the pictures that a style is trained on.",
        epilog="check ends with exit code 1 where something stops a training.",
    )
    parser.add_argument("what", choices=("import", "name", "check", "repair", "pack"), help="what to do")
    parser.add_argument(
        "folders", type=Path, nargs="+", metavar="DIR",
        help="the folder with pictures and captions; for import: folders, archives and files",
    )  # fmt: skip
    parser.add_argument(
        "--out", type=Path, metavar="PATH",
        help="training_images (import), report.html (check), DIR-repaired (repair), training_data.zip (pack)",
    )  # fmt: skip
    parser.add_argument("--trigger", metavar="WORD", help="the trigger word (default: the settings' prompt.trigger)")
    parser.add_argument("--encoding", default="", metavar="NAME", help="what captions are in, where that is not UTF-8")
    parser.add_argument("--port", type=int, metavar="N", help="name: serve the page on this port (default: a free one)")
    parser.add_argument("--no-browser", action="store_true", help="name: print the page's address, open no browser")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that override configs/badge.toml")
    parser.add_argument("--debug", action="store_true", help="show library logs and tracebacks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    return run_command(_command, build_parser(), argv, EXIT_CODES)


def _command(args: argparse.Namespace) -> int:
    from training.commands.dataset import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
