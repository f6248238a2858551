"""The whole way in small, on the card: the demo FLUX is trained, stopped, resumed, exported, and draws a badge.

`python -m benchmarks.gpu.demo JOB`. `train` stops at a step between two checkpoints, `resume` goes on to the end,
`again` trains without a stop and compares, `render` is the command line that people use. Pictures stay in `out`.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.gpu.worker import Worker, job_from, versions
from configs import default_settings
from tests.training.pictures import fill_folder
from training.errors import TrainingInterrupted
from training.job import TrainingJob, make_job
from training.local.trainer import LocalTrainer
from training.trainer import Status, TrainedLora

STEPS, STOP = 24, 13  # stopped between two checkpoints, which are written every 8 steps


class Demo:
    """A training in a folder that is thrown away; what is worth a look is copied out."""

    def __init__(self, worker: Worker, folder: Path) -> None:
        self._worker, self._folder = worker, folder
        self._data = fill_folder(folder / "pictures", 8)
        self._losses: list[float] = []
        import torch

        name = torch.cuda.get_device_name() if torch.cuda.is_available() else "CPU"
        worker.tell("card", name=name, versions=versions())

    def measure(self, way: str) -> dict[str, Any]:
        """One station of the way."""
        began = time.perf_counter()
        found: dict[str, Any] = getattr(self, f"_{way}")()
        return {"seconds": time.perf_counter() - began, **found}

    def _train(self) -> dict[str, Any]:
        def stop(status: Status) -> None:
            if status.stage == "training" and status.step == STOP:
                raise TrainingInterrupted("stopped on purpose")

        try:
            LocalTrainer(default_settings()).train(self._job("one"), stop)
        except TrainingInterrupted:
            checkpoints = sorted(path.name for path in (self._folder / "one" / "checkpoints").iterdir())
            self._keep("one/samples/step-000000/1.png", "demo-sample-step-0.png")
            return {"note": f"stopped at step {STOP}: {', '.join(checkpoints)}"}
        return {"problem": "it did not stop"}

    def _resume(self) -> dict[str, Any]:
        done = LocalTrainer(default_settings()).train(self._job("one", resume=True))
        self._keep(f"one/samples/step-{STEPS:06d}/1.png", "demo-sample-last.png")
        return {"note": "; ".join(done.reasons)}

    def _again(self) -> dict[str, Any]:
        from safetensors.torch import load_file

        done: TrainedLora = LocalTrainer(default_settings()).train(self._job("two"))
        one, two = load_file(self._folder / "one" / "lora.safetensors"), load_file(done.path)
        off = max(float((one[name].float() - two[name].float()).abs().max()) for name in one)
        return {"note": f"resumed against unbroken: largest difference {off:.2e}"}

    def _render(self) -> dict[str, Any]:
        out = self._folder / "badge.png"
        command = [sys.executable, "-m", "inference.render", "--generator", "demo", "--object", "telescope"]
        command += ["--text", "HELLO", "--seed", "7", "--out", str(out), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        sys.stderr.write(done.stderr)
        if done.returncode:
            return {"problem": (done.stderr.strip().splitlines() or ["no message"])[-1][:200]}
        self._keep("badge.png", "demo-badge.png")
        line = (done.stdout.strip().splitlines() or ["{}"])[-1]
        said = json.loads(line)
        return {"note": f"{said['profile']} with {said['lora']}, {said['seconds']:.1f} s for the badge"}

    def _job(self, name: str, *, resume: bool = False) -> TrainingJob:
        settings = default_settings()
        tiny = self._worker.job.tiny
        return make_job(
            settings.training, settings.prompt, data=self._data, out=self._folder / name, profile="demo", resume=resume,
            steps=STEPS, resolutions=(128 if tiny else 256,), save_every=8, sample_every=12,
            sample_objects=("telescope",), log_every=4, rank=8, batch=1, held_out=1, preserve=0.3, preserve_pictures=2,
            warmup=2, export=("comfyui",), device=self._worker.job.device, compile=self._worker.job.compiled,
        )  # fmt: skip

    def _keep(self, inside: str, name: str) -> None:
        out = self._worker.job.out
        if out and (self._folder / inside).exists():
            shutil.copyfile(self._folder / inside, Path(out) / name)


def main(argv: list[str]) -> int:
    """Do what the job given as JSON says."""
    import logging

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(message)s")
    worker = Worker(job_from(argv[0]))
    if worker.job.device == "cpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    with tempfile.TemporaryDirectory() as folder:
        worker.each(Demo(worker, Path(folder)).measure, lambda _way: 0.0 if worker.job.tiny else 10.0)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
