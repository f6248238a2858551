"""Waits for a job: webhooks as hints, polling in case they are lost, progress to the callback.

Only the response to our own GET ends the wait. A job that is given up is canceled by the caller.
"""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from configs.sections.replicate import ReplicateSettings
from inference.replicate.client import ReplicateApi
from inference.replicate.errors import ApiThrottled, ApiTimedOut, ApiUnreachable
from inference.replicate.jobs import ReplicateJob

if TYPE_CHECKING:
    from inference.replicate.webhook import WebhookServer

log = logging.getLogger(__name__)

_GROWTH = 1.5  # of the polling interval, chosen by hand: with the default settings 0.5 s become 2 s after four polls
_SLICE_S = 1.0  # s between calls of `on_job` while waiting, chosen by hand: a cancellation is noticed that late

JobCallback = Callable[[ReplicateJob], None]


def wait_for(
    job: ReplicateJob,
    kind: str,
    api: ReplicateApi,
    settings: ReplicateSettings,
    deadline: float,
    on_job: JobCallback,
    *,
    webhooks: "WebhookServer | None" = None,
    longest: float | None = None,
) -> ReplicateJob:
    """Wait until `job` has ended; returns its last state. `longest` is the maximum polling interval.

    `on_job` is called with every state seen. Raises ApiTimedOut after the monotonic time `deadline`, and what `on_job`
    raises; the caller then cancels the job.
    """
    most = longest or (settings.webhook_poll_s if webhooks else settings.poll_max_s)
    pause = most if webhooks else min(settings.poll_min_s, most)
    while True:
        on_job(job)
        if job.done:
            return job
        left = deadline - time.monotonic()
        if left <= 0:
            raise ApiTimedOut(f"Replicate's job {job.id} was still {job.status} at the deadline")
        _rest(job, min(pause, left), on_job, webhooks)
        if not webhooks:
            pause = min(most, pause * _GROWTH)
        try:
            job = api.job(kind, job.id, time.monotonic() + settings.read_timeout_s)
        except (ApiThrottled, ApiUnreachable) as error:
            # the job keeps running; only the deadline ends the wait
            log.warning("%s; asking again", error)


def _rest(job: ReplicateJob, seconds: float, on_job: JobCallback, webhooks: "WebhookServer | None") -> None:
    """Sleep until `seconds` have passed or a webhook arrives; calls `on_job` each second to notice a cancellation."""
    deadline = time.monotonic() + seconds
    while True:
        left = deadline - time.monotonic()
        if left > _SLICE_S:
            on_job(job)
        if webhooks:
            if webhooks.wait(job.id, max(0.0, min(left, _SLICE_S))):
                return
        elif left > 0:
            time.sleep(min(left, _SLICE_S))
        if left <= _SLICE_S:
            return
