"""Two processes over gloo give the LoRA of one at equal batch, resume, and only rank 0 writes."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.training.runner import run, run_ranks

pytestmark = pytest.mark.usefixtures("tiny")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def furthest(one: Path, other: Path) -> float:
    ours, theirs = (load_file(p / "checkpoints" / "step-000012.safetensors") for p in (one, other))
    names = [name for name in ours if name.startswith(("raw.", "average."))]
    assert names
    return max(float((ours[name] - theirs[name]).abs().max()) for name in names)


def test_two_processes_equal_one_and_resume(profiles: Path, six_pictures: Path, tmp_path: Path) -> None:
    values = {"data": six_pictures, "batch": 4, "learning_rate": 1e-3}
    assert run(profiles, out=tmp_path / "one", **values) == 0
    stopped = run_ranks(profiles, 2, free_port(), out=tmp_path / "two", stop_at=7, **values)
    assert stopped == [3, 3]
    assert (tmp_path / "two" / "checkpoints" / "step-000007.safetensors").exists()
    assert run_ranks(profiles, 2, free_port(), out=tmp_path / "two", resume=True, **values) == [0, 0]
    assert furthest(tmp_path / "one", tmp_path / "two") < 1e-5
    # Rank 0 alone wrote: each row of the table is there once.
    rows = (tmp_path / "two" / "loss.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["step", "3", "6", "9", "12"]
    one, two = (load_file(tmp_path / name / "lora.safetensors") for name in ("one", "two"))
    assert one.keys() == two.keys()


def test_a_batch_that_cannot_be_dealt_out_is_refused(profiles: Path, six_pictures: Path, tmp_path: Path) -> None:
    assert run_ranks(profiles, 2, free_port(), data=six_pictures, out=tmp_path / "out", batch=3) == [1, 1]


@pytest.mark.slow
def test_accelerate_launch_itself(profiles: Path, six_pictures: Path, tmp_path: Path) -> None:
    """The documented command, with a profile of our own put in by a two-line script."""
    script = tmp_path / "launch.py"
    script.write_text(
        "import pathlib, sys\nimport inference.profiles\n"
        f"inference.profiles.FOLDER = pathlib.Path({str(profiles)!r})\n"
        "from training.run import main\nsys.exit(main(sys.argv[1:]))\n"
    )
    config = tmp_path / "small.toml"
    config.write_text("[training]\nresolutions = [64]\nbatch = 2\nsave_every = 4\nsample_every = 0\nheld_out = 1\n")
    command = [sys.executable, "-m", "accelerate.commands.launch", "--cpu", "--num_processes", "2", str(script)]
    command += ["--profile", "tiny", "--data", str(six_pictures), "--out", str(tmp_path / "out"), "--steps", "4"]
    done = subprocess.run(
        [*command, "--config", str(config), "--lr", "5e-3"],
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "lora.safetensors").exists()
