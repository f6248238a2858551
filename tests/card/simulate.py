"""What a pretended card is asked in tests, one JSON object a line: `python -m tests.card.simulate NAME ...`.

A process of its own, since torch has to meet the card before anything else.
"""

import json
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.card.fake_card import fake_card, prepare


class Teller:
    """As much of a benchmark's worker as measurements see: what it tells is kept."""

    left = float("inf")

    def __init__(self, job: Any) -> None:
        self.job = job
        self.rows: list[dict[str, Any]] = []

    def tell(self, event: str, **values: Any) -> None:
        if event == "row":
            self.rows.append(values)

    @contextmanager
    def alone(self) -> Iterator[None]:
        yield


def drawing(way: str = "fast") -> dict[str, Any]:
    """One way of the GPU benchmark with full-size klein, two steps."""
    from benchmarks.gpu.drawing import Drawing
    from benchmarks.gpu.worker import Job

    with fake_card():
        job = Job("klein", "draw", "flux2-klein-4b", (), steps=2, images=1, compiled=False)
        teller: Any = Teller(job)
        return Drawing(teller).measure(way)


def training() -> dict[str, Any]:
    """The GPU benchmark's training with full-size klein at one size."""
    from benchmarks.gpu.training import Training
    from benchmarks.gpu.worker import Job

    with fake_card():
        teller: Any = Teller(Job("klein", "train", "flux2-klein-base-4b", (), compiled=False))
        Training(teller).measure("bf16@512")
        found: dict[str, Any] = teller.rows[0]
        return found


def main(argv: list[str]) -> int:
    """Answer each question."""
    warnings.filterwarnings("ignore")
    prepare()
    for name in argv:
        print(json.dumps({"name": name, **globals()[name]()}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
