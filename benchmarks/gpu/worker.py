"""A process that measures one model, and what it says to the process that started it: one JSON object a line.

Two models are made ready at a time, since compiling is work for the host. Whoever times something asks to be alone
first: the other process is stopped until it is done.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Job:
    """One process: `ways` of `profile`, in order. `memory` in GB is what it may need of the card at its widest."""

    name: str
    kind: str
    profile: str
    ways: tuple[str, ...]
    memory: float = 0.0
    steps: int = 0
    images: int = 2
    device: str = "cuda"
    tiny: bool = False
    compiled: bool = True
    cache: str = ""
    out: str = ""
    deadline: float = 0.0

    def to_json(self) -> str:
        """As a command line carries it."""
        return json.dumps(asdict(self))


def job_from(text: str) -> Job:
    """The job that `to_json` wrote."""
    values = json.loads(text)
    return Job(**values | {"ways": tuple(values["ways"])})


class Worker:
    """This process's way to speak. Standard output belongs to it; what libraries print goes to standard error."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._out = os.fdopen(os.dup(1), "w", buffering=1)
        os.dup2(2, 1)
        self.alone_s = 0.0

    def tell(self, event: str, **values: Any) -> None:
        """Say one thing."""
        self._out.write(json.dumps({"event": event, "job": self.job.name, **values}) + "\n")
        self._out.flush()

    @property
    def left(self) -> float:
        """Seconds until nothing may be begun any more."""
        return self.job.deadline - time.time() if self.job.deadline else float("inf")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Within, no other worker computes. The card must be idle on entry and on leaving."""
        self.tell("alone")
        if not sys.stdin.readline():
            raise SystemExit("nobody listens any more")
        try:
            yield
        finally:
            self.tell("together")

    def each(self, measure: Callable[[str], dict[str, Any]], seconds: Callable[[str], float]) -> None:
        """Measure all ways; what goes wrong is that way's row. `seconds` is what a way takes at the least."""
        for way in self.job.ways:
            self.tell("begin", way=way)
            if self.left < seconds(way):
                self.tell("row", way=way, problem="no time left")
                continue
            try:
                found = measure(way)
            except Exception as error:  # noqa: BLE001 (a measurement of many things: the others go on)
                traceback.print_exc()
                first = (str(error).strip() or "no message").splitlines()[0]
                found = {"problem": f"{type(error).__name__}: {first[:160]}"}
            self.tell("row", way=way, **found)
            free()


def free() -> None:
    """Give back what the last way held: weights, compiled code, the attention kernel it chose."""
    import gc

    import torch

    torch._dynamo.reset()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def versions() -> dict[str, str]:
    """What the figures depend on besides the card."""
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("torch", "triton", "diffusers", "transformers", "peft", "torchao", "bitsandbytes"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
