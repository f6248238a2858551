"""Runs trainings in processes of their own, quickly: a fork server has loaded torch and diffusers once.

Preloaded by name; importing this module loads what a training needs.
"""

import os
import signal
import sys
from multiprocessing import get_context
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch

import inference.models.profiles
import training.local.trainer
import training.local.training
from tests.training.pictures import job_for

torch.set_num_threads(1)

from diffusers import AutoencoderKL, FluxPipeline, FluxTransformer2DModel  # noqa: E402, F401
from peft import LoraConfig  # noqa: E402, F401


def run(profiles: Path, **values: Any) -> int | None:
    """Train in a child of the fork server; returns its exit code, -9 where it killed itself."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.training.runner"])
    process = context.Process(target=_child, args=(profiles, values))
    process.start()
    process.join(120)
    return process.exitcode


def run_ranks(profiles: Path, count: int, port: int, **values: Any) -> list[int | None]:
    """The same as `accelerate launch --multi_gpu --num_processes COUNT` does on a CPU, over gloo on loopback."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.training.runner"])
    processes = []
    for rank in range(count):
        environment = {
            "RANK": rank,
            "LOCAL_RANK": rank,
            "WORLD_SIZE": count,
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": port,
        }
        environment |= {"ACCELERATE_USE_CPU": "true", "LOCAL_WORLD_SIZE": count}
        process = context.Process(target=_child, args=(profiles, values, {k: str(v) for k, v in environment.items()}))
        process.start()
        processes.append(process)
    for process in processes:
        process.join(120)
    return [process.exitcode for process in processes]


def _child(profiles: Path, values: dict[str, Any], environment: dict[str, str] | None = None) -> None:
    os.environ.update(environment or {})
    inference.models.profiles.FOLDER = profiles
    kill_at, kill_in_save = values.pop("kill_at", None), values.pop("kill_in_save", None)
    stop_at = values.pop("stop_at", None)

    def tell(status: Any) -> None:
        if status.step == kill_at and status.stage == "training":
            os.kill(os.getpid(), signal.SIGKILL)
        if status.step == stop_at and status.stage == "training":
            raise KeyboardInterrupt

    if kill_in_save is not None:
        # The last moment before the checkpoint becomes visible.
        def before_rename(event: str, args: tuple[Any, ...]) -> None:
            if event == "os.rename" and f"step-{kill_in_save:06d}" in str(args[1]) and "checkpoints" in str(args[1]):
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(before_rename)
    from configs import default_settings

    try:
        training.local.trainer.LocalTrainer(default_settings()).train(job_for(**values), tell)
    except KeyboardInterrupt:
        sys.exit(3)
