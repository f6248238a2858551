"""How sharp portraits become: `python -m benchmarks.upscale`.

The width of an outline is that of its edges: in every row of the luminance each run of rising pixels that rises by
more than 90 levels, its rise over the steepest slope between two of its pixels. A picture's width is the median of its
runs, a row's the median of its pictures. Lanczos stands beside the network; drawings are those of the illustrator at
full size, the best that there could be.
"""

import argparse
from pathlib import Path


def main() -> None:
    """Draw, enlarge, measure, print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upscale", description=__doc__)
    parser.add_argument("--count", type=int, default=24, help="portraits of each kind (default 24)")
    parser.add_argument("--prints", type=int, default=3, help="prints of each kind (default 3)")
    parser.add_argument("--sheet", type=Path, help="also write crops here, Lanczos beside the network, at 100%%")
    args = parser.parse_args()
    from benchmarks.commands.upscale import run

    run(args)


if __name__ == "__main__":
    main()
