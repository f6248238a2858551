"""Full-size models on one card, in under eight minutes, with random weights: nothing is downloaded.

    python -m benchmarks.gpu                                on a CUDA card
    python -m benchmarks.gpu --tiny --device cpu            the same program, small enough for a test

One Markdown table: for FLUX.1-dev (28 steps), schnell and klein-4b (4 steps) at 1024x1024 with a rank-16 LoRA, plain
diffusers beside each of our tiers: seconds an image, the ratio to plain, the peak of reserved memory, the share of the
card's limit, and seconds to the first image (everything from building the model on), the second time with the compiled
code of the first. Then which plans draw under a cap on memory. The limit is the FLOPs of the steps over the rate of a
matrix product measured in the same run: bf16, and for fp8 tiers fp8 for the linear layers with bf16 for attention.
Random weights say nothing about quality; and since no two steps are alike with them, turbo's cache finds nothing.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.gpu_row import Measured, Row, profile_of
from inference.models.hardware import GB
from inference.models.profiles import Profile
from inference.models.sizes import ModelSize, size_of

BUDGET = 470.0
_CAPS = (8, 12, 16, 24, 40)


def rows(device: str, *, tiny: bool, cache: str) -> list[Row]:
    """What to measure, the most important first: what does not fit into the time is left out and said."""
    dev = Row("flux-dev", "plain", 2 if tiny else 28, 1 if tiny else 2, device=device, tiny=tiny, cache=cache)
    dev = replace(dev, compiled=not tiny)
    few = {"steps": 2 if tiny else 4, "images": 1 if tiny else 3}
    klein, schnell = replace(dev, profile="flux2-klein-4b", **few), replace(dev, profile="flux-schnell", **few)
    wanted = [replace(dev, way="bounds"), dev, replace(dev, way="exact"), replace(dev, way="fast")]
    if device.startswith("cuda"):
        capped = replace(dev, steps=2, images=0, compiled=False, cache="")
        wanted += [replace(capped, way="fast", cap=cap) for cap in _CAPS]
        wanted += [replace(capped, way="exact", cap=cap) for cap in (24, 8)]
        wanted += [replace(capped, profile="flux2-klein-4b", way="fast", cap=8)]
    wanted += [replace(klein, way="exact"), klein, replace(schnell, way="exact"), schnell]
    wanted += [replace(dev, way="exact", images=1)]  # again: warm-started
    wanted += [replace(dev, way="turbo"), replace(klein, way="fast"), replace(schnell, way="fast")]
    return wanted


def run(row: Row, seconds: float) -> Measured:
    """Measure one row in a process of its own, so that no row sees another's memory."""
    command = [sys.executable, "-m", "benchmarks.gpu_row", json.dumps(asdict(row))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=max(1.0, seconds), check=False)
    except subprocess.TimeoutExpired:
        return Measured(row, problem="no time left")
    if done.returncode:
        return Measured(row, problem=(done.stderr.strip().splitlines() or ["no message"])[-1][:120])
    found = json.loads(done.stdout.splitlines()[-1])
    return Measured(**{**found, "row": Row(**found["row"])})


def limit(row: Row, rates: dict[str, float], *, fp8: bool) -> float:
    """Seconds an image that the card's products alone take."""
    profile = profile_of(row)
    size = size_of(profile)
    if size is None or not rates:
        return 0.0
    rate = rates.get("fp8", rates["bf16"]) if fp8 else rates["bf16"]
    seconds = _linear_flops(size, profile) / rate + _attention_flops(size, profile) / rates["bf16"]
    return row.steps * seconds / 1e12


def step_flops(size: ModelSize, profile: Profile) -> float:
    """Floating-point operations of one step for one image: products of block linears, and attention.

    2 a weight and token for the linears (a double block holds one set for each kind of token, of which a token
    meets one), 4 n^2 width a block for attention.
    """
    return _linear_flops(size, profile) + _attention_flops(size, profile)


def _linear_flops(size: ModelSize, profile: Profile) -> float:
    return 2.0 * 12 * size.width**2 * (size.double_blocks + size.single_blocks) * size.tokens(profile)


def _attention_flops(size: ModelSize, profile: Profile) -> float:
    return 4.0 * size.tokens(profile) ** 2 * size.width * (size.double_blocks + size.single_blocks)


def table(found: list[Measured]) -> str:
    """All rows as Markdown."""
    rates = next((each.rates for each in found if each.rates), {})
    card = next((each.card for each in found if each.card), "no card")
    said = ", ".join(f"{name} {rate:.1f} TFLOP/s" for name, rate in rates.items())
    lines = [f"{card}; matrix products: {said or 'not measured'}", ""]
    lines += ["| model, steps | way | s/image | plain / this | share of limit | peak GB | first image s |"]
    lines += ["|---|---|---:|---:|---:|---:|---:|"]
    plain = {each.row.profile: each.seconds for each in found if each.row.way == "plain" and not each.problem}
    seen: set[tuple[str, str]] = set()
    for each in found:
        row = each.row
        if row.way == "bounds" or row.cap:
            continue
        way = f"{row.way}, warm-started" if (row.profile, row.way) in seen else row.way
        seen.add((row.profile, row.way))
        if each.problem:
            lines.append(f"| {row.profile}, {row.steps} | {way} | {each.problem} | | | | |")
            continue
        ratio = f"{plain[row.profile] / each.seconds:.2f}x" if row.profile in plain else ""
        share = "" if row.tiny else f"{limit(row, rates, fp8='quantize fp8' in each.plan) / each.seconds:.0%}"
        peak = f"{each.peak / GB:.1f}" if each.peak else ""
        cells = (f"{row.profile}, {row.steps}", way, f"{each.seconds:.2f}", ratio, share, peak, f"{each.first:.1f}")
        lines.append(f"| {' | '.join(cells)} |")
    capped = [each for each in found if each.row.cap]
    if capped:
        lines += ["", "| cap GB | model, tier | draws | peak GB | plan |", "|---:|---|---|---:|---|"]
    for each in capped:
        row, peak = each.row, f"{each.peak / GB:.1f}" if each.peak else ""
        verdict = each.problem or "yes"
        lines.append(
            f"| {row.cap:g} | {row.profile}, {row.way} | {verdict} | {peak} | {each.plan.partition(': ')[2]} |"
        )
    return "\n".join(lines)


def main(argv: list[str] | None = None) -> int:
    """Measure, with a line a row on stderr, and print the table on stdout."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny models: tries the program, measures nothing of use")
    args = parser.parse_args(argv)
    if args.device.startswith("cuda"):
        import torch

        if not torch.cuda.is_available():
            print(
                "error: no CUDA card here: this measures cards (--tiny --device cpu tries the program)", file=sys.stderr
            )
            return 2
    started, found = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder:
        for row in rows(args.device, tiny=args.tiny, cache=str(Path(folder) / "compiled")):
            found.append(run(row, BUDGET - (time.monotonic() - started)))
            about = found[-1].problem or f"{found[-1].seconds:.2f} s, first {found[-1].first:.1f} s"
            cap = f" under {row.cap:g} GB" if row.cap else ""
            print(
                f"{time.monotonic() - started:5.0f} s  {row.profile} {row.way}{cap}: {about}",
                file=sys.stderr,
                flush=True,
            )
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
