"""How long a card waits between two badges of a batch: its banner, its PNG, its line in the manifest.

    python -m benchmarks.pipeline [--seconds 0.3] [--badges 12]

A generator that takes the given time for a portrait and no CPU, as a card does, stands for the card; everything else
is the batch as it is. Beside it one badge after the other, as a plain loop makes them. 0.3 s is FLUX.2 klein 4B's
portrait on an H100, 4 s FLUX.1 dev's.
"""

import argparse
import sys


def main(argv: list[str]) -> int:
    """Print both shares."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pipeline")
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--badges", type=int, default=12)
    args = parser.parse_args(argv)
    from benchmarks.commands.pipeline import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
