"""Whether figures keep their feet, horns and things: `python -m benchmarks.composition`.

Ink, the dark pixels of outlines, tells where a figure is. Of each badge it is counted how much of the figure's ink the
banner hides or the ring cuts off: with none of it hidden the feet stand on the banner. "Before" lays the banner over
the portrait as it came.
"""

import argparse


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.composition", description=__doc__)
    parser.add_argument("--drawings", type=int, default=200, help="drawings of the illustrator (200)")
    parser.add_argument("--portraits", type=int, default=60, help="portraits of the demo FLUX, half with its LoRA (60)")
    args = parser.parse_args()
    from benchmarks.commands.composition import run

    run(args)


if __name__ == "__main__":
    main()
