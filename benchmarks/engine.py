"""Our local generator beside the bare `FluxPipeline`, with the demo FLUX on this CPU; and ratios that hold anywhere.

    python -m benchmarks.engine

Times are medians of calls made in turns, so that whatever else the machine does falls on both. Bare means what the
documentation of diffusers shows: `pipe(prompt, ...)`, text encoded at every call. Counted values (encoder calls,
steps, FLOPs, bytes) do not depend on the machine.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.flops import step_flops
from configs import default_settings
from inference import BadgeRequest, PortraitRequest, load_profile, make_badge
from inference.local.generator import LocalGenerator
from inference.local.modulation import modulation_layers
from inference.local.plan import plan
from inference.local.tiers import TIERS
from inference.models.hardware import GB, Card, usable_cores
from inference.models.sizes import FLUX1, FLUX1_CONFIG
from inference.wrappers.cache import CachedGenerator, PortraitCache

PROFILE = load_profile("demo")
TURNS, BATCH = 20, 16  # calls of each, and portraits in a batch; by hand: more take longer and vary less
OBJECTS = ("telescope", "sword", "camera", "lantern")


def main() -> int:
    """Measure and print; returns 0."""
    threads = torch.get_num_threads()
    bare = bare_pipeline()
    with tempfile.TemporaryDirectory() as folder:
        one_portrait(bare, threads)
        batch(bare, threads)
        start_up(Path(folder))
        counted(bare, Path(folder))
    real_model()
    return 0


def bare_pipeline() -> Any:
    """The pipeline as anybody would load it."""
    from diffusers import FluxPipeline
    from diffusers.utils import logging

    logging.disable_progress_bar()
    pipe = FluxPipeline.from_pretrained(PROFILE.source, dtype=torch.float32, use_safetensors=True)
    pipe.set_progress_bar_config(disable=True)
    lora = PROFILE.default_lora
    if lora is not None:
        pipe.load_lora_weights(lora.parent, weight_name=lora.name, use_safetensors=True)
        pipe.fuse_lora()
        pipe.unload_lora_weights()
    return pipe


def call(bare: Any, request: PortraitRequest, threads: int) -> bytes:
    """The bare call; the pixels."""
    torch.set_num_threads(threads)
    image = bare(
        request.prompt,
        width=PROFILE.width,
        height=PROFILE.height,
        num_inference_steps=PROFILE.steps,
        guidance_scale=PROFILE.guidance,
        generator=torch.Generator().manual_seed(request.seed),
        max_sequence_length=PROFILE.max_sequence_length,
    ).images[0]
    pixels: bytes = image.tobytes()
    return pixels


def request(n: int) -> PortraitRequest:
    """The n-th of a row of portraits."""
    words = default_settings().prompt
    base = words.base.replace("{object}", OBJECTS[n % len(OBJECTS)])
    return PortraitRequest(f"{words.trigger}, {base}, {words.style}", n)


def timed(work: Callable[[], object]) -> float:
    """Seconds of one call."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def one_portrait(bare: Any, threads: int) -> None:
    """Seconds a portrait, ours and bare in turns, and whether the pixels are the same."""
    print("One portrait: 16 steps at 256x256, median of calls in turns\n")
    print("| who | torch threads | s | ours / bare | same pixels |\n|---|---:|---:|---:|---|")
    for number in dict.fromkeys((1, threads)):
        with LocalGenerator(PROFILE, default_settings().local.model_copy(update={"threads": number})) as ours:
            same = all(ours.generate(request(n)).image.tobytes() == call(bare, request(n), number) for n in (0, 1))
            mine, theirs = [], []
            for turn, asked in enumerate(map(request, range(TURNS))):
                pair = [(theirs, partial(call, bare, asked, number)), (mine, partial(ours.generate, asked))]
                for times, work in pair if turn % 2 else reversed(pair):
                    times.append(timed(work))
        a, b = statistics.median(mine), statistics.median(theirs)
        ratio = statistics.median(x / y for x, y in zip(mine, theirs, strict=True))
        print(f"| bare FluxPipeline | {number} | {b:.3f} | | |")
        print(f"| ours | {number} | {a:.3f} | {ratio:.3f} | {'yes' if same else 'no'} |", flush=True)


def batch(bare: Any, threads: int) -> None:
    """Sixteen portraits: bare calls one after another, and ours as a batch asks for them."""
    theirs = [timed(lambda n=n: call(bare, request(n), threads)) for n in range(BATCH)]
    with LocalGenerator(PROFILE, default_settings().local) as ours:
        ours.prepare()
        with ThreadPoolExecutor(ours.parallel) as pool:
            drawn: list[bytes] = []

            def all_of_them() -> None:
                drawn.extend(pool.map(lambda n: ours.generate(request(n)).image.tobytes(), range(BATCH)))

            mine = timed(all_of_them)
        alone = [ours.generate(request(n)).image.tobytes() for n in range(BATCH)]
        at_once = ours.parallel
    print(f"\nSixteen portraits of {len(OBJECTS)} objects on {usable_cores()} cores\n")
    print("| who | s | bare / ours | same pixels as alone |\n|---|---:|---:|---|")
    print(f"| 16 bare calls, {threads} torch threads, text encoded each time | {sum(theirs):.2f} | | |")
    same = "yes" if drawn == alone else "no"
    print(f"| ours, {at_once} at once | {mine:.2f} | {sum(theirs) / mine:.2f} | {same} |", flush=True)


