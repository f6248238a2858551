"""One prediction for one portrait: reserved in the ledger, created or found again, awaited, settled, downloaded.

The line in the ledger is opened before the job is created, and closed only when its images are downloaded or there will
be none. So a crash, a lost response or a failed download costs at most one job, and the next call for the same work
resumes it.
"""

import logging
import time
from pathlib import Path

from PIL import Image

from configs.sections.replicate import ReplicateSettings, Scalar
from inference.replicate.client import ReplicateApi
from inference.replicate.download import Downloader
from inference.replicate.errors import (
    ApiError,
    ApiNotFound,
    ApiTimedOut,
    BadOutput,
    LostAnswer,
    OutputLost,
    mask,
)
from inference.replicate.jobs import ReplicateJob
from inference.replicate.ledger import MINUTE, Ledger, Limits
from inference.replicate.outcome import asks_to_retry, cost_of, failure_of
from inference.replicate.retry import pause
from inference.replicate.target import Target, mark_of
from inference.replicate.wait import wait_for
from inference.replicate.webhook import WebhookServer
from inference.types import StepCallback

log = logging.getLogger(__name__)

KIND = "predictions"
_BADGE = "badge"
_KEPT_S = 3600.0
"""Replicate keeps inputs and outputs of a prediction for an hour."""
_LOOKS_AGAIN = 2  # further downloads of a missing or damaged output, chosen by hand; later calls may try again too


def open_ledger(data_dir: Path, settings: ReplicateSettings) -> Ledger:
    """The ledger in `data_dir`, which generator and trainer share."""
    limits = Limits(
        settings.requests_per_minute, settings.requests_per_month, settings.budget_day_usd, settings.budget_month_usd
    )
    return Ledger(data_dir / "replicate.sqlite", limits)


class Resources:
    """What a generator keeps open: connections, ledger, and the webhook server if one is configured."""

    def __init__(self, settings: ReplicateSettings, token: str, base_url: str, data_dir: Path) -> None:
        self.ledger = open_ledger(data_dir, settings)
        self.api = ReplicateApi(token, base_url, settings)
        self.downloader = Downloader(settings, base_url)
        self.webhooks = self._listen(settings) if settings.webhook_url else None

    def _listen(self, settings: ReplicateSettings) -> WebhookServer | None:
        try:
            secret = self.api.webhook_secret(time.monotonic() + settings.read_timeout_s)
            return WebhookServer(settings.webhook_listen, secret)
        except (OSError, ApiError) as error:
            log.warning("no webhooks on %s (%s): polling only", settings.webhook_listen, error)
            return None

    def close(self) -> None:
        if self.webhooks:
            self.webhooks.close()
        self.api.close()
        self.downloader.close()
        self.ledger.close()


class Steps:
    """Passes a job's progress to the step callback: never backwards, and at every poll, so that it can cancel."""

    def __init__(self, on_step: StepCallback | None, steps: int) -> None:
        self._on_step = on_step
        self._done, self._steps = 0, steps

    def __call__(self, job: ReplicateJob) -> None:
        done, total = job.progress or (0, self._steps)
        self._steps = total or self._steps
        if job.status == "succeeded":
            done = self._steps
        self._done = max(self._done, done)
        if self._on_step and self._steps and job.status in ("starting", "processing", "succeeded"):
            self._on_step(self._done, self._steps)


