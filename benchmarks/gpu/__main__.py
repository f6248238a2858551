"""Full-size models on one card, in minutes, with random weights made on it: nothing is downloaded.

    python -m benchmarks.gpu --out measured                     on a CUDA card
    python -m benchmarks.gpu --tiny --device cpu --out tried    the same program, small enough for a test
    python -m benchmarks.gpu --only flux-dev,klein-training     these jobs; --list names them

Drawing at 1024x1024 with a rank-16 LoRA: seconds a picture (text encoding left out, decoding in), beside diffusers as
documented and at its best in the same run; the share of the card's limit, which is the FLOPs over the rate of a matrix
product measured in the same run; the peak of allocated memory. Training at 512, 768 and 1024: seconds a step. Then the
demo FLUX end to end: trained, stopped, resumed, exported, drawn. What is timed has the card to itself; `ready s` (model
made, quantized, compiled, first steps) has not, where two models are made ready at a time (`--lanes 1` for that).

Every row lies in OUT/rows.jsonl and OUT/table.md the moment it is measured. Random weights say nothing about quality.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from benchmarks.gpu.schedule import Schedule
from benchmarks.gpu.table import tables
from benchmarks.gpu.worker import Job

BUDGET = 470.0  # seconds: all of it is meant to take less than eight minutes
TIERS = ("exact", "diffusers", "fast", "diffusers compiled")


def jobs(device: str, *, tiny: bool, cache: str, out: str) -> list[Job]:
    """What to measure, the most important first: what does not fit into the time is left out, and that is said.

    Memory: FLUX.1-dev with an unfused LoRA 27 GB and its first steps' copies; training without checkpointing 55 GB.
    """
    one = Job("flux-dev", "draw", "flux-dev", ("bounds", *TIERS), 45, device=device, tiny=tiny, cache=cache, out=out)
    one = replace(one, compiled=not tiny, steps=2 if tiny else 0, images=1 if tiny else 2)
    few = 1 if tiny else 5
    klein = replace(one, name="klein", profile="flux2-klein-4b", ways=TIERS, memory=18, images=few)
    dev_training = replace(one, name="flux-dev-training", kind="train", ways=("bf16", "diffusers@512"), memory=62)
    wanted = [
        one,
        replace(one, name="demo", kind="demo", profile="demo", ways=("train", "resume", "render", "again"), memory=4),
        replace(klein, name="klein-training", kind="train", profile="flux2-klein-base-4b", ways=("bf16",), memory=30),
        dev_training,
        klein,
        replace(one, name="schnell", profile="flux-schnell", ways=("exact", "fast", "diffusers"), images=few),
        replace(one, name="flux-dev-more", ways=("turbo", "int8", "exact"), images=1),
        replace(dev_training, name="flux-dev-checkpointing", ways=("checkpointing@1024",), memory=35),
    ]
    if device.startswith("cuda"):
        caps = ("fast@12", "exact@24", "fast@16", "exact@16", "fast@24")
        wanted += [replace(klein, name="klein-caps", ways=("fast@8",), cache="", compiled=False)]
        wanted += [replace(one, name="flux-dev-caps", ways=caps, memory=26, cache="", compiled=False)]
    return wanted


class Report:
    """Keeps what the processes say, on disk at once, and prints a line a row."""

    def __init__(self, out: Path, wanted: list[Job]) -> None:
        self._out, self._jobs = out, {job.name: job for job in wanted}
        self._rows: list[dict[str, Any]] = []
        self._about: dict[str, Any] = {}
        self._started = time.monotonic()
        self._lock = threading.Lock()
        out.mkdir(parents=True, exist_ok=True)
        self._file = (out / "rows.jsonl").open("a", encoding="utf-8")

    def __call__(self, said: dict[str, Any]) -> None:
        """One event of one process; each process has a thread that listens to it."""
        with self._lock:
            self._take(said)

    def _take(self, said: dict[str, Any]) -> None:
        at = time.monotonic() - self._started
        self._file.write(json.dumps(said | {"at": round(at, 1)}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
        if said["event"] == "card" and not self._about:
            self._about = {"card": said["name"], "versions": said["versions"]}
        if said["event"] in ("start", "begin"):
            print(f"{at:5.0f} s  {said['job']} {said.get('way', 'starts')} ...", file=sys.stderr, flush=True)
        if said["event"] != "row":
            return
        self._rows.append(said)
        about = said.get("problem") or f"{said.get('seconds', 0):.3f} s {said.get('note', '')}"
        print(f"{at:5.0f} s  {said['job']} {said['way']}: {about}", file=sys.stderr, flush=True)
        aside = self._out / ".table.md.part"
        aside.write_text(self.table(), encoding="utf-8")
        aside.replace(self._out / "table.md")

    def table(self) -> str:
        """All rows so far."""
        return tables(self._jobs, self._rows, self._about)


def card_memory(device: str) -> float:
    """GB of the card, asked of its driver: this process must not take any of it."""
    if not device.startswith("cuda"):
        return 1000.0
    command = ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
        return float(done.stdout.split()[0]) * 2**20 / 1e9
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        import torch

        return torch.cuda.get_device_properties(device).total_memory / 1e9


def main(argv: list[str] | None = None) -> int:
    """Measure, with a line a row on stderr, and print the tables on stdout."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="tiny models: tries the program, measures nothing of use")
    parser.add_argument("--out", type=Path, default=Path("gpu-results"), metavar="DIR", help="where rows and tables go")
    parser.add_argument("--budget-seconds", type=float, default=BUDGET, metavar="N", help="end after so long")
    parser.add_argument("--only", default="", metavar="JOB[,JOB]", help="these jobs only")
    parser.add_argument("--lanes", type=int, default=2, metavar="N", help="models that are made ready at a time")
    parser.add_argument("--list", action="store_true", help="name the jobs")
    args = parser.parse_args(argv)
    started = time.time()
    out = args.out.resolve()
    with tempfile.TemporaryDirectory() as folder:
        wanted = jobs(args.device, tiny=args.tiny, cache=str(Path(folder) / "compiled"), out=str(out))
        names = [job.name for job in wanted]
        if args.list:
            print("\n".join(f"{job.name:24} {', '.join(job.ways)}" for job in wanted))
            return 0
        only = [name for name in args.only.split(",") if name]
        unknown = [name for name in only if name not in names]
        if unknown:
            print(f"error: unknown job {unknown[0]!r}. Known: {', '.join(names)}", file=sys.stderr)
            return 2
        if args.device.startswith("cuda") and not _has_card():
            print(
                "error: no CUDA card here: this measures cards (--tiny --device cpu tries the program)", file=sys.stderr
            )
            return 2
        wanted = [job for job in wanted if not only or job.name in only]
        report = Report(out, wanted)
        schedule = Schedule(
            wanted, report, out / "gpu.log", memory=card_memory(args.device) - 2, lanes=args.lanes,
            deadline=started + args.budget_seconds,
        )  # fmt: skip

        def stop(_number: int, _frame: FrameType | None) -> None:
            schedule.end()
            sys.exit(1)

        signal.signal(signal.SIGTERM, stop)
        try:
            schedule.run()
        finally:
            schedule.end()
    print(report.table())
    return 0


def _has_card() -> bool:
    from inference.models.hardware import cuda_available

    return cuda_available()


if __name__ == "__main__":
    sys.exit(main())
