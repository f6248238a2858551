"""The trained weights are fetched from Replicate, checked, and leave nothing where they are no LoRA."""

import pickle
import tarfile
from pathlib import Path

import pytest

from tests.fakes.replicate_api import FakeReplicate
from tests.training.replicate.parts import GOOD, job_for, lora_bytes, started, tarred, trainer_for
from training.errors import TrainerUnavailable, TrainingFailed


@pytest.mark.parametrize("faults", [("404",), ("403",), ("404", "403")])
def test_weights_that_are_not_there_at_first(
    fake: FakeReplicate, pictures: Path, tmp_path: Path, faults: tuple[str, ...]
) -> None:
    fake.state.fail("download", *faults)
    assert trainer_for(fake, tmp_path).train(job_for(pictures, tmp_path / "out")).path.exists()
    assert started(fake) == 1


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


def test_the_token_goes_to_the_api_alone(fake: FakeReplicate, pictures: Path, tmp_path: Path) -> None:
    trainer_for(fake, tmp_path).train(job_for(pictures, tmp_path / "out"))
    delivered = [headers for _, path, headers in fake.state.served if path.startswith("/delivery/")]
    assert delivered
    assert not any(fake.state.token in str(headers) for headers in delivered)
