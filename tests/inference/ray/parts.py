"""What the tests with Ray share: a profile of the tiny FLUX, settings, and the processes of actors to kill."""

import contextlib
import importlib.util
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from configs.sections.ray import RaySettings
from configs.sections.render import LocalSettings
from configs.settings import default_settings
from inference.models.profiles import Profile, load_profile

needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,  # importing it would settle how loud it is before our code does
    reason='Ray is not installed: pip install --constraint constraints.txt ".[ray]"',
)
STEPS, SIDE = 50, 64


def tiny_profile(folder: Path) -> Profile:
    """The tiny FLUX at a size and with so many steps that a portrait takes long enough to be killed in its middle."""
    demo = load_profile("demo").model_dump()
    tiny = {"name": "tiny", "title": "the tiny FLUX", "folder": str(folder), "steps": STEPS, "lora": ""}
    return Profile(**{**demo, **tiny, "width": SIDE, "height": SIDE})


def local_settings(**changed: object) -> LocalSettings:
    return default_settings().local.model_copy(update={"threads": 1, "device": "cpu", **changed})


def ray_settings(**changed: object) -> RaySettings:
    return default_settings().ray.model_copy(update={"actors": 2, "patience_s": 120.0, **changed})


def running_below(of: int | None = None) -> Iterator[tuple[psutil.Process, list[str], dict[str, str]]]:
    """The processes below process `of` (this one) that run at this moment, each with its command line and environment.

    Ray starts and ends workers as it likes: what ended between the listing and the reading, or is a zombie until its
    parent asks, has neither and is left out.
    """
    for process in psutil.Process(of or os.getpid()).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            yield process, process.cmdline(), process.environ()


def actors_drawing(of: int | None = None) -> list[psutil.Process]:
    """The processes below process `of` (this one) that are in the middle of a portrait, by the title Ray gives them."""
    return [process for process, command, _ in running_below(of) if command[:1] == ["ray::DrawingActor.draw"]]


def kill_one_drawing(of: int | None = None, seconds: float = 180) -> int:
    """SIGKILL for one actor that draws, as soon as there is one; its process id. Raises where none is seen in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for process in actors_drawing(of):
            process.send_signal(signal.SIGKILL)
            return process.pid
        time.sleep(0.01)
    raise AssertionError("no actor was seen drawing")


def all_idle(seconds: float = 30) -> bool:
    """Whether no actor draws any more, within a while: a process is called idle a moment after its answer."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not actors_drawing():
            return True
        time.sleep(0.05)
    return False
