"""Trying a request again: one loop for everything that asks Replicate."""

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
    """What `request` returns, made again after ApiThrottled and ApiUnreachable.

    At most `settings.attempts` times, and until the monotonic time `deadline`; then the last error is raised, any other
    one at once. Where a request may have arrived and only its response was lost, `lost` is asked first: what it
    returns, unless None, is the result.
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
    """Seconds before the next try after `earlier` pauses.

    Doubling from `retry_min_s`, half to whole of it at random, or the server's wish and a little more; at most
    `retry_max_s`. Random, so that many who were refused at once do not come back at once
    (https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter).
    """
    if retry_after is not None:
        return min(settings.retry_max_s, retry_after * random.uniform(1.0, 1.1))
    return float(min(settings.retry_max_s, settings.retry_min_s * 2**earlier) * random.uniform(0.5, 1.0))
