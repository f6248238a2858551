"""Trains the demo FLUX from nothing: `python -m training.demo.model.train --seconds 450` on a GPU, without it on a CPU.

Stages: tokenizers, draw, text, vae, decoder, classifier, flow, export; `all` runs them in this order. Each keeps a
checkpoint in the work folder and goes on from it after any interruption. Losses go to `<stage>.csv`, sample sheets to
`vae.png` and `flow.png` beside them. With `--seconds` drawing goes on beside training and the whole run ends in time;
`--pack` then also writes what it made into a few files of at most 15 MiB. Two more stages run only when named:
`images` draws the aidbox samurai's sets, `refine` goes on with the weights in `--out` on a CPU.
"""

import argparse
import logging
import os
import time
from pathlib import Path

BEGAN = time.monotonic()
STAGES = ("tokenizers", "draw", "text", "vae", "decoder", "classifier", "flow", "export", "images", "refine")


def main() -> None:
    """The command line. Model libraries are imported here, so that the processes that draw start without them."""
    parser = argparse.ArgumentParser(prog="python -m training.demo.model.train", description=__doc__)
    parser.add_argument("--stage", choices=(*STAGES, "all"), default="all")
    parser.add_argument(
        "--work", type=Path, default=Path("data/demo"), help="checkpoints, logs and caches (default data/demo)"
    )
    parser.add_argument("--out", type=Path, default=Path("inference/demo"), help="the pipeline's folder")
    parser.add_argument("--classifier", type=Path, help="the classifier's file (default: beside its code)")
    parser.add_argument("--seconds", type=float, help="the whole run ends in this time, imports included")
    parser.add_argument("--pictures", type=int, help="how many drawings (default 12000; on a GPU 160000)")
    parser.add_argument("--workers", type=int, help="processes that draw (default: the cores, less two)")
    parser.add_argument("--scale", type=float, default=1.0, help="of the documented steps and batches (for trials)")
    parser.add_argument("--pack", type=Path, help="also write everything into demo.tar.000 and so on, in this folder")
    parser.add_argument("--threads", type=int, help="CPU threads")
    parser.add_argument("--compile", action="store_true", help="compile the transformer's blocks")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")

    import torch

    from training.demo.drawing import aidbox
    from training.demo.model import loop, refine
    from training.demo.model.run import Run, faster_in_bf16

    if args.threads:
        torch.set_num_threads(args.threads)
    torch.set_float32_matmul_precision("high")
    where = loop.device()
    # On an H100 (torch 2.11, CUDA 13.0) the backward of cuDNN's attention read illegal memory at the flow's shapes,
    # compiled or not. Flash and memory-efficient attention are there too.
    torch.backends.cuda.enable_cudnn_sdp(False)
    if where.type == "cpu":
        loop.LOW_PRECISION_CPU = faster_in_bf16()
    cores = os.cpu_count() or 1
    run = Run(
        work=args.work,
        folder=args.out,
        weights=args.classifier,
        device=where,
        pictures=args.pictures or (160_000 if where.type == "cuda" else 12_000),
        workers=args.workers or max(1, cores - 2),
        ends=None if args.seconds is None else BEGAN + args.seconds,
        scale=args.scale,
        pack=args.pack,
        compiled=args.compile,
    )
    logging.getLogger("training.demo").info(
        "training on %s%s, torch %s", where, " in bf16" if loop.LOW_PRECISION_CPU else "", torch.__version__
    )
    if args.stage == "images":
        aidbox.write_both()
    elif args.stage == "refine":
        refine.refine(args.out, args.work, run.workers, run.ends, args.compile)
    else:
        run.all() if args.stage == "all" else run.stage(args.stage)


if __name__ == "__main__":
    main()
