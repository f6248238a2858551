"""`python -m training.run`: turn 15-25 pictures into a LoRA that the bot loads in one line of configuration.

    python -m training.run --backend local --data training_images --out loras/aidbox
    python -m training.run --backend local --data training_images --out loras/aidbox --resume
    python -m training.run --backend replicate --data training_images --destination owner/samurai-badge-lora
    python -m training.run --backend replicate --data training_images --destination owner/samurai-badge-lora --resume

Ctrl-C or SIGTERM saves within a step; `--resume` goes on from there, or from the last checkpoint after a kill.
Everything else is in `[training]` of configs/badge.toml. Several cards: accelerate launch -m training.run ..., which
starts this command once for each; the first of them speaks for all.
"""

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from configs.console import Parser, run_command
from training.errors import EXIT_CODES

_BACKENDS = ("local", "replicate")
_EXPORTS = ("comfyui",)
_TELL_AFTER_S = 10.0
"""How long another process than the first waits with its error, by hand: in that time the first has usually told the
same, and the launcher has ended both."""


def build_parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = (_FollowersParser if _rank() else Parser)(
        prog="python -m training.run",
        description="Train the style: pictures with captions in, a LoRA out.",
        epilog="Every other setting: [training] in configs/badge.toml, with --config FILE or BADGE_TRAINING__<KEY>.",
    )
    what = parser.add_argument_group("what")
    what.add_argument("--backend", choices=_BACKENDS, help="where it trains (default: the settings' training.backend)")
    what.add_argument("--data", type=Path, metavar="DIR", help="folder with the pictures (default training_images)")
    what.add_argument("--profile", metavar="NAME", help="base model, see configs/profiles")
    what.add_argument("--trigger", metavar="WORD", help="the trigger word (default: the settings' prompt.trigger)")
    recipe = parser.add_argument_group("recipe")
    recipe.add_argument("--steps", type=int, metavar="N", help="optimizer steps (default: the base's, 1000 for FLUX.1)")
    recipe.add_argument("--lr", type=float, metavar="X", help="learning rate (default: the base's, 4e-4 for FLUX.1)")
    recipe.add_argument("--rank", type=int, metavar="N", help="rank of the LoRA (default 16)")
    recipe.add_argument("--resolution", metavar="N[,N]", help="sizes in pixels (default 512,768,1024)")
    where = parser.add_argument_group("where")
    where.add_argument(
        "--out", type=Path, metavar="DIR", help="folder for the LoRA and its samples (default loras/TRIGGER)"
    )
    where.add_argument("--resume", action="store_true", help="go on with the training in --out")
    where.add_argument("--export", choices=_EXPORTS, action="append", help="write this form too")
    where.add_argument("--destination", metavar="OWNER/NAME", help="replicate: the model that the training makes")
    where.add_argument("--data-url", metavar="URL", help="replicate: the archive where it is hosted already")
    where.add_argument("--cancel", action="store_true", help="replicate: stop the training that runs for --out")
    where.add_argument(
        "--pay-again", action="store_true", help="replicate: start another training where one was paid for already"
    )
    where.add_argument(
        "--install", type=Path, nargs="?", const=Path("my.toml"), metavar="FILE",
        help="write the LoRA into this settings file for the bot (default my.toml), comments are kept",
    )  # fmt: skip
    where.add_argument("--json", action="store_true", help="the result as one JSON object on stdout")
    where.add_argument("--config", type=Path, metavar="FILE", help="settings that override configs/badge.toml")
    where.add_argument("--debug", action="store_true", help="show library logs and tracebacks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    return run_command(_command, build_parser(), argv, EXIT_CODES)


class _FollowersParser(Parser):
    """Of a process that is not the first: see `training.commands.run.follow`."""

    def error(self, message: str) -> NoReturn:
        time.sleep(_TELL_AFTER_S)
        super().error(message)


def _rank() -> int:
    """This process's number among those that a launcher started, by the variable that all launchers set."""
    return int(os.environ.get("RANK", "0"))


def _command(args: argparse.Namespace) -> int:
    from training.commands.run import follow, run

    return follow(args, _TELL_AFTER_S) if _rank() else run(args)


if __name__ == "__main__":
    sys.exit(main())
