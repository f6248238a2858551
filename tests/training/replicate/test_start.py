"""A training at Replicate is started once, whatever happens to the answers, and only within the budget."""

import threading
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.replicate_api import FakeReplicate
from tests.training.replicate.parts import job_for, spent, started, trainer_for
from training.errors import InvalidJob, TrainerUnavailable
from training.trainer import Status


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


def test_a_training_over_the_budget_is_not_begun(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainerUnavailable, match=r"budget of \$2.00 a day is used up .* until"):
        trainer_for(fake, tmp_path, budget_day_usd=2.0).train(job_for(pictures, tmp_path / "out"))
    assert not fake.state.files


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
