"""The two clocks, so that a test can make the wall clock jump."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """`wall` is what people and limits see and may jump; `steady` never goes back and measures spans."""

    wall: Callable[[], float] = time.time
    steady: Callable[[], float] = time.monotonic
