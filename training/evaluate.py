"""`python -m training.evaluate --lora FILE --out test_results`: did the LoRA learn the style, and nothing else?

    python -m training.evaluate --lora loras/aidbox/lora.safetensors
    python -m training.evaluate --lora loras/aidbox/lora.safetensors --data training_images --out test_results
    python -m training.evaluate --lora loras/first/lora.safetensors --lora loras/second/lora.safetensors

Objects that the training set has and has not are drawn with and without the LoRA, at several scales and seeds, and
strangers without the trigger; writes images, `index.html` to judge at a glance, and `scores.json`. Several LoRAs get a
folder each, and a page above them that shows the same portraits side by side.
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
        prog="python -m training.evaluate",
        description="Try a LoRA: was the style learned, is the object right, do others stay as they were?",
        epilog="Strangers and everything else: [training] in configs/badge.toml, with --config FILE.",
    )
    parser.add_argument(
        "--lora", type=Path, action="append", required=True, metavar="FILE",
        help="the .safetensors file to try; several --lora are shown side by side",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, default=Path("test_results"), metavar="DIR", help="default test_results")
    parser.add_argument("--data", type=Path, metavar="DIR", help="its training pictures (default training_images)")
    parser.add_argument("--profile", metavar="NAME", help="base model (default: what the LoRA's header says)")
    parser.add_argument("--objects", metavar="A,B", help="objects to draw (default: some trained on, some not)")
    parser.add_argument("--seeds", type=int, metavar="N", help="seeds an object (default 2)")
    parser.add_argument("--scales", metavar="X,Y", help="LoRA scales (default 0.7,1.0)")
    parser.add_argument("--scorer", metavar="NAME", help="auto, demo, clip, dino, pixels, or a model's folder")
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings that override configs/badge.toml")
    parser.add_argument("--debug", action="store_true", help="show library logs and tracebacks")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    return run_command(_command, build_parser(), argv, EXIT_CODES)


def _command(args: argparse.Namespace) -> int:
    from training.commands.evaluate import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main())
