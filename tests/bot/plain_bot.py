"""The real bot with a generator that draws a plain picture at once: `python -m tests.bot.plain_bot [options]`.

Everything but the portrait is the bot's own. `--die-at NAME` ends the process, as kill -9 does, the first time
that commit point is reached; `--trace FILE` writes the points down instead. SIGUSR1 makes the disk full for the
store, SIGUSR2 makes room again.
"""

import argparse
import contextlib
import os
import random
import signal
import sys
import threading
import time
import zlib
from pathlib import Path

from PIL import Image

from bot.app import run
from bot.clock import Clock
from bot.operations.logs import start_logging
from bot.store import Database
from configs.settings import Settings, load_settings
from inference.errors import BackendUnavailable, InvalidRequest, InvalidSettings, OperatorNeeded, RenderFailed
from inference.generator import Generator
from inference.types import ModelInfo, Portrait, PortraitRequest, StepCallback


class PlainGenerator(Generator):
    """Draws one colour, chosen by prompt and seed, in `steps` steps that take `seconds` in all.

    A prompt with "slowly" takes 2 s in 40 steps, one with "stubborn" a minute in one; one with "words that fail",
    "nobody draws", "no credit", "sixty steps" or "breaks" fails. One with "snowstorm" is noise, nearly 1 MB as a PNG.
    """

    def __init__(self, seconds: float, steps: int, parallel: int, profile: str) -> None:
        self._seconds, self._steps, self._parallel, self._profile = seconds, steps, parallel, profile

    @property
    def model(self) -> ModelInfo:
        return ModelInfo("plain", self._profile)

    @property
    def parallel(self) -> int:
        return self._parallel

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        if "words that fail" in request.prompt:
            raise InvalidRequest("not these words")
        if "nobody draws" in request.prompt:
            raise BackendUnavailable("out of memory")
        if "no credit" in request.prompt:
            raise OperatorNeeded("the Replicate account is out of credit")
        if "sixty steps" in request.prompt:
            raise InvalidSettings("num_inference_steps: at most 50")
        if "breaks" in request.prompt:
            raise RenderFailed("broke")
        seconds, steps = (2.0, 40) if "slowly" in request.prompt else (self._seconds, self._steps)
        if "stubborn" in request.prompt:
            sys.stderr.write("a stubborn drawing begins\n")
            time.sleep(60)
        for step in range(1, steps + 1):
            time.sleep(seconds / steps)
            if on_step is not None:
                on_step(step, steps)
        colour = zlib.crc32(f"{request.prompt} {request.seed}".encode()) & 0xFFFFFF
        image = Image.new("RGB", (256, 256), f"#{colour:06x}")  # the size of the badge: nothing is enlarged
        image.paste("white", (30, 0, 34, 4))
        if "snowstorm" in request.prompt:
            image = Image.frombytes("RGB", (560, 560), random.Random(colour).randbytes(3 * 560**2))
        return Portrait(image, request.prompt, request.seed, self._steps, 1.0, self.model, seconds)


def checkpoint(options: argparse.Namespace, name: str) -> None:
    """At a commit point: write it down, or die."""
    if options.trace:
        with options.trace.open("a") as file:
            file.write(name + "\n")
    if name == options.die_at:
        os.kill(os.getpid(), signal.SIGKILL)


def watch_disk(database: Database) -> None:
    """Let signals fill the disk for the store, by SQLite's own limit on pages."""

    def limit(pages: int) -> None:
        database.submit("", lambda c: c.execute(f"PRAGMA max_page_count={pages}").fetchone())

    signal.signal(signal.SIGUSR1, lambda *_: threading.Thread(target=limit, args=(1,)).start())
    signal.signal(signal.SIGUSR2, lambda *_: threading.Thread(target=limit, args=(2**30,)).start())


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--parallel", type=int, default=1)
    parser.add_argument("--profile", default="plain", help="whose vocabulary holds; plain draws anything")
    parser.add_argument("--die-at", default="")
    parser.add_argument("--trace", type=Path)
    parser.add_argument("--wall-offset", type=Path, help="a file with the seconds by which the wall clock is off")
    options = parser.parse_args()

    def wall() -> float:
        offset = 0.0
        if options.wall_offset is not None:
            with contextlib.suppress(FileNotFoundError, ValueError):
                offset = float(options.wall_offset.read_text())
        return time.time() + offset

    settings: Settings = load_settings()
    start_logging(settings.bot, settings.data_dir, (settings.secrets.telegram_bot_token.get_secret_value(),))
    run(
        settings,
        lambda _: PlainGenerator(options.seconds, options.steps, options.parallel, options.profile),
        clock=Clock(wall=wall),
        checkpoint=lambda name: checkpoint(options, name),
        tell_database=watch_disk,
    )


if __name__ == "__main__":
    sys.exit(main())
