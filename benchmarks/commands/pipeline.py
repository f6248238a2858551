"""What `python -m benchmarks.pipeline` measures: the share of the time in which a card draws nothing."""

import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

from configs import default_settings
from inference.badge import make_badge
from inference.generator import Generator
from inference.output.batch import run_batch
from inference.output.recipe import encode_png, recipe_of
from inference.output.rows import Row
from inference.types import BadgeRequest, ModelInfo, Portrait, PortraitRequest, StepCallback


class Card(Generator):
    """Takes `seconds` for a portrait, and notes when it began and ended."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        values = np.random.default_rng(0).integers(0, 256, (128, 128, 3), dtype=np.uint8)
        self._image = Image.fromarray(values).resize((1024, 1024), Image.Resampling.BICUBIC)
        self.spans: list[tuple[float, float]] = []

    @property
    def model(self) -> ModelInfo:
        return ModelInfo("local", "flux2-klein-4b")

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        began = time.perf_counter()
        time.sleep(self._seconds)
        self.spans.append((began, time.perf_counter()))
        return Portrait(self._image, request.prompt, request.seed, 4, 1.0, self.model, self._seconds)

    @property
    def idle(self) -> float:
        """The share of the time between its first and last portrait in which it drew nothing."""
        whole = self.spans[-1][1] - self.spans[0][0]
        return 1 - sum(end - begin for begin, end in self.spans) / whole


def run(args: argparse.Namespace) -> int:
    """Print both shares."""
    settings = default_settings()
    requests = [BadgeRequest("telescope", "AIDBOX TEAM", seed) for seed in range(1, args.badges + 1)]
    one_by_one, batch = Card(args.seconds), Card(args.seconds)
    with tempfile.TemporaryDirectory() as folder:
        for request in requests:
            badge = make_badge(request, one_by_one, prompt=settings.prompt, banner=settings.banner)
            (Path(folder) / f"{request.seed}.png").write_bytes(encode_png(badge.image, recipe_of(badge)))
        rows = [Row(number, f"badge-{number}", request) for number, request in enumerate(requests, 1)]
        with contextlib.redirect_stderr(io.StringIO()):
            run_batch(rows, Path(folder), batch, settings)
    print(f"| {args.badges} badges, {args.seconds:.1f} s a portrait | the card waits |\n|---|---:|")
    print(f"| one after the other | {one_by_one.idle:.0%} |\n| a batch | {batch.idle:.0%} |")
    return 0
