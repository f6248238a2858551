"""What the plans predict beside what full-size models take on a card that is not there. No card, no download.

    python -m benchmarks.memory                       every plan and size: training here, drawing by `drawing.py`
    python -m benchmarks.memory --training --sizes 512

Models are traced in full width at three depths, from which the real depth follows, since every block of a kind keeps
the same. Without CUDA's context, workspaces and what the program reserves for other things. Compiled blocks cannot be
traced so: their share is an estimate, or measured on a card by `benchmarks.gpu`.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

from inference.models.profiles import load_profile
from training.local.memory_plan import FLUX1, FLUX2_KLEIN_4B, RESERVE, lora_parameters, make_plan

MODELS = {"flux-dev": FLUX1, "flux2-klein-base-4b": FLUX2_KLEIN_4B}
# All plans, and the sizes and the rank of the recipe.
KINDS, SIZES, RANK = ("bf16", "checkpointing", "int8", "nf4"), (512, 768, 1024), 16


def training_rows(sizes: tuple[int, ...]) -> list[tuple[str, str, int, int, int]]:
    """(model, plan, size, bytes simulated, bytes predicted)."""
    rows = []
    for name, shape in MODELS.items():
        profile = load_profile(name)
        model = replace(shape, text_tokens=profile.max_sequence_length)
        deep = (model.double_blocks, model.single_blocks)
        command = [sys.executable, "-m", "benchmarks.memory.training", name, ",".join(KINDS), ",".join(map(str, sizes))]
        done = subprocess.run([*command, "1,1", "2,1", "1,2"], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1])
        found: dict[tuple[str, int], dict[tuple[int, ...], dict[str, Any]]] = {}
        for line in done.stdout.splitlines():
            row = json.loads(line)
            found.setdefault((row["kind"], row["size"]), {})[tuple(row["depth"])] = row
        for (kind, size), depths in found.items():
            peak = _deep({depth: row["peak"] for depth, row in depths.items()}, deep)
            plan = make_plan(model, 0, resolutions=(size,), batch=1, rank=RANK, wanted=kind)
            if plan.eight_bit:  # the pretended step has moments of 32 bits
                peak -= 6 * lora_parameters(model, RANK)
            rows.append((profile.title, kind, size, peak, plan.peak - RESERVE))
    return rows


def _deep(peaks: dict[tuple[int, ...], int], deep: tuple[int, int]) -> int:
    one = peaks[1, 1]
    return one + (deep[0] - 1) * (peaks[2, 1] - one) + (deep[1] - 1) * (peaks[1, 2] - one)


def main(argv: list[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--training", action="store_true", help="training alone")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), metavar="N[,N]", help="pixels a side, training")
    args = parser.parse_args(argv)
    print("Training, batch 1, rank 16, eager blocks, in GB (10^9 bytes):\n")
    print("| model | plan | size | simulated | predicted | predicted / simulated |")
    print("|---|---|---:|---:|---:|---:|", flush=True)
    for title, kind, size, peak, predicted in training_rows(tuple(int(n) for n in args.sizes.split(","))):
        print(f"| {title} | {kind} | {size} | {peak / 1e9:.2f} | {predicted / 1e9:.2f} | {predicted / peak:.3f} |")
    if args.training:
        return 0
    print("\nDrawing, from blocks at two depths:\n", flush=True)
    command = [sys.executable, "-m", "benchmarks.memory.drawing", "--depth", "1"]
    return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
