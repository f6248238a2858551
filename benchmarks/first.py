"""The first picture of a fresh process: our command beside the bare diffusers pipeline, imports included.

    python -m benchmarks.first [--rounds 7]

Bare is what diffusers documents: import, `from_pretrained`, one call, save. It draws the demo's portrait without LoRA;
ours is `python -m inference.render` as a person types it, with its LoRA, enlarged to 1024 pixels, with banner and
recipe; then the same without the LoRA and not enlarged, which is nearest to what bare does. All import the same model
libraries. Seconds from the start of the process to the file, in turns, so that all meet the same machine.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from configs import default_settings
from inference.models.profiles import load_profile
from inference.prompt import build_prompt

_BARE = """
import sys
import torch
from diffusers import FluxPipeline
folder, prompt, out, steps, guidance, side, length = sys.argv[1:]
pipe = FluxPipeline.from_pretrained(folder, dtype=torch.float32)
image = pipe(prompt, width=int(side), height=int(side), num_inference_steps=int(steps),
             guidance_scale=float(guidance), max_sequence_length=int(length),
             generator=torch.Generator().manual_seed(7)).images[0]
image.save(out)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    profile, prompt = load_profile("demo"), build_prompt("telescope", default_settings().prompt)
    steps = default_settings().local.steps or profile.steps
    print(f"cores for this process {len(os.sched_getaffinity(0))}, load before {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as work:
        out = str(Path(work) / "badge.png")
        numbers = map(str, (steps, profile.guidance, profile.width, profile.max_sequence_length))
        ours = ["-m", "inference.render", "--object", "telescope", "--text", "UX SCOUT", "--seed", "7"]
        ours += ["--generator", "demo", "--out", out]
        plain = {"BADGE_BANNER__SIZE": str(profile.width)}
        ways: dict[str, tuple[list[str], dict[str, str]]] = {
            "bare pipeline": (["-c", _BARE, str(profile.folder), prompt, out, *numbers], {}),
            "our command": (ours, {}),
            "our command, no LoRA, not enlarged": ([*ours, "--lora", "none"], plain),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(options.rounds + 1):
            for name, (arguments, more) in ways.items():
                fresh = {"BADGE_DATA_DIR": str(Path(work) / f"data-{number}-{len(seconds[name])}")} | more
                started = time.perf_counter()
                subprocess.run([sys.executable, *arguments], env=os.environ | fresh, check=True, capture_output=True)
                if number:  # the first round fills the disk's cache
                    seconds[name].append(time.perf_counter() - started)
        bare = seconds["bare pipeline"]
        for name, measured in seconds.items():
            ratio = statistics.median(ours_s / bare_s for ours_s, bare_s in zip(measured, bare, strict=True))
            print(f"{name}: median {statistics.median(measured):.2f} s, {ratio:.2f} of the bare pipeline")


if __name__ == "__main__":
    main()
