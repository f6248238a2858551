"""What our side adds to a badge that Replicate draws, against the fake of its API on this machine.

    python -m benchmarks.replicate

"Added" is the wall time of one portrait less the time that the API itself takes and less the pauses between two looks
at the job: requests, checks, the ledger on disk, download and decoding of a 1024 x 1024 PNG. API calls are counted by
the fake; a download is one more request, to another host. No figure here says how fast Replicate is.
"""

import io
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from configs import default_settings
from configs.sections.replicate import ReplicateSettings
from inference.replicate.generator import ReplicateGenerator
from inference.types import PortraitRequest
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_jobs import Plan

BADGES = 20  # by hand: more take longer and vary less
API_S = 0.2  # by hand: it is taken off again, so it only has to be there
LOOKS = ("starting", "processing 9/28", "processing 20/28", "succeeded")


@dataclass(frozen=True)
class Way:
    """One way of waiting: what it is called, the settings, how the fake goes about it, seconds between looks."""

    name: str
    settings: dict[str, object]
    plan: Plan
    api_s: float
    pauses_s: float


@dataclass(frozen=True)
class Row:
    """Milliseconds that we add, and requests, a badge."""

    added_ms: list[float]
    calls: float
    downloads: float


def main() -> int:
    """Measure both ways and print the table."""
    settings = default_settings().replicate
    pauses, pause = 0.0, settings.poll_min_s
    for _ in LOOKS[1:]:
        pauses += min(pause, settings.poll_max_s)
        pause *= 1.5
    ways = (
        Way(
            "answered at once (Prefer: wait)",
            {},
            Plan(("succeeded",), None, outputs=("a.png",), seconds=API_S),
            API_S,
            0,
        ),
        Way("polled, three looks", {"wait_s": 0}, Plan(LOOKS, None, outputs=("a.png",)), 0, pauses),
    )
    print(f"{BADGES} badges each, a new process's first badge left out\n")
    print("| way | added, median | added, 9 of 10 below | API calls a badge | downloads a badge |")
    print("|---|---|---|---|---|")
    for way in ways:
        row = measure(way, settings)
        tenths = statistics.quantiles(row.added_ms, n=10)
        print(
            f"| {way.name} | {statistics.median(row.added_ms):.0f} ms | {tenths[-1]:.0f} ms | {row.calls:.1f} "
            f"| {row.downloads:.1f} |"
        )
    return 0


def measure(way: Way, settings: ReplicateSettings) -> Row:
    """Draw `BADGES` portraits that way."""
    changes = {"model": "owner/samurai", "requests_per_minute": 0, "requests_per_month": 0, **way.settings}
    free = settings.model_copy(update={**changes, "budget_day_usd": 0.0, "budget_month_usd": 0.0})
    added = []
    with tempfile.TemporaryDirectory() as folder, FakeReplicate() as fake:
        fake.state.plan = way.plan
        fake.state.contents["a.png"] = portrait_png()
        with ReplicateGenerator(free, fake.state.token, fake.url, Path(folder)) as generator:
            generator.generate(PortraitRequest("first", 0))
            before = len(fake.state.served)
            for seed in range(BADGES):
                started = time.perf_counter()
                generator.generate(PortraitRequest("samurai with a telescope", seed + 1))
                added.append((time.perf_counter() - started - way.api_s - way.pauses_s) * 1000)
        served = [path for _, path, _ in fake.state.served[before:]]
    downloads = sum(path.startswith("/delivery/") for path in served)
    return Row(added, (len(served) - downloads) / BADGES, downloads / BADGES)


def portrait_png() -> bytes:
    """A 1024 x 1024 PNG of about the weight of a drawn one: soft shapes with grain."""
    noise = Image.effect_noise((1024, 1024), 6)
    ramp = Image.linear_gradient("L").resize((1024, 1024))
    out = io.BytesIO()
    Image.merge("RGB", (ramp, noise, ramp.rotate(90))).save(out, "PNG")
    return out.getvalue()


if __name__ == "__main__":
    raise SystemExit(main())
