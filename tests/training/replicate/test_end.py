"""How a training at Replicate ends: stopped, canceled, failed, and a paid one is never paid twice unasked."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_jobs import Plan
from tests.training.replicate.parts import DESTINATION, RUN, StopAt, job_for, spent, started, trainer_for
from training.errors import InvalidJob, TrainerUnavailable, TrainingFailed, TrainingInterrupted

ROOT = Path(__file__).resolve().parents[3]


def test_stopping_to_watch_lets_it_run_and_resume_picks_it_up_by_id(
    fake: FakeReplicate, pictures: Path, tmp_path: Path
) -> None:
    job = job_for(pictures, tmp_path / "out")
    with pytest.raises(TrainingInterrupted, match=r"goes on at Replicate: --resume follows it, --cancel stops it"):
        trainer_for(fake, tmp_path).train(job, StopAt(400))
    with pytest.raises(InvalidJob, match=r"\(job\d+\) runs at Replicate: --resume follows it"):
        trainer_for(fake, tmp_path).train(job)
    lora = trainer_for(fake, tmp_path).train(job.model_copy(update={"resume": True}))
    assert lora.path.exists()
    assert started(fake) == 1
    assert trainer_for(fake, tmp_path).train(job.model_copy(update={"resume": True})).reasons
    assert started(fake) == 1, "finished is finished"
    with pytest.raises(InvalidJob, match="holds a finished LoRA"):
        trainer_for(fake, tmp_path).train(job)


def test_cancel_reaches_replicate(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    fake.state.plan = Plan(("starting", "processing"))
    with pytest.raises(InvalidJob, match="no training runs"):
        trainer_for(fake, tmp_path).cancel(tmp_path / "out")
    with pytest.raises(TrainingInterrupted):
        trainer_for(fake, tmp_path).train(job_for(pictures, tmp_path / "out"), StopAt(0))
    number = trainer_for(fake, tmp_path).cancel(tmp_path / "out")
    assert fake.state.jobs[number].canceled


def test_a_training_that_never_ends_is_canceled_at_the_deadline(
    fake: FakeReplicate, pictures: Path, tmp_path: Path
) -> None:
    fake.state.plan = Plan(("starting",))
    with pytest.raises(TrainerUnavailable, match="still starting at the deadline"):
        trainer_for(fake, tmp_path, training_deadline_s=1.0).train(job_for(pictures, tmp_path / "out"))
    (held,) = fake.state.jobs.values()
    assert held.canceled
    assert spent(tmp_path) == 0


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(("processing", "failed"), error="CUDA error r8_abcdefgh"), r"was failed .* CUDA error \*\*\*"),
        (Plan(("starting", "aborted")), "was aborted"),
        (Plan(("processing", "canceled")), "was canceled"),
    ],
)
def test_a_training_that_ends_badly_is_a_typed_error_and_may_be_started_anew(
    fake: FakeReplicate, pictures: Path, tmp_path: Path, plan: Plan, words: str
) -> None:
    fake.state.plan = plan
    job = job_for(pictures, tmp_path / "out")
    with pytest.raises(TrainingFailed, match=words):
        trainer_for(fake, tmp_path, max_archive_mb=5).train(job)
    assert not job.lora_path.exists()
    fake.state.plan = Plan(RUN, outputs=("trained.tar",))
    with pytest.raises(InvalidJob, match=r"training job\w+ was \w+.*nothing is left to resume; --pay-again starts"):
        trainer_for(fake, tmp_path).train(job.model_copy(update={"resume": True}))
    assert started(fake) == 1
    assert trainer_for(fake, tmp_path).train(job).path.exists()
    assert started(fake) == 2


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan(("succeeded",), outputs=("png",)), "cannot be used"),
        (Plan(("succeeded",), outputs=("https://evil.example/x.tar",)), r"evil.example, which is not allowed"),
        (Plan(("succeeded",), outputs=("redirect-away",)), r"evil.example, which is not allowed"),
        (Plan(("succeeded",), outputs=("huge",)), r"allowed"),
        (Plan(("succeeded",), outputs=("gone",)), "status 404"),
        (Plan(("succeeded",), outputs=("",)), "cannot be used"),
    ],
)
def test_a_paid_training_is_fetched_again_and_never_paid_twice_unasked(
    fake: FakeReplicate, pictures: Path, tmp_path: Path, plan: Plan, words: str
) -> None:
    fake.state.plan = plan
    job = job_for(pictures, tmp_path / "out")
    again = job.model_copy(update={"resume": True})
    with pytest.raises(
        TrainingFailed, match=rf"{words}.*it is already paid for: --resume fetches it again, --pay-again"
    ):
        trainer_for(fake, tmp_path, max_archive_mb=5).train(job)
    with pytest.raises(TrainingFailed, match=words):
        trainer_for(fake, tmp_path, max_archive_mb=5).train(again)
    with pytest.raises(InvalidJob, match="--pay-again"):
        trainer_for(fake, tmp_path).train(job)
    assert started(fake) == 1
    (held,) = [each for each in fake.state.jobs.values() if each.kind == "trainings"]
    held.plan = Plan(("succeeded",), outputs=("trained.tar",))
    assert trainer_for(fake, tmp_path).train(again).path.exists()
    assert started(fake) == 1


def test_pay_again_pays_again(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    fake.state.plan = Plan(("succeeded",), outputs=("gone",))
    job = job_for(pictures, tmp_path / "out")
    with pytest.raises(TrainingFailed, match="it is already paid for"):
        trainer_for(fake, tmp_path).train(job)
    (held,) = [each for each in fake.state.jobs.values() if each.kind == "trainings"]
    held.plan = Plan(("processing",))
    more = job.model_copy(update={"pay_again": True})
    with pytest.raises(InvalidJob, match="still runs at Replicate: --cancel it before"):
        trainer_for(fake, tmp_path).train(more)
    held.plan = Plan(("succeeded",), outputs=("gone",))
    fake.state.plan = Plan(RUN, outputs=("trained.tar",))
    assert trainer_for(fake, tmp_path).train(more).path.exists()
    assert started(fake) == 2


def test_a_training_that_replicate_has_forgotten_is_not_begun_anew_unasked(
    fake: FakeReplicate, pictures: Path, tmp_path: Path
) -> None:
    fake.state.plan = Plan(("succeeded",), outputs=("gone",))
    job = job_for(pictures, tmp_path / "out")
    with pytest.raises(TrainingFailed, match="it is already paid for"):
        trainer_for(fake, tmp_path).train(job)
    before = started(fake)
    fake.state.jobs.clear()
    for _ in range(2):
        with pytest.raises(InvalidJob, match=r"does not know training .* any more.*--pay-again"):
            trainer_for(fake, tmp_path).train(job.model_copy(update={"resume": True}))
    assert (before, started(fake)) == (1, 0)


def environment(fake: FakeReplicate, tmp_path: Path) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "REPLICATE_API_TOKEN": fake.state.token,
        "REPLICATE_BASE_URL": fake.url,
        "BADGE_DATA_DIR": str(tmp_path / "data"),
        "BADGE_REPLICATE__TRAINING_POLL_S": "0.05",
    }


def command(pictures: Path, tmp_path: Path, *more: str) -> list[str]:
    where = ["--data", str(pictures), "--destination", DESTINATION, "--out", str(tmp_path / "out")]
    return [sys.executable, "-m", "training.run", "--backend", "replicate", *where, *more]


def test_the_command_line_survives_a_kill_and_a_ctrl_c(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    fake.state.plan = Plan(("processing 10/1000",), outputs=("trained.tar",), predict_s=1200.0, logs="hello\n")
    options: Any = {"env": environment(fake, tmp_path), "cwd": tmp_path, "stderr": subprocess.PIPE, "text": True}
    for number, how in ((signal.SIGKILL, []), (signal.SIGINT, ["--resume"])):
        looks = fake.state.calls("GET", "/trainings/job")
        child = subprocess.Popen(command(pictures, tmp_path, *how), **options)
        while fake.state.calls("GET", "/trainings/job") < looks + 2:
            assert child.poll() is None, child.communicate()[1]
            time.sleep(0.02)
        child.send_signal(number)
        said = child.communicate(timeout=120)[1]
    assert "goes on at Replicate: --resume follows it" in said
    assert "Traceback" not in said
    (held,) = fake.state.jobs.values()
    held.plan = Plan(("succeeded",), outputs=("trained.tar",), predict_s=1200.0, logs="hello\n")
    done = subprocess.run(
        command(pictures, tmp_path, "--resume", "--json"),
        stdout=subprocess.PIPE, timeout=180, check=False, **options,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert started(fake) == 1
    told = json.loads(done.stdout)
    assert (told["hosted_model"], told["cost_usd"], told["seconds"]) == (DESTINATION, 1.83, 1200.0)
    assert "20.0 minutes, $1.83" in done.stderr
    assert f'model = "{DESTINATION}"' in done.stderr
    assert f'lora = "{tmp_path / "out" / "lora.safetensors"}"' in done.stderr
    assert "replicate: hello" in done.stderr
    assert fake.state.token not in done.stderr + done.stdout
    assert "torch" not in done.stderr
