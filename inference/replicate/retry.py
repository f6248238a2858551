"""Retries of requests to Replicate."""

import itertools
import logging
import math
import random
import time
from collections.abc import Callable
from typing import TypeVar

from configs.sections.replicate import ReplicateSettings
from inference.replicate.errors import ApiError, ApiThrottled, ApiUnreachable

log = logging.getLogger(__name__)

_T = TypeVar("_T")


def retried(
    request: Callable[[], _T],
    settings: ReplicateSettings,
    deadline: float = math.inf,
    lost: Callable[[ApiUnreachable], _T | None] | None = None,
) -> _T:
    """The result of `request`, which is retried after ApiThrottled and ApiUnreachable.

    At most `settings.attempts` times, and until the monotonic time `deadline`; then the last error is raised, any other
    error at once. If a request may have been executed and only its response was lost, `lost` is called first; its
    result is returned unless it is None.
    """
    for attempt in itertools.count(1):
        try:
            return request()
        except ApiThrottled as error:
            failed: ApiError = error
            delay = pause(settings, attempt - 1, error.retry_after)
        except ApiUnreachable as error:
            found = lost(error) if lost and error.sent else None
            if found is not None:
                return found
            failed, delay = error, pause(settings, attempt - 1)
        if attempt >= settings.attempts or time.monotonic() + delay > deadline:
            raise failed
        log.info("%s; trying again in %.1f s", failed, delay)
        time.sleep(delay)
    raise AssertionError("the count does not end")


def pause(settings: ReplicateSettings, earlier: int, retry_after: float | None = None) -> float:
    """Seconds before the next attempt after `earlier` pauses, at most `retry_max_s`.

    Doubles from `retry_min_s`, times a random 0.5 to 1; or the server's `retry_after`, times a random 1 to 1.1. The
    jitter avoids that clients which were throttled together retry together
    (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
    """
    if retry_after is not None:
        return min(settings.retry_max_s, retry_after * random.uniform(1.0, 1.1))
    return float(min(settings.retry_max_s, settings.retry_min_s * 2**earlier) * random.uniform(0.5, 1.0))
