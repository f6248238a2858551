"""Watching a hosted training: its state as words and steps, its log lines as they come."""

import logging
import time
from dataclasses import dataclass

from configs.sections.replicate import ReplicateSettings
from inference.replicate.client import ReplicateApi
from inference.replicate.jobs import ReplicateJob
from inference.replicate.wait import wait_for
from training.pace import Pace
from training.trainer import Status, StatusCallback

log = logging.getLogger(__name__)

_LINE = 200  # characters shown of a line of Replicate's log; by hand
_BAR_SIGNS = ("it/s", "s/it", "%|", "B/s")


@dataclass(frozen=True)
class Followed:
    """A training that is over, and for how many seconds it was watched."""

    job: ReplicateJob
    seconds: float


def follow(
    job: ReplicateJob, api: ReplicateApi, settings: ReplicateSettings, steps: int, tell: StatusCallback
) -> Followed:
    """Wait for the end of a training. Raises ApiError, ApiTimedOut at the deadline, and what `tell` raises."""
    started = time.monotonic()
    watch = _Watch(api, steps, tell)
    ends = started + settings.training_deadline_s
    job = wait_for(job, "trainings", api, settings, ends, watch, longest=settings.training_poll_s)
    return Followed(job, time.monotonic() - started)


class _Watch:
    """Turns each state seen into a status, and what is new in the logs into log lines of ours."""

    def __init__(self, api: ReplicateApi, steps: int, tell: StatusCallback) -> None:
        self._api, self._steps, self._tell = api, steps, tell
        self._step, self._seen = 0, 0
        self._pace = Pace(steps, {}, behind=True)

    def __call__(self, job: ReplicateJob) -> None:
        self._log(job.logs)
        done, total = job.progress or (0, 0)
        if total == self._steps:
            for _ in range(self._step, done):
                self._pace.step()
            self._step = max(self._step, done)
        self._pace.settle()
        if job.status == "succeeded":
            self._step = self._steps
        words = {"starting": "waiting for a machine", "processing": "training" if self._step else "preparing"}
        stage = words.get(job.status, job.status)
        self._tell(Status(stage, self._step, self._steps, seconds_left=self._pace.left(self._step)))

    def _log(self, text: str) -> None:
        """Whole new lines, without progress bars: those are for the bar."""
        whole = text[: text.rfind("\n") + 1]
        if len(whole) < self._seen:
            self._seen = 0  # they were cut at the front
        for line in whole[self._seen :].replace("\r", "\n").splitlines():
            if line.strip() and not any(sign in line for sign in _BAR_SIGNS):
                log.info("replicate: %s", self._api.mask(line)[:_LINE])
        self._seen = len(whole)
