"""A training as the command line asks for it: progress, signals, and what is said at its end."""

import argparse
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Any

from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from configs.console import DONE, FAILED, tell
from configs.settings import Settings, load_settings
from training.choice import open_trainer
from training.errors import InvalidJob, TrainingInterrupted
from training.install import Installed
from training.job import TrainingJob, make_job
from training.pace import spell
from training.trainer import Status, TrainedLora

log = logging.getLogger("training.run")


def run(args: argparse.Namespace) -> int:
    """Train; returns the exit code. Raises ConfigError, InvalidRequest, TrainingError and RenderError."""
    settings = load_settings(args.config)
    job = job_from(args, settings)
    logging.getLogger("training").setLevel(logging.INFO)
    if args.cancel:
        return _cancel(settings, job.out)
    installed = Installed(args.install, job, hosted=(args.backend or settings.training.backend) != "local")
    if args.install:
        installed.text()  # what stands in the way is said before hours of training
    with logging_redirect_tqdm(), _Bar(job.steps) as bar:
        lora = open_trainer(settings, args.backend or "").train(job, bar)
    if args.json:
        print(json.dumps(_result(lora)))
    _tell(lora)
    if args.install:
        installed.write(lora.hosted_model)
        tell(f"{args.install} has it now: python -m bot --config {args.install}")
    else:
        tell(installed.by_hand(settings, lora.hosted_model))
    return DONE


def follow(args: argparse.Namespace, tell_after: float) -> int:
    """What the processes do that are not the first: train along, and leave reporting to it.

    What stops one of them usually stops the first too, which says so, and the launcher then ends the others. So an
    error is printed only after `tell_after` seconds: then it was this process's alone.
    """
    bar = _Bar(0, shown=False)
    logging.getLogger("inference").setLevel(logging.ERROR)
    try:
        settings = load_settings(args.config)
        with bar:
            open_trainer(settings, args.backend or "").train(job_from(args, settings), bar)
    except TrainingInterrupted:
        return FAILED
    except Exception:  # whatever it was is raised again, unless this process was asked to stop
        if bar.asked_to_stop:
            return FAILED
        time.sleep(tell_after)
        raise
    return DONE


def _result(lora: TrainedLora) -> dict[str, Any]:
    """What `--json` says of a training."""
    return {
        "file": str(lora.path),
        "trigger": lora.card.trigger,
        "steps": lora.card.steps,
        "rank": lora.card.rank,
        "trainer": lora.card.trainer,
        "seconds": round(lora.seconds, 3),
        "cost_usd": round(lora.cost_usd, 4),
        "hosted_model": lora.hosted_model,
    }


def _cancel(settings: Settings, out: Path) -> int:
    from training.replicate.trainer import open_replicate_trainer

    tell(f"canceled training {open_replicate_trainer(settings).cancel(out)} at Replicate")
    return DONE


def job_from(args: argparse.Namespace, settings: Settings) -> TrainingJob:
    """The job that the command line asks for. Raises InvalidJob."""
    trigger = args.trigger or settings.prompt.trigger
    return make_job(
        settings.training,
        settings.prompt,
        data=args.data or Path("training_images"),
        out=args.out or Path("loras") / (trigger or "style"),
        profile=args.profile or settings.generator.profile,
        own_recipe=(args.backend or settings.training.backend) == "local",
        trigger=trigger,
        steps=args.steps,
        learning_rate=args.lr,
        rank=args.rank,
        resolutions=_sizes(args.resolution),
        resume=args.resume,
        pay_again=args.pay_again,
        export=tuple(args.export or ()),
        destination=args.destination,
        data_url=args.data_url,
    )


def _sizes(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        raise InvalidJob(f"--resolution {text!r}: write sizes in pixels, such as 512 or 512,768") from error


class _Bar:
    """The progress bar, and the way from a signal to the trainer: a request to stop is raised at the next status."""

    def __init__(self, steps: int, *, shown: bool = True) -> None:
        self._stop = ""
        self._launcher = os.getppid() if "RANK" in os.environ else 0
        self._bar = tqdm(
            total=steps, desc="training", unit="step", file=sys.stderr,
            disable=not (shown and sys.stderr.isatty()),
            bar_format="{desc} {n_fmt}/{total_fmt} |{bar}| {elapsed} elapsed{postfix}",
        )  # fmt: skip
        self._losses = ""
        self._sample: Path | None = None
        self._old: dict[signal.Signals, Any] = {}

    def __enter__(self) -> "_Bar":
        for number in (signal.SIGTERM, signal.SIGINT):
            self._old[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *problem: object) -> None:
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._bar.close()

    @property
    def asked_to_stop(self) -> bool:
        """Whether a signal came."""
        return bool(self._stop)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if self._stop and not self._launcher:  # a launcher may hand a signal on twice, and is not patient
            raise KeyboardInterrupt
        self._stop = signal.Signals(number).name

    def __call__(self, status: Status) -> None:
        self._bar.set_description_str(status.stage, refresh=False)
        if status.step < self._bar.n or status.steps != self._bar.total:
            self._bar.reset(status.steps)
        self._bar.update(status.step - self._bar.n)
        if status.loss is not None and status.average_loss is not None:
            speed = f", {1 / status.seconds_a_step:.2f} it/s" if status.seconds_a_step else ""
            self._losses = f"loss {status.loss:.4f}, average {status.average_loss:.4f}{speed}"
        left = f"about {spell(status.seconds_left)} left" if status.seconds_left else ""
        if status.sample and status.sample != self._sample:
            self._sample = status.sample
            log.info("newest sample: %s", status.sample)
        self._bar.set_postfix_str(", ".join(part for part in (left, self._losses) if part), refresh=False)
        if self._launcher and os.getppid() != self._launcher:
            self._stop = "the end of its launcher"
        if self._stop:
            raise TrainingInterrupted(f"stopped by {self._stop} at step {status.step}; go on with --resume")


def _tell(lora: TrainedLora) -> None:
    for reason in lora.reasons:
        tell(reason)
    for path in lora.exports:
        tell(f"ComfyUI form: {path}")
    cost = f", ${lora.cost_usd:.2f}" if lora.cost_usd else ""
    tell(f"{lora.path}  {lora.card.steps} steps, rank {lora.card.rank}, {lora.seconds / 60:.1f} minutes{cost}")
    tell(f"Did it learn the style? python -m training.evaluate --lora {lora.path}")
