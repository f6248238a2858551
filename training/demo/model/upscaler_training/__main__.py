"""Trains the upscaler for flat outlined drawings: `python -m training.demo.model.upscaler_training`.

Pairs are the illustrator's drawings at 1024 pixels, and what the demo FLUX makes of them at 256: most through its
autoencoder with a little noise in the latents, the others by image-to-image, which adds the transformer's own faults
and leaves the geometry in place. It goes on from its checkpoint in the work folder after any interruption.
"""

import argparse
import logging
from pathlib import Path


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m training.demo.model.upscaler_training", description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("data/demo"), help="checkpoint, pairs and losses")
    parser.add_argument(
        "--pipeline",
        type=Path,
        nargs="+",
        default=[Path("inference/demo")],
        help="the demo FLUX to train for, or several",
    )
    parser.add_argument("--start", type=Path, help="go on from these weights instead of from nothing")
    parser.add_argument("--out", type=Path, help="where the weights go")
    parser.add_argument("--steps", type=int)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--threads", type=int, help="CPU threads")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    from training.demo.model.upscaler_training.fitting import run

    run(args)


if __name__ == "__main__":
    main()
