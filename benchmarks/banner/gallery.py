"""Draws the pictures of overlay/README.md: every style at 1024, 320, 160 and 128 pixels, and the scripts.

    python -m benchmarks.banner.gallery [--out overlay/gallery]

The portraits come from the demo's illustrator, the same ones every time.
"""

import argparse
from pathlib import Path


def main() -> None:
    """Draw everything into the folder."""
    parser = argparse.ArgumentParser(description="Draws the pictures of overlay/README.md.")
    parser.add_argument("--out", type=Path, default=Path("overlay/gallery"), metavar="DIR")
    out: Path = parser.parse_args().out
    from benchmarks.commands.gallery import run

    run(out)


if __name__ == "__main__":
    main()
