"""Ray itself: started on this machine or joined, kept quiet, left as it was found.

Ray is an optional package (`.[ray]`), imported here at the first use. It sends no usage statistics, starts no
dashboard, prints nothing. A Ray of our own asks every caller for a token that lives as long as it does, since whoever
can talk to Ray can run code; its sockets and logs are in a folder that its owner alone may enter, and none of its
processes has another token in its environment, where every task could read it.
"""

import importlib.util
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from configs.printable import first_line
from configs.sections.ray import RaySettings
from inference.errors import BackendUnavailable, InvalidRequest

INSTALL = 'pip install --constraint constraints.txt ".[ray]"'
_STORE_BYTES = 128 * 2**20
_KNOCK_S = 10
_LONGEST_BASE = 20
_TOKEN = re.compile(r"TOKEN|SECRET|PASSW|API_?KEY|CREDENTIAL|ACCESS_KEY", re.IGNORECASE)
# Read by Ray when it is imported, and by the processes that it starts.
_QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DEDUP_LOGS_SKIP_REGEX": ".*",  # lines of other processes, which Ray would print on our stdout
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}


@dataclass(frozen=True)
class Seats:
    """How many actors there are to be, and what each asks Ray for."""

    count: int
    cpus: int
    gpus: int


def require_ray() -> None:
    """Raises BackendUnavailable, with the command that installs it, where the package is not installed."""
    if sys.modules.get("ray", ...) is None or importlib.util.find_spec("ray") is None:
        raise BackendUnavailable(f"Ray is not installed: {INSTALL}")


def join_ray(settings: RaySettings, threads: int, cards: bool | None, extra_bytes: int = 0) -> tuple[Seats, bool]:
    """Join the Ray at `settings.address`, or start one here; returns the actors it can seat, and whether it is ours.

    `threads` is the CPU cores an actor wants; `cards` says whether each wants a card (None: if there are any);
    `extra_bytes` is what will be put into the object store. A Ray that this process has already joined is used as
    it is. Raises BackendUnavailable where it cannot be reached, InvalidRequest where cards are asked for in vain.
    """
    require_ray()
    for name, value in _QUIET.items():
        os.environ.setdefault(name, value)
    if not settings.address and "ray" not in sys.modules:  # later Ray does not look at it any more
        os.environ.setdefault("RAY_AUTH_MODE", "token")
    import ray

    ours = not ray.is_initialized()
    if ours:
        _init(settings, threads, extra_bytes)
    try:
        return _seats(settings, threads, cards), ours
    except Exception:  # whatever it was is raised again, but a Ray of ours must not stay behind
        if ours:
            leave_ray()
        raise


def leave_ray() -> None:
    """Leave Ray; one that was started here ends, with everything in it."""
    import ray

    ray.shutdown()
    while _folders:
        shutil.rmtree(_folders.pop(), ignore_errors=True)


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _init(settings: RaySettings, threads: int, extra_bytes: int) -> None:
    import ray

    before = signal.getsignal(signal.SIGTERM)
    try:
        if settings.address:
            _knock(settings.address)
            ray.init(address=settings.address, log_to_driver=False, logging_level="ERROR")
        else:
            folder = _private_folder()
            with _without_tokens(), _own_token():
                ray.init(
                    address="local",  # otherwise Ray would join any other Ray that runs on this machine
                    num_cpus=max(cores(), settings.actors * threads),
                    object_store_memory=_STORE_BYTES + 2 * extra_bytes,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level="ERROR",
                    _temp_dir=str(folder / "ray"),
                )
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        where = f"the Ray cluster at {settings.address} cannot be joined" if settings.address else "Ray cannot start"
        raise BackendUnavailable(f"{where}: {first_line(error)}") from error
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)  # Ray puts in its own, which would end the program in mid-write


def _knock(address: str) -> None:
    """Raises OSError where nothing listens at HOST:PORT: Ray itself would try for minutes."""
    host, colon, port = address.rpartition(":")
    if colon and port.isdecimal():
        socket.create_connection((host.strip("[]"), int(port)), timeout=_KNOCK_S).close()


_folders: list[Path] = []
"""Of the Ray that was started here."""


def _private_folder() -> Path:
    """A folder for a Ray of our own that nobody else may enter: Ray itself makes one that everybody may write to.

    Its path is short, since those of sockets may have 107 bytes and Ray adds some 70.
    """
    base = os.environ.get("RAY_TMPDIR") or tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix="badges-", dir=base if len(base) <= _LONGEST_BASE else "/tmp"))
    _folders.append(folder)
    return folder


@contextmanager
def _without_tokens() -> Iterator[None]:
    """While Ray starts, what looks like a token is not in the environment that its processes inherit for good."""
    hidden = {name: value for name, value in os.environ.items() if _TOKEN.search(name) and not name.startswith("RAY_")}
    for name in hidden:
        del os.environ[name]
    try:
        yield
    finally:
        os.environ.update(hidden)


@contextmanager
def _own_token() -> Iterator[None]:
    """While Ray starts, its processes are given the token of this run, unless the operator has set one."""
    named = {"RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"} & set(os.environ)
    if named or os.environ.get("RAY_AUTH_MODE") != "token":
        yield
        return
    os.environ["RAY_AUTH_TOKEN"] = _token()
    try:
        yield
    finally:
        del os.environ["RAY_AUTH_TOKEN"]


@cache
def _token() -> str:
    """One a process, since Ray remembers the first that it saw."""
    return secrets.token_hex(32)


def _seats(settings: RaySettings, threads: int, cards: bool | None) -> Seats:
    import ray

    there = ray.cluster_resources()
    gpus, cpus = int(there.get("GPU", 0)), int(there.get("CPU", 0))
    if cards is None:
        cards = gpus > 0
    if not cards:
        return Seats(settings.actors or max(1, cpus // threads), threads, 0)
    if not settings.address and max(1, settings.actors) > gpus:
        wanted = max(1, settings.actors)
        raise InvalidRequest(f"[ray] actors = {wanted}, but this machine has {gpus} CUDA cards: ask for at most {gpus}")
    return Seats(settings.actors or max(1, gpus), 1, 1)
