"""What loading is at: told before the first long import, again while a stage lasts, and how far a download is."""

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from inference.local.stages import Stages
from inference.models.room import Download, progress_of


def test_the_first_stage_is_told_before_torch_is_imported() -> None:
    code = """
import sys
from inference.choice import open_generator
from configs import default_settings
settings = default_settings()
settings = settings.model_copy(update={"generator": settings.generator.model_copy(update={"kind": "demo"})})
told = lambda what, done, total: print(what, "torch" in sys.modules, "diffusers" in sys.modules)
with open_generator(settings, told) as generator:
    generator.prepare()
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[:3] == [
        "importing torch False False",
        "importing diffusers True False",
        "finding the demo FLUX True True",
    ]


def test_the_log_says_again_what_takes_long(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    said_twice = threading.Event()
    told: list[tuple[str, int, int]] = []

    def so_far() -> str:
        if len(told) > 2:
            said_twice.set()
        return f"{len(told)} of 9 GB"

    with Stages(2, lambda *stage: told.append(stage), every=0.01) as say:
        say("finding it")
        say("downloading it", so_far)
        assert said_twice.wait(30)
    assert told[:4] == [
        ("finding it", 0, 2),
        ("downloading it", 1, 2),
        ("downloading it, 2 of 9 GB", 1, 2),
        ("downloading it, 3 of 9 GB", 1, 2),
    ]
    assert told[-1] == ("ready", 2, 2)
    assert "finding it" in caplog.messages
    assert "downloading it, 2 of 9 GB: 0 s so far" in caplog.messages


def test_what_is_not_told_of_does_not_end() -> None:
    told: list[object] = []
    with Stages(1, lambda *stage: told.append(stage)):
        pass
    assert told == []


def test_a_download_is_measured_with_the_parts_of_its_files(tmp_path: Path) -> None:
    blobs = tmp_path / "models--acme--flux" / "blobs"
    download = Download("acme/flux", "c", {"a": 3 * 10**9, "b": 1 * 10**9}, frozenset("b"), tmp_path)
    blobs.mkdir(parents=True)

    def write(name: str, size: int) -> None:
        with (blobs / name).open("wb") as file:
            file.truncate(size)  # a hole: no disk is used

    write("b", 10**9)
    write("of-another-revision", 7 * 10**9)
    write("a.incomplete", 10**9)
    now = progress_of(download)
    assert now() == "2.0 GB of 4.0 GB"
    write("a.incomplete", 2 * 10**9)
    assert now() == "3.0 GB of 4.0 GB"
    (blobs / "a.incomplete").rename(blobs / "a")
    write("a", 3 * 10**9)
    assert now() == "4.0 GB of 4.0 GB"
