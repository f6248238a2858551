"""`python -m inference.fetch PROFILE`: a base model's weights onto this disk before anybody waits for them.

python -m inference.fetch flux-dev            says size, licence and free disk, then downloads; interrupted, it goes on
python -m inference.fetch flux-dev --dry-run  says them only
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from configs.console import BAD_INPUT, FAILED, Parser, run_command
from configs.errors import ConfigError
from configs.profiles import names_in
from inference.errors import InvalidRequest, RenderError


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = Parser(prog="python -m inference.fetch", description="Download a base model's weights.")
    parser.add_argument("profile", metavar="PROFILE", help=", ".join(names_in()))
    parser.add_argument("--dry-run", action="store_true", help="say size, licence and free disk, download nothing")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that override configs/badge.toml")
    parser.add_argument("--debug", action="store_true", help="show library logs and tracebacks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    codes: dict[type[Exception], int] = {ConfigError: BAD_INPUT, InvalidRequest: BAD_INPUT, RenderError: FAILED}
    return run_command(_command, build_parser(), argv, codes)


def _command(args: argparse.Namespace) -> int:
    from inference.commands.fetch import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
