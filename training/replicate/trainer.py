"""Training at Replicate: check, pack, upload, start once, follow, fetch, and hand over a LoRA like a local one.

What runs is remembered before it is asked for. Stopping to watch does not stop the training: `--resume` follows it
again, by its id or, where the answer with the id was lost, by our mark in its inputs; `--cancel` stops it.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from configs.sections.replicate import ReplicateSettings
from inference.errors import RenderError
from inference.files import require_writable
from inference.lora.card import read_card
from inference.replicate.client import ReplicateApi
from inference.replicate.download import Downloader
from inference.replicate.errors import ApiError, ApiNotFound, ApiTimedOut, LostAnswer
from inference.replicate.jobs import ReplicateJob
from inference.replicate.work import open_ledger
from training.dataset.captions import CaptionRule
from training.dataset.checks import load_data_set
from training.dataset.pack import pack
from training.errors import InvalidJob, TrainerUnavailable, TrainingFailed, TrainingInterrupted
from training.job import TrainingJob
from training.replicate.errors import translated
from training.replicate.follow import Followed, follow
from training.replicate.state import (
    Started,
    checked_destination,
    drop_started,
    find_trainer,
    forget_end,
    how_it_ended,
    inputs_for,
    load_started,
    mark_of,
    save_started,
)
from training.replicate.upload import uploaded
from training.replicate.weights import fetch_lora, megabytes
from training.trainer import StatusCallback, TrainedLora

if TYPE_CHECKING:
    from configs.settings import Settings

log = logging.getLogger(__name__)

KIND = "trainings"


def open_replicate_trainer(settings: "Settings") -> "ReplicateTrainer":
    """The trainer by the settings. Raises InvalidJob where there is no token."""
    token = settings.secrets.replicate_api_token.get_secret_value()
    return ReplicateTrainer(settings.replicate, token, settings.secrets.replicate_base_url, settings.data_dir)


class ReplicateTrainer:
    """Trains at Replicate with the trainer named in the settings."""

    def __init__(self, settings: ReplicateSettings, token: str, base_url: str, data_dir: Path) -> None:
        """`base_url` "" is Replicate itself. Raises InvalidJob where there is no token."""
        if not token:
            raise InvalidJob(
                "there is no Replicate token: make one at replicate.com/account/api-tokens and set REPLICATE_API_TOKEN"
            )
        self._settings, self._token, self._base_url, self._data_dir = settings, token, base_url, data_dir

    def train(self, job: TrainingJob, on_status: StatusCallback | None = None) -> TrainedLora:
        """See `Trainer.train`. Stopping in `on_status` leaves the training running at Replicate."""
        destination = checked_destination(job, self._settings)
        done = _finished(job, destination)
        if done:
            return done
        with self._session(job.out) as session:
            return session.train(job, destination, on_status or (lambda status: None))

    def cancel(self, out: Path) -> str:
        """Stop the training that runs for the folder `out`; its id. Raises InvalidJob where none does."""
        with self._session(out) as session:
            return session.cancel()

    @contextmanager
    def _session(self, out: Path) -> Iterator["_Session"]:
        with translated():
            session = _Session(self._settings, self._token, self._base_url, self._data_dir, out)
            try:
                yield session
            finally:
                session.close()


class _Session:
    """One call's connections, and the steps of a training."""

    def __init__(self, settings: ReplicateSettings, token: str, base_url: str, data_dir: Path, out: Path) -> None:
        self._settings, self._out = settings, out
        self._ledger = open_ledger(data_dir, settings)
        self._api = ReplicateApi(token, base_url, settings)
        self._downloader = Downloader(settings, base_url)

    def close(self) -> None:
        self._api.close()
        self._downloader.close()
        self._ledger.close()

    def train(self, job: TrainingJob, destination: str, tell: StatusCallback) -> TrainedLora:
        started = load_started(self._ledger, job.out)
        running = self._earlier(job, started) if started else None
        ended = how_it_ended(self._ledger, job.out)
        if running is None and job.resume and ended and not job.pay_again:
            raise InvalidJob(f"{ended}: nothing is left to resume; --pay-again starts and pays for another")
        if running is None:
            started, running = self._start(job, destination, tell)
        assert started is not None
        try:
            followed = follow(running, self._api, self._settings, job.steps, tell)
            return self._finish(job, started, followed, tell)
        except TrainingInterrupted as error:
            raise TrainingInterrupted(
                f"training {running.id} goes on at Replicate: --resume follows it, --cancel stops it"
            ) from error
        except ApiTimedOut:
            self._give_up(started, running)
            raise

    def cancel(self) -> str:
        started = load_started(self._ledger, self._out)
        running = self._found(started) if started else None
        if started is None or running is None:
            raise InvalidJob(f"no training runs at Replicate for {self._out}")
        if self._give_up(started, running) is None:
            raise TrainerUnavailable(f"training {running.id} could not be canceled: try again, or at replicate.com")
        return running.id

    # -- starting

    def _earlier(self, job: TrainingJob, started: Started) -> ReplicateJob | None:
        """The training that was started for this folder, to go on with; None where another one may begin."""
        if not job.resume and not job.pay_again:
            raise InvalidJob(
                f"a training for {job.out} {_named(started)} at Replicate: --resume follows it or fetches its weights, "
                "--cancel stops it, --pay-again starts and pays for another"
            )
        running = self._found(started)
        if not job.pay_again or running is None:
            return running
        if not running.done:
            raise InvalidJob(f"training {running.id} still runs at Replicate: --cancel it before --pay-again")
        self._ledger.settle(started.line, self._cost(running))
        self._forget(started)
        return None

    def _start(self, job: TrainingJob, destination: str, tell: StatusCallback) -> tuple[Started, ReplicateJob]:
        """Everything up to a running training, with nothing paid where a step before that fails."""
        deadline = time.monotonic() + self._settings.training_deadline_s
        data_sha256, archive = self._packed(job)
        trainer, _, pinned = self._settings.trainer.partition(":")
        version, known = find_trainer(self._api, trainer, pinned, deadline)
        inputs_for(job, self._settings, known, "")  # what is wrong with them is said before anything is sent
        line = self._ledger.reserve("training", mark_of(job.out), self._settings.estimate_training_usd)
        assert isinstance(line, int)
        try:
            if self._api.require_model(destination, self._settings.hardware, deadline):
                log.info("made the private model %s at Replicate", destination)
            address = job.data_url or uploaded(
                archive,
                self._api,
                self._ledger,
                self._settings,
                lambda now, size: tell(megabytes(now, size, "uploading")),
            )
            inputs, marker = inputs_for(job, self._settings, known, address)
        except BaseException:
            self._ledger.close_line(line, "never")
            raise
        started = Started(
            state="asked", line=line, asked=time.time(), destination=destination, trainer=trainer, version=version,
            inputs=inputs, marker=marker, data_sha256=data_sha256,
        )  # fmt: skip
        save_started(self._ledger, job.out, started)
        forget_end(self._ledger, job.out)
        return self._created(started, job.out, deadline)

    def _created(self, started: Started, out: Path, deadline: float) -> tuple[Started, ReplicateJob]:
        path = f"/models/{started.trainer}/versions/{started.version}/trainings"
        body = {"destination": started.destination, "input": started.inputs}
        try:
            running = self._api.create(
                KIND,
                path,
                body,
                marker=started.marker,
                claim=lambda n: self._ledger.claim(started.line, n),
                deadline=deadline,
            )
        except LostAnswer:
            raise
        except ApiError:
            self._ledger.close_line(started.line, "never")
            drop_started(self._ledger, out)
            raise
        return self._noted(started, running), running

    def _noted(self, started: Started, running: ReplicateJob) -> Started:
        self._ledger.running(started.line, running.id)
        started = started.model_copy(update={"state": "running", "job": running.id})
        save_started(self._ledger, self._out, started)
        log.info("training %s runs at Replicate", running.id)
        return started

    def _found(self, started: Started) -> ReplicateJob | None:
        """The training that was started before; None where none came of it, which is then forgotten."""
        deadline = time.monotonic() + self._settings.read_timeout_s
        if started.job:
            try:
                return self._api.job(KIND, started.job, deadline)
            except ApiNotFound:
                self._forget(started, f"Replicate does not know training {started.job} any more, which was paid for")
                return None
        since = self._api.since(started.asked)
        running = self._api.find(KIND, started.marker, since, lambda n: self._ledger.claim(started.line, n))
        if running is None:
            self._ledger.close_line(started.line, "never")
            drop_started(self._ledger, self._out)
            return None
        self._noted(started, running)
        return running

    def _packed(self, job: TrainingJob) -> tuple[str, Path]:
        """(hash of the data set, archive); the data set is not looked at where its archive is hosted elsewhere."""
        archive = job.out / "training_data.zip"
        try:
            require_writable(job.out)
        except RenderError as error:
            raise InvalidJob(str(error)) from error
        if job.data_url:
            return "", archive
        data = load_data_set(job.data, CaptionRule(job.trigger, job.base_prompt, job.style_words))
        return data.sha256, pack(data, archive)

    # -- ending

    def _finish(self, job: TrainingJob, started: Started, followed: Followed, tell: StatusCallback) -> TrainedLora:
        ended = followed.job
        cost = self._cost(ended)
        self._ledger.settle(started.line, cost)
        if ended.status != "succeeded":
            self._forget(started, f"training {ended.id} was {ended.status} at Replicate after ${cost:.2f}")
            said = self._api.mask(ended.error)[:300] or "it gives no reason"
            raise TrainingFailed(f"training {ended.id} was {ended.status} at Replicate after ${cost:.2f}: {said}")
        card = fetch_lora(job, started, ended, self._downloader, self._settings, tell)
        self._forget(started, f"training {ended.id} was finished, and its LoRA fetched")
        self._ledger.forget(f"target {started.destination}")
        return TrainedLora(
            job.lora_path, card, ended.predict_s or followed.seconds, cost, hosted_model=started.destination
        )

    def _cost(self, job: ReplicateJob) -> float:
        return (job.predict_s or 0.0) * self._settings.training_usd_per_second

    def _give_up(self, started: Started, running: ReplicateJob) -> ReplicateJob | None:
        after = self._api.cancel(KIND, running.id)
        if after is not None:
            if after.predict_s is not None or running.status == "starting":
                self._ledger.settle(started.line, self._cost(after))
            self._forget(started, f"training {running.id} was canceled")
        return after

    def _forget(self, started: Started, ended: str = "") -> None:
        """The training is over: nothing is left to go on with. `ended` says how."""
        self._ledger.close_line(started.line)
        drop_started(self._ledger, self._out, ended)


def _finished(job: TrainingJob, destination: str) -> TrainedLora | None:
    """The LoRA that is in `job.out` already. Raises InvalidJob where nobody asked to go on there."""
    if not job.lora_path.exists():
        return None
    if not job.resume:
        raise InvalidJob(f"{job.out} holds a finished LoRA already: name another folder with --out")
    card = read_card(job.lora_path)
    reasons = ("it was finished before: nothing is left to do",)
    return TrainedLora(job.lora_path, card, 0.0, hosted_model=destination, reasons=reasons) if card else None


def _named(started: Started) -> str:
    return f"({started.job}) runs" if started.job else "may be running"
