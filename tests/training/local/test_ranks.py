"""Two processes over gloo give the LoRA of one at equal batch, resume, and only rank 0 writes."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.pages import ROOT, page
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


STEPS = 12
SMALL = """[training]
device = "cpu"
threads = 1
resolutions = [64]
batch = 4
rank = 4
save_every = 3
sample_every = 0
log_every = 2
held_out = 1
strangers = ["robot badge, character holding {object}"]
preserve_pictures = 2
"""


class Launched:
    """The documented command, with the demo FLUX at a small size, in a folder of its own."""

    def __init__(self, folder: Path, data: Path, out: Path, *more: str) -> None:
        (documented,) = [each for each in page("docs/training.md").commands if each.words[0] == "accelerate"]
        words = list(documented.words)
        words[0] = str(Path(sys.executable).with_name("accelerate"))
        words[words.index("--data") + 1], words[words.index("--out") + 1] = str(data), str(out)
        self._process = start(folder, *words, *more)
        self._out = out

    def after(self, step: int, number: signal.Signals) -> "Launched":
        """Send a signal to the launcher, and to it alone, once the checkpoint of `step` is there."""
        checkpoint = self._out / "checkpoints" / f"step-{step:06d}.safetensors"
        while not checkpoint.exists():
            assert self._process.poll() is None, self._process.communicate()
            time.sleep(0.02)
        self._process.send_signal(number)
        return self

    def ended(self) -> tuple[int, list[str], list[str]]:
        """(exit code, lines of stdout, lines of stderr) when the launcher and all that it started are gone."""
        out, err = self._process.communicate(timeout=120)
        return self._process.returncode, out.splitlines(), err.splitlines()


def start(folder: Path, *command: str) -> "subprocess.Popen[str]":
    (folder / "small.toml").write_text(SMALL)
    more = ("--profile", "demo", "--steps", str(STEPS), "--config", str(folder / "small.toml"))
    at = command.index("training.run") + 1
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [*command[:at], *more, *command[at:]],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def errors(lines: list[str]) -> list[str]:
    return [line for line in lines if line.startswith("error: ")]


@pytest.mark.slow
def test_the_documented_command_equals_one_process_and_resumes(six_pictures: Path, tmp_path: Path) -> None:
    """accelerate's own launcher: stopped, then killed with its processes left behind, and gone on with each time."""
    one, two = tmp_path / "one", tmp_path / "two"
    alone = start(tmp_path, sys.executable, "-m", "training.run", "--data", str(six_pictures), "--out", str(one))
    _, said = alone.communicate(timeout=120)
    assert alone.returncode == 0, said

    code, _, lines = Launched(tmp_path, six_pictures, two).after(3, signal.SIGTERM).ended()
    assert code != 0
    (error,) = errors(lines)
    # Whichever process hears of it first, both stop at the same step.
    assert re.fullmatch(r"error: stopped by (SIGTERM|another process) at step \d+; go on with --resume", error)

    _, _, lines = Launched(tmp_path, six_pictures, two, "--resume").after(6, signal.SIGKILL).ended()
    (error,) = errors(lines)
    assert re.fullmatch(r"error: stopped by (the end of its launcher|another process) at step \d+; .*", error)

    code, told, lines = Launched(tmp_path, six_pictures, two, "--resume", "--json").ended()
    assert code == 0, lines
    assert furthest(one, two) < 1e-5
    # The file holds halves, so what is closer than that may be rounded to neighbours.
    ours, theirs = (load_file(folder / "lora.safetensors") for folder in (one, two))
    assert ours.keys() == theirs.keys()
    assert all(ours[name].allclose(theirs[name], rtol=2**-9, atol=1e-5) for name in ours)

    # One of the two wrote and spoke.
    (result,) = [json.loads(line) for line in told]
    assert result["file"] == str(two / "lora.safetensors")
    assert len([line for line in lines if "Did it learn the style?" in line]) == 1
    for table, every in (("loss.csv", 2), ("scores.csv", 3)):
        steps = [row.split(",")[0] for row in (two / table).read_text().splitlines()[1:]]
        assert steps == [str(step) for step in range(every, STEPS + 1, every)], table
    assert {path.name for path in two.iterdir()} == {path.name for path in one.iterdir()}


@pytest.mark.slow
def test_what_all_processes_find_wrong_is_said_once(six_pictures: Path, tmp_path: Path) -> None:
    for more, wrong in ((("--steps", "0"), "error: steps = 0: "), (("--export", "gguf"), "error: argument --export")):
        code, _, said = Launched(tmp_path, six_pictures, tmp_path / "out", *more).ended()
        assert code != 0
        (error,) = errors(said)
        assert error.startswith(wrong)
    assert not (tmp_path / "out").exists()
