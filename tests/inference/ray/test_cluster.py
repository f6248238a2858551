"""A cluster as an operator starts it: `ray start` on boxes, RAY_ADDRESS, a token; boxes that go and come."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.inference.ray.boxes import Boxes
from tests.inference.ray.parts import needs_ray

pytestmark = [needs_ray, pytest.mark.slow]

_ROOT = Path(__file__).resolve().parents[3]
_CUP = ("--generator", "ray", "--profile", "demo", "--object", "cup", "--text", "HI", "--seed", "1", "--out", "cup.png")


@pytest.fixture
def boxes() -> Iterator[Boxes]:
    started = Boxes()
    yield started
    started.end()


def render(folder: Path, environment: dict[str, str], *more: str) -> subprocess.CompletedProcess[str]:
    few = {"BADGE_LOCAL__STEPS": "2", "BADGE_LOCAL__THREADS": "1", "BADGE_RAY__PATIENCE_S": "120"}
    command = [sys.executable, "-m", "inference.render", *_CUP, *more, "--json"]
    return subprocess.run(
        command, cwd=folder, env={**environment, **few}, capture_output=True, text=True, check=False, timeout=200
    )


def test_a_lost_box_ends_in_backend_unavailable_and_another_one_draws_again(tiny_flux: Path) -> None:
    command = [sys.executable, "-m", "tests.inference.ray.boxes", str(tiny_flux)]
    done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    first, second, third = done.stdout.splitlines()
    assert first == "drawn on a box"
    assert second.startswith("all Ray actors are gone: ")
    assert third == "drawn again on another box"


def test_the_command_joins_by_ray_address_and_only_with_the_token(
    boxes: Boxes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    boxes.add(2)
    monkeypatch.chdir(tmp_path)
    shutil.copy(_ROOT / "inference" / "demo_lora" / "aidbox.safetensors", "only-here.safetensors")
    environment = {**boxes.environment, "RAY_ADDRESS": boxes.address}
    done = render(tmp_path, environment, "--lora", "only-here.safetensors")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["lora"] == "only-here"
    assert (tmp_path / "cup.png").is_file()
    token = boxes.environment["RAY_AUTH_TOKEN"]
    assert token not in done.stdout + done.stderr

    done = render(tmp_path, {**environment, "RAY_AUTH_TOKEN": "0" * 64})
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(f"error: the Ray cluster at {boxes.address} cannot be joined: ")


def test_a_cluster_that_is_not_there_is_said_in_one_line(tmp_path: Path) -> None:
    done = render(tmp_path, {**os.environ, "RAY_ADDRESS": "127.0.0.1:1"})
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "error: the Ray cluster at 127.0.0.1:1 cannot be joined: [Errno 111] Connection refused"
    ]
