"""The wall clock and the monotonic clock, replaceable in tests."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """`wall` is for dates and limits and may jump; `steady` never goes back and is for durations and leases."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
