"""Training at Replicate against the fake of its API: a LoRA that is like a local one, and what each trainer gets."""

import io
import zipfile
from pathlib import Path

import pytest

from inference.lora.card import read_card
from inference.replicate.generator import ReplicateGenerator
from inference.types import PortraitRequest
from tests.fakes.replicate_api import FakeReplicate
from tests.fakes.replicate_client import quick
from tests.fakes.replicate_jobs import FINE_TUNE_INPUTS, Plan
from tests.training.pictures import TRIGGER
from tests.training.replicate.parts import DESTINATION, job_for, lora_bytes, spent, tarred, trainer_for
from training.trainer import Status


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
