"""Bytes that each way to draw takes on a card, simulated with full-size models, beside what the plan predicts.

    python -m benchmarks.memory.drawing                         every plan of every profile (an hour or more)
    python -m benchmarks.memory.drawing flux-dev flux2-klein-4b these profiles
    python -m benchmarks.memory.drawing --depth 1 flux-dev      at two depths of each block, extrapolated (minutes)

The models run through the project's own `assemble` and `draw` with tensors that have no contents, on a card that is
not there (`tests/card/fake_card.py`): shapes, dtypes, devices and lifetimes are the real ones. What that leaves out,
CUDA's context and the workspaces of its libraries, is counted with 0.8 GB on both sides. Compiled code keeps less
alive than eager code, so for compiled plans the figures are estimates from above. Not simulated: weights that are
streamed (the hooks change a tensor's storage, which these have none of), and bitsandbytes' own layers, in whose place
layers that hold and compute the same stand.
"""

import argparse
import sys


def main(argv: list[str]) -> int:
    """Print the table; 1 where a prediction is below the simulation, or more than 3% above it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory.drawing", description="bytes by plan and model")
    parser.add_argument("profiles", nargs="*", metavar="PROFILE", help="left out: all")
    parser.add_argument("--weights", metavar="KIND", help="plans that hold the weights so: plain, fp8, int8, nf4")
    parser.add_argument("--depth", type=int, default=0, metavar="N", help="simulate N and 2N blocks and extrapolate")
    args = parser.parse_args(argv)
    from tests.card.fake_card import prepare

    prepare()  # before torch, which whatever is imported next may import
    from benchmarks.memory.simulation import run

    return run(args)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