class PredictionRun:
    """Runs one prediction with the ledger."""

    def __init__(
        self,
        resources: Resources,
        settings: ReplicateSettings,
        target: Target,
        inputs: dict[str, Scalar],
        deadline: float,
    ) -> None:
        self._api, self._ledger, self._downloader = resources.api, resources.ledger, resources.downloader
        self._webhooks = resources.webhooks
        self._settings, self._target, self._inputs, self._deadline = settings, target, inputs, deadline
        self._mark = mark_of(target, inputs)
        self._line = 0
        self._cost: float | None = None

    def do(self, steps: Steps) -> tuple[ReplicateJob, list[Image.Image], float]:
        """(finished job, its images, at least one, cost in dollars)."""
        job = self._waited(self._earlier() or self._new(steps), steps)
        if asks_to_retry(job) and time.monotonic() < self._deadline:
            log.warning("Replicate interrupted job %s and asks to retry: %s", job.id, mask(job.error)[:200])
            self._settle(job)
            self._ledger.close_line(self._line)
            self._cost = None
            job = self._waited(self._new(steps), steps)
        cost = self._settle(job)
        failure = failure_of(job)
        if failure:
            self._close_or_keep(job)
            raise failure
        return job, self._fetched(job), cost

    def _close_or_keep(self, job: ReplicateJob) -> None:
        """Close the line of a job without images. One that succeeded stays open while Replicate keeps it: the same
        inputs would be paid again, with the same result."""
        if job.status == "succeeded":
            self._ledger.unfetched(self._line)
            self._ledger.let_go(self._line)
        else:
            self._ledger.close_line(self._line)

    def _earlier(self) -> ReplicateJob | None:
        """A job for the same work that a crash, a lost response or a failed download left open."""
        while True:
            line = self._ledger.adopt(_BADGE, self._mark, _KEPT_S)
            if line is None:
                return None
            self._line, self._cost = line.line, line.usd if line.settled else None
            try:
                job = self._found(line.job, line.asked)
            except ApiError:
                self._ledger.let_go(line.line)
                raise
            if job and not job.removed and (not job.done or job.outputs or job.status == "succeeded"):
                log.warning("resuming job %s of an earlier call", job.id)
                return job
            if job:
                self._settle(job)
            self._ledger.close_line(line.line, "done" if job or line.job else "never")
            self._cost = None

    def _found(self, job_id: str, asked: float) -> ReplicateJob | None:
        deadline = time.monotonic() + self._settings.read_timeout_s
        if not job_id:
            return self._api.find(KIND, self._inputs, self._api.since(asked), self._claim)
        try:
            return self._api.job(KIND, job_id, deadline)
        except ApiNotFound:
            return None

    def _new(self, steps: Steps) -> ReplicateJob:
        self._line = self._reserve(steps)
        body = self._target.body(self._inputs)
        if self._webhooks:
            body |= {"webhook": self._settings.webhook_url, "webhook_events_filter": ["start", "logs", "completed"]}
        try:
            job = self._api.create(
                KIND,
                self._target.path,
                body,
                marker=self._inputs,
                claim=self._claim,
                deadline=self._deadline,
                wait_s=self._settings.wait_s,
                cancel_after_s=self._settings.deadline_s,
            )
        except ApiError as error:
            if isinstance(error, LostAnswer):
                self._ledger.let_go(self._line)
            else:
                self._ledger.close_line(self._line, "never")
            raise
        except BaseException:
            self._ledger.let_go(self._line)
            raise
        self._ledger.running(self._line, job.id)
        return job

    def _reserve(self, steps: Steps) -> int:
        """Reserve a line in the ledger; waits while this minute is full."""
        while True:
            reserved = self._ledger.reserve(_BADGE, self._mark, self._settings.estimate_badge_usd)
            if isinstance(reserved, int):
                return reserved
            if time.monotonic() + reserved > self._deadline:
                raise ApiTimedOut(
                    f"{self._settings.requests_per_minute} Replicate requests a minute are not enough for what is "
                    "waiting: raise replicate.requests_per_minute"
                )
            log.info("this minute's Replicate requests are used up: waiting %.0f s", reserved)
            steps(ReplicateJob("", "starting"))
            time.sleep(min(reserved, MINUTE, self._settings.poll_max_s))

    def _claim(self, job_id: str) -> bool:
        return self._ledger.claim(self._line, job_id)

    def _waited(self, job: ReplicateJob, steps: Steps) -> ReplicateJob:
        try:
            return wait_for(job, KIND, self._api, self._settings, self._deadline, steps, webhooks=self._webhooks)
        except ApiTimedOut:
            after = self._give_up(job)
            if after and after.status == "succeeded":
                return after
            raise
        except ApiError:
            self._ledger.let_go(self._line)
            raise
        except BaseException:
            self._give_up(job)
            raise
        finally:
            if self._webhooks:
                self._webhooks.done_with(job.id)

    def _give_up(self, job: ReplicateJob) -> ReplicateJob | None:
        """Cancel `job`; returns its state. If that fails, the line is left to the next call for the same work."""
        after = self._api.cancel(KIND, job.id)
        if after is None:
            self._ledger.let_go(self._line)
        elif after.status != "succeeded":
            if after.predict_s is not None or job.status == "starting":
                self._settle(after)
            self._ledger.close_line(self._line)
        return after

    def _settle(self, job: ReplicateJob) -> float:
        """Write the job's cost into the ledger, once; returns dollars."""
        if self._cost is None:
            self._cost = cost_of(job, self._target, self._settings)
            self._ledger.settle(self._line, self._cost)
            day, month = self._ledger.spent()
            log.info("Replicate job %s: $%.4f; $%.2f today, $%.2f this month", job.id, self._cost, day, month)
        return self._cost

    def _fetched(self, job: ReplicateJob) -> list[Image.Image]:
        self._ledger.unfetched(self._line)
        deadline = time.monotonic() + self._settings.read_timeout_s * self._settings.attempts
        try:
            images = self._images(job, deadline)
        except BadOutput as error:
            self._ledger.let_go(self._line)
            raise BadOutput(
                f"{error}; it is already paid for: ask for the same badge again within an hour to fetch it"
            ) from error
        except BaseException:
            self._ledger.let_go(self._line)
            raise
        self._ledger.close_line(self._line)
        return images

    def _images(self, job: ReplicateJob, deadline: float) -> list[Image.Image]:
        """All images of `job`; if one is missing or damaged, the job is read again, since its URLs may have changed."""
        for earlier in range(_LOOKS_AGAIN):
            try:
                return [self._downloader.image(url, deadline) for url in job.outputs]
            except OutputLost as error:
                delay = pause(self._settings, earlier)
                if time.monotonic() + delay > deadline:
                    raise
                log.info("%s; trying again in %.1f s", error, delay)
                time.sleep(delay)
                job = self._again(job)
        return [self._downloader.image(url, deadline) for url in job.outputs]

    def _again(self, job: ReplicateJob) -> ReplicateJob:
        """The current state of the job; the old one if that is not available or has no output any more."""
        try:
            fresh = self._api.job(KIND, job.id, time.monotonic() + self._settings.read_timeout_s)
        except ApiError:
            return job
        return fresh if fresh.outputs else job
