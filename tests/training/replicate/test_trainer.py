"""Training at Replicate against the fake of its API: once, resumable, and a LoRA that is like a local one."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save

from configs import default_settings
from inference.lora.card import read_card
from inference.replicate.generator import ReplicateGenerator
from inference.replicate.ledger import Ledger, Limits
from inference.types import PortraitRequest
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import quick
from tests.fakes.replicate_jobs import FINE_TUNE_INPUTS, Plan
from tests.training.pictures import TRIGGER, fill_folder
from training.errors import InvalidJob, TrainerUnavailable, TrainingFailed, TrainingInterrupted
from training.job import TrainingJob, make_job
from training.replicate.trainer import ReplicateTrainer
from training.trainer import Status

ROOT = Path(__file__).resolve().parents[3]
DESTINATION = "owner/samurai-badge-lora"
RUN = ("starting", "processing", "processing 400/1000", "processing 1000/1000", "succeeded")
Members = dict[str, bytes]
GOOD = "output/flux_train_replicate/lora.safetensors"


def lora_bytes(rank: int = 16) -> bytes:
    layer = "transformer.transformer_blocks.0.attn.to_q"
    tensors = {
        f"{layer}.lora_A.weight": np.full((rank, 32), 0.5, np.float16),
        f"{layer}.lora_B.weight": np.full((32, rank), 0.25, np.float16),
    }
    return save(tensors)


def tarred(members: Members, change: Callable[[tarfile.TarInfo], None] = lambda info: None) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            change(info)
            archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return out.getvalue()


@pytest.fixture
def fake() -> Iterator[FakeReplicate]:
    with FakeReplicate() as server:
        server.state.contents["trained.tar"] = tarred({"output/config.yaml": b"job: x", GOOD: lora_bytes()})
        server.state.plan = Plan(RUN, outputs=("trained.tar",), predict_s=1200.0)
        yield server


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return fill_folder(tmp_path_factory.mktemp("pictures"), count=8)


def job_for(data: Path, out: Path, **values: Any) -> TrainingJob:
    settings = default_settings()
    given = {"profile": "flux-dev", "destination": DESTINATION, **values}
    return make_job(settings.training, settings.prompt, data=data, out=out, **given)


def trainer_for(fake: FakeReplicate, data_dir: Path, **changes: Any) -> ReplicateTrainer:
    return ReplicateTrainer(quick(**changes), fake.state.token, fake.url, data_dir)


def spent(data_dir: Path) -> float:
    ledger = Ledger(data_dir / "replicate.sqlite", Limits(0, 0, 0, 0))
    month = ledger.spent()[1]
    ledger.close()
    return month


def started(fake: FakeReplicate) -> int:
    return fake.state.paid("trainings")


def test_a_training_from_pictures_to_a_lora_like_a_local_one(
    fake: FakeReplicate, pictures: Path, tmp_path: Path
) -> None:
    seen: list[Status] = []
    job = job_for(pictures, tmp_path / "out")
    lora = trainer_for(fake, tmp_path).train(job, seen.append)

    (held,) = fake.state.jobs.values()
    assert held.model == "ostris/flux-dev-lora-trainer"
    assert held.body["destination"] == DESTINATION
    assert fake.state.models[DESTINATION].visibility == "private"
    sent = held.body["input"]
    (file,) = fake.state.files.values()
    assert sent["input_images"] == file["urls"]["get"]
    assert (sent["trigger_word"], sent["steps"], sent["learning_rate"], sent["lora_rank"]) == (TRIGGER, 1000, 4e-4, 16)
    assert sent["autocaption"] is False, "captions lie in the archive"
    names = zipfile.ZipFile(io.BytesIO(fake.state.contents[file["id"]])).namelist()
    assert len(names) == 16
    assert "samurai_with_sword.png" in names
    assert "samurai_with_sword.txt" in names

    assert lora.path == job.lora_path
    card = read_card(lora.path)
    assert card == lora.card
    assert card is not None
    assert (card.trigger, card.base_model, card.rank, card.alpha) == (TRIGGER, "black-forest-labs/FLUX.1-dev", 16, 16.0)
    assert card.trainer == "ostris/flux-dev-lora-trainer:t1"
    assert len(card.data_sha256) == 64
    assert card.recipe["learning_rate"] == 4e-4
    assert "input_images" not in card.recipe
    assert lora.cost_usd == pytest.approx(1200 * 0.001525)
    assert spent(tmp_path) == pytest.approx(1200 * 0.001525)
    assert lora.hosted_model == DESTINATION
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["lora.safetensors", "training_data.zip"]

    stages = [status.stage for status in seen]
    assert stages[0].startswith("uploading")
    assert tuple(dict.fromkeys(stage for stage in stages if "MB" not in stage and stage != "succeeded")) == (
        "waiting for a machine",
        "preparing",
        "training",
    )
    assert (400, 1000) in [(status.step, status.steps) for status in seen]
    named = {status.step for status in seen if status.seconds_left is not None}
    assert named == {1000}, "the first reading holds the preparation"


def test_the_model_that_was_trained_draws_after_one_line_of_configuration(
    fake: FakeReplicate, pictures: Path, tmp_path: Path
) -> None:
    lora = trainer_for(fake, tmp_path).train(job_for(pictures, tmp_path / "out"))
    fake.state.models[DESTINATION].versions = {"trained": FINE_TUNE_INPUTS}
    fake.state.plan = Plan()
    settings = quick(model=lora.hosted_model)
    with ReplicateGenerator(settings, fake.state.token, fake.url, tmp_path) as generator:
        portrait = generator.generate(PortraitRequest("p", 1))
    assert (portrait.model.profile, portrait.model.revision) == (DESTINATION, "trained")


def test_the_fast_trainer_gets_its_own_inputs(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    fake.state.contents["trained.tar"] = tarred({"flux-lora/flux-lora.safetensors": lora_bytes(8)})
    lora = trainer_for(fake, tmp_path, trainer="replicate/fast-flux-trainer").train(job_for(pictures, tmp_path / "out"))
    (held,) = fake.state.jobs.values()
    assert held.body["input"] == {
        "input_images": held.body["input"]["input_images"],
        "trigger_word": TRIGGER,
        "lora_type": "style",
        "training_steps": 1000,
    }
    assert (lora.card.rank, lora.card.alpha) == (8, 8.0), "as the tensors say"


def test_an_archive_hosted_elsewhere_is_not_uploaded(fake: FakeReplicate, tmp_path: Path) -> None:
    fake.state.models[DESTINATION] = fake.state.models["owner/samurai"]
    job = job_for(tmp_path / "nothing", tmp_path / "out", data_url="https://example.org/data.zip")
    trainer_for(fake, tmp_path, trainer_inputs={"batch_size": 2}).train(job)
    (held,) = fake.state.jobs.values()
    assert held.body["input"]["input_images"] == "https://example.org/data.zip"
    assert held.body["input"]["autocaption"] is True
    assert held.body["input"]["batch_size"] == 2
    assert not fake.state.files


@pytest.mark.parametrize(
    ("values", "changes", "words"),
    [
        ({"destination": ""}, {}, "--destination is missing"),
        ({"destination": "nobody"}, {}, "write OWNER/NAME"),
        ({"profile": "demo"}, {}, "FLUX.1 dev only"),
        ({"data_url": "http://example.org/x.zip"}, {}, "must be an https address"),
        ({}, {"trainer_inputs": {"wings": 2}}, "has no input 'wings'"),
        ({"data": "no-such-folder"}, {}, "no such folder"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    fake: FakeReplicate, pictures: Path, tmp_path: Path, values: dict[str, Any], changes: dict[str, Any], words: str
) -> None:
    given = dict(values)
    data = Path(given.pop("data", pictures))
    with pytest.raises(InvalidJob, match=words):
        trainer_for(fake, tmp_path, **changes).train(job_for(data, tmp_path / "out", **given))
    assert not fake.state.files
    assert started(fake) == 0


@pytest.mark.parametrize("faults", [("429",), ("500", "502"), ("drop-before",), ("drop-after",), ("html",)])
def test_a_lost_answer_to_the_start_never_starts_two(
    fake: FakeReplicate, pictures: Path, tmp_path: Path, faults: tuple[str, ...]
) -> None:
    fake.state.fail("create", *faults)
    assert trainer_for(fake, tmp_path).train(job_for(pictures, tmp_path / "out")).path.exists()
    assert started(fake) == 1


@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "500", "502", "429", "html"])
def test_a_lost_answer_to_the_upload_is_no_matter(
    fake: FakeReplicate, pictures: Path, tmp_path: Path, fault: str
) -> None:
    fake.state.fail("upload", fault)
    trainer_for(fake, tmp_path).train(job_for(pictures, tmp_path / "out"))
    assert len(fake.state.files) == 1


def test_an_upload_that_is_there_is_not_sent_again(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    fake.state.fail("create", "402")
    trainer = trainer_for(fake, tmp_path)
    with pytest.raises(TrainerUnavailable, match="out of credit"):
        trainer.train(job_for(pictures, tmp_path / "out"))
    assert spent(tmp_path) == 0
    trainer.train(job_for(pictures, tmp_path / "out"))
    assert fake.state.calls("POST", "/files") == 1
    fake.state.files.clear()
    trainer.train(job_for(pictures, tmp_path / "other"))
    assert fake.state.calls("POST", "/files") == 2, "it had expired"


class StopAt:
    """A callback that asks to stop as Ctrl-C does, once `step` is reached."""

    def __init__(self, step: int) -> None:
        self.step = step

    def __call__(self, status: Status) -> None:
        if status.stage in ("training", "preparing") and status.step >= self.step:
            raise TrainingInterrupted("stopped")


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


def test_a_start_whose_fate_is_unknown_is_found_by_resume(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    fake.state.fail("create", "drop-after")
    fake.state.fail("list", *["500"] * 6)
    job = job_for(pictures, tmp_path / "out")
    with pytest.raises(TrainerUnavailable, match="run the same command with --resume, and nothing is paid twice"):
        trainer_for(fake, tmp_path).train(job)
    with pytest.raises(InvalidJob, match="may be running"):
        trainer_for(fake, tmp_path).train(job)
    assert trainer_for(fake, tmp_path).train(job.model_copy(update={"resume": True})).path.exists()
    assert started(fake) == 1


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


@pytest.mark.parametrize("faults", [("404",), ("403",), ("404", "403")])
def test_weights_that_are_not_there_at_first(
    fake: FakeReplicate, pictures: Path, tmp_path: Path, faults: tuple[str, ...]
) -> None:
    fake.state.fail("download", *faults)
    assert trainer_for(fake, tmp_path).train(job_for(pictures, tmp_path / "out")).path.exists()
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


def test_weights_that_cannot_be_fetched_now_are_fetched_by_resume(
    fake: FakeReplicate, pictures: Path, tmp_path: Path
) -> None:
    fake.state.fail("download", *["500"] * 3)
    job = job_for(pictures, tmp_path / "out")
    with pytest.raises(TrainerUnavailable, match="cannot be fetched"):
        trainer_for(fake, tmp_path, attempts=3).train(job)
    assert trainer_for(fake, tmp_path).train(job.model_copy(update={"resume": True})).path.exists()
    assert started(fake) == 1


def link(info: tarfile.TarInfo) -> None:
    info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"


ARCHIVES = {
    "traversal": (tarred({"../../evil.safetensors": lora_bytes()}), "points outside"),
    "absolute": (tarred({"/tmp/evil.safetensors": lora_bytes()}), "points outside"),
    "link": (tarred({GOOD: b""}, link), "is a link"),
    "two": (tarred({"a.safetensors": lora_bytes(), "b.safetensors": lora_bytes()}), "holds 2 .safetensors"),
    "none": (tarred({"readme.md": b"hello"}), "holds no .safetensors"),
    "pickle beside": (tarred({GOOD: lora_bytes(), "output/optimizer.pt": b"x"}), "holds a pickle"),
    "pickle inside": (tarred({GOOD: pickle.dumps({"a": 1}) + bytes(64)}), "not a safetensors file"),
    "cut": (tarred({GOOD: lora_bytes()})[:700], "damaged"),
    "no archive": (b"<html>not found</html>" * 100, "damaged"),
    "empty": (b"", "damaged"),
}


@pytest.mark.parametrize("name", list(ARCHIVES))
def test_an_archive_that_is_not_what_it_should_be_leaves_nothing(
    fake: FakeReplicate, pictures: Path, tmp_path: Path, name: str
) -> None:
    fake.state.contents["trained.tar"], words = ARCHIVES[name]
    job = job_for(pictures, tmp_path / "out")
    with pytest.raises(TrainingFailed, match=words):
        trainer_for(fake, tmp_path).train(job)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["training_data.zip"]
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix == ".safetensors") == []


def test_a_training_over_the_budget_is_not_begun(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainerUnavailable, match=r"budget of \$2.00 a day is used up .* until"):
        trainer_for(fake, tmp_path, budget_day_usd=2.0).train(job_for(pictures, tmp_path / "out"))
    assert not fake.state.files


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


def test_the_token_goes_to_the_api_alone(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    trainer_for(fake, tmp_path).train(job_for(pictures, tmp_path / "out"))
    delivered = [headers for _, path, headers in fake.state.served if path.startswith("/delivery/")]
    assert delivered
    assert not any(fake.state.token in str(headers) for headers in delivered)


def test_of_two_that_start_the_same_training_at_once_one_does(
    fake: FakeReplicate, pictures: Path, tmp_path: Path
) -> None:
    uploading, go_on = threading.Event(), threading.Event()

    def slowly(status: Status) -> None:
        if "uploading" in status.stage:
            uploading.set()
            go_on.wait(20)

    job = job_for(pictures, tmp_path / "out")
    first = threading.Thread(target=trainer_for(fake, tmp_path).train, args=(job, slowly))
    first.start()
    assert uploading.wait(20)
    with pytest.raises(TrainerUnavailable, match="another process is starting"):
        trainer_for(fake, tmp_path).train(job)
    go_on.set()
    first.join()
    assert started(fake) == 1
    assert job.lora_path.exists()
