"""Runs jobs in processes of their own, two at a time where the card has room, and stops one while the other times.

Every row is handed on the moment it is measured. A process that dies loses the way it was at; the ways behind that are
given to a new process. At the deadline all processes are ended.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.gpu.worker import Job

MODULES = {"draw": "benchmarks.gpu.drawing", "train": "benchmarks.gpu.training", "demo": "benchmarks.gpu.demo"}
# What a process that was just stopped has still queued on the card: at most a thousand kernels.
_DRAIN_S = 0.8

Say = Callable[[dict[str, Any]], None]


class Schedule:
    """All jobs of one run. `memory` in GB is the card's; `lanes` how many processes run at a time."""

    def __init__(self, jobs: list[Job], say: Say, log: Path, *, memory: float, lanes: int, deadline: float) -> None:
        self._waiting, self._say, self._deadline = list(jobs), say, deadline
        self._memory, self._lanes = memory, lanes
        self._log_file = log
        self._processes: dict[str, tuple[Job, subprocess.Popen[str]]] = {}
        self._state = threading.Condition()
        self._gate = threading.Lock()

    def run(self) -> None:
        """All jobs, or as many as the deadline allows."""
        threads: list[threading.Thread] = []
        self._log = self._log_file.open("a", encoding="utf-8")
        with self._state:
            while self._waiting or self._processes:
                left = self._deadline - time.time()
                if left <= 0:
                    break
                job = self._next()
                if job is None:
                    self._state.wait(min(left, 1.0))
                    continue
                self._waiting.remove(job)
                threads.append(self._start(job))
        self.end()
        for thread in threads:
            thread.join(10)
        for job in self._waiting:
            for way in job.ways:
                self._say({"event": "row", "job": job.name, "way": way, "problem": "no time left"})
        self._log.close()

    def end(self) -> None:
        """End all processes at once."""
        for _job, process in list(self._processes.values()):
            _signal(process, signal.SIGKILL)

    def _next(self) -> Job | None:
        if len(self._processes) >= self._lanes:
            return None
        used = sum(job.memory for job, _ in self._processes.values())
        fitting = (job for job in self._waiting if not self._processes or used + job.memory <= self._memory)
        return next(fitting, None)

    def _start(self, job: Job) -> threading.Thread:
        job = replace(job, deadline=self._deadline)
        command = [sys.executable, "-m", MODULES[job.kind], job.to_json()]
        # A group of its own, so that it can be stopped with all its children; no session, so that it ends with ours.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True, process_group=0
        )
        self._processes[job.name] = (job, process)
        self._say({"event": "start", "job": job.name})
        thread = threading.Thread(target=self._listen, args=(job, process), daemon=True)
        thread.start()
        return thread

    def _listen(self, job: Job, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        assert process.stdin is not None
        done: list[str] = []
        at, alone = "", contextlib.ExitStack()
        for line in process.stdout:
            said = json.loads(line)
            event = said["event"]
            if event == "alone":
                alone.enter_context(self._alone(job))
                with contextlib.suppress(OSError):
                    process.stdin.write("go\n")
                    process.stdin.flush()
                continue
            if event == "together":
                alone.close()
                continue
            if event == "begin":
                at = said["way"]
            if event == "row" and said["way"] == at:
                done.append(at)
            self._say(said)
        alone.close()
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()
        code = process.wait()
        with self._state:
            self._processes.pop(job.name)
            rest = tuple(way for way in job.ways if way not in done)
            if rest and time.time() < self._deadline:
                why = f"the process ended with {code}, see the log"
                self._say({"event": "row", "job": job.name, "way": rest[0], "problem": why})
                if rest[1:]:
                    self._waiting.insert(0, replace(job, ways=rest[1:]))
            elif rest:
                for way in rest:
                    self._say({"event": "row", "job": job.name, "way": way, "problem": "no time left"})
            self._state.notify_all()

    @contextlib.contextmanager
    def _alone(self, job: Job) -> Iterator[None]:
        with self._gate:
            others = [p for name, (_, p) in list(self._processes.items()) if name != job.name]
            for other in others:
                _signal(other, signal.SIGSTOP)
            if others:
                time.sleep(_DRAIN_S)
            try:
                yield
            finally:
                for other in others:
                    _signal(other, signal.SIGCONT)


def _signal(process: "subprocess.Popen[str]", number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)