def start_up(folder: Path) -> None:
    """From the command to the file, and the peak memory of the process."""
    command = [sys.executable, "-m", "inference.render", "--generator", "demo", "--object", "telescope"]
    command += ["--text", "UX SCOUT", "--seed", "7", "--out", str(folder / "badge.png")]
    times = []
    for n in range(3):
        environment = {**os.environ, "BADGE_DATA_DIR": str(folder / f"data{n}")}
        times.append(timed(lambda e=environment: subprocess.run(command, env=e, check=True, capture_output=True)))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    print("\nStart-up: from the command line to the finished badge's file\n")
    print("| | |\n|---|---:|")
    print(f"| seconds, median of 3 | {statistics.median(times):.1f} |")
    print(f"| peak memory, MB | {peak / 1e6:.0f} |", flush=True)


def counted(bare: Any, folder: Path) -> None:
    """Encoder calls and denoising steps for the same badges: bare, ours, ours again, ours with other texts."""
    calls = {"encoders": 0, "steps": 0}
    kinds = (type(bare.text_encoder), type(bare.text_encoder_2))

    def encoder_called(module: torch.nn.Module, *_: Any) -> None:
        calls["encoders"] += isinstance(module, kinds)

    hook = torch.nn.modules.module.register_module_forward_hook(encoder_called)
    bare.transformer.register_forward_hook(lambda *_: calls.update(steps=calls["steps"] + 1))
    for n in range(8):
        call(bare, request(n), 1)
    print("\nEight badges of four objects: calls of the text encoders, and denoising steps\n")
    print("| who | encoder calls | steps |\n|---|---:|---:|")
    print(f"| bare calls | {calls['encoders']} | {calls['steps']} |")
    steps: list[int] = []
    for name, text in (("ours", "ONE"), ("ours, another text on the same badges", "TWO")):
        steps.clear()
        calls["encoders"] = 0
        local = LocalGenerator(PROFILE, default_settings().local, data_dir=folder)
        with CachedGenerator(local, PortraitCache(folder / "portraits", 10**9)) as ours:
            for n in range(8):
                asked = BadgeRequest(OBJECTS[n % len(OBJECTS)], text, n)
                make_badge(asked, ours, on_step=lambda done, _total: steps.append(done))
            print(f"| {name} | {calls['encoders']} | {len(steps)} |")
    (folder / "portraits").rename(folder / "gone")
    steps.clear()
    calls["encoders"] = 0
    with LocalGenerator(PROFILE, default_settings().local, data_dir=folder) as local:
        for n in range(8):
            asked = BadgeRequest(OBJECTS[n % len(OBJECTS)], "ONE", n)
            make_badge(asked, local, on_step=lambda done, _total: steps.append(done))
        print(f"| ours after a restart, portraits not kept | {calls['encoders']} | {len(steps)} |", flush=True)
    hook.remove()


def real_model() -> None:
    """What follows from the full-size architecture alone, built on the meta device."""
    from diffusers import FluxTransformer2DModel

    with torch.device("meta"):
        layers = modulation_layers(FluxTransformer2DModel(**FLUX1_CONFIG).to(torch.bfloat16)).values()
    weights = [weight for layer in layers for weight in layer.parameters()]
    parameters = sum(weight.numel() for weight in weights)
    taken = sum(weight.numel() * weight.element_size() for weight in weights)
    dev = load_profile("flux-dev")
    print("\nFLUX.1-dev, by its architecture\n")
    print("| | |\n|---|---:|")
    print(f"| parameters | {FLUX1.transformer / 1e9:.3f} G |")
    print(f"| of them modulation, which a table of all steps replaces | {parameters / 1e9:.3f} G |")
    print(f"| bytes that leave the card (bf16) | {taken / GB:.2f} GB |")
    print(f"| share of the weights left | {1 - parameters / FLUX1.transformer:.2f} |")
    table = FLUX1.modulation // FLUX1.width * dev.steps * 2
    print(f"| the table of a prompt, {dev.steps} steps | {table / 1e6:.0f} MB |")
    for text in (128, dev.max_sequence_length, 512):
        flops = step_flops(FLUX1, dev.model_copy(update={"max_sequence_length": text}))
        print(f"| TFLOP a step, {text} text tokens | {flops / 1e12:.1f} |")
    print("\nPlans, with the bytes that they reckon with (nothing here was run on a card)\n")
    print("| card | tier | GB | what is done |\n|---|---|---:|---|")
    for gb, name in ((8, "Ada"), (12, "Ada"), (16, "Ada"), (24, "Ada"), (40, "Ampere"), (80, "Hopper")):
        capability = {"Ada": (8, 9), "Ampere": (8, 0), "Hopper": (9, 0)}[name]
        for tier in TIERS:
            made = plan(dev, Card(name, "cuda", int(gb * 2**30 * 0.985), capability), tier)
            if made.tier == tier:
                print(f"| {gb} GB {name} | {tier} | {made.need / GB:.1f} | {' > '.join(made.steps[3:])} |")


if __name__ == "__main__":
    sys.exit(main())
