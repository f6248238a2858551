"""Killed anywhere and resumed, a training ends bit-equal; stopped politely too; something else is refused."""

import random
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tests.training.pictures import fill_folder, job_for
from tests.training.runner import run

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture(scope="module")
def unbroken(profiles: Path, six_pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken") / "out"
    assert run(profiles, data=six_pictures, out=out) == 0
    return out


def same_end(one: Path, other: Path) -> None:
    """LoRA bytes, the last checkpoint's every tensor, and the loss table (but for times) are equal."""
    assert (one / "lora.safetensors").read_bytes() == (other / "lora.safetensors").read_bytes()
    ours, theirs = (load_file(p / "checkpoints" / "step-000012.safetensors") for p in (one, other))
    assert ours.keys() == theirs.keys()
    for name, tensor in ours.items():
        assert tensor.equal(theirs[name]), name
    tables = [[row.rsplit(",", 1)[0] for row in (p / "loss.csv").read_text().splitlines()] for p in (one, other)]
    assert tables[0] == tables[1]
    assert (one / "scores.csv").read_text() == (other / "scores.csv").read_text()


def test_killed_at_random_steps_ends_bit_equal(
    profiles: Path, six_pictures: Path, unbroken: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    steps = sorted(random.sample(range(1, 12), 3))
    for step in steps:
        assert run(profiles, data=six_pictures, out=out, resume=True, kill_at=step) == -9, steps
    assert run(profiles, data=six_pictures, out=out, resume=True) == 0
    same_end(unbroken, out)


def test_killed_while_saving_ends_bit_equal(profiles: Path, six_pictures: Path, unbroken: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(profiles, data=six_pictures, out=out, kill_in_save=8) == -9
    assert [p.name for p in (out / "checkpoints").glob("step-*")] == ["step-000004.safetensors"]
    assert run(profiles, data=six_pictures, out=out, resume=True) == 0
    same_end(unbroken, out)


def test_a_stop_saves_at_that_very_step(profiles: Path, six_pictures: Path, unbroken: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(profiles, data=six_pictures, out=out, stop_at=7) == 3
    assert (out / "checkpoints" / "step-000007.safetensors").exists()
    assert run(profiles, data=six_pictures, out=out, resume=True) == 0
    same_end(unbroken, out)


def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(
    profiles: Path, six_pictures: Path, unbroken: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert run(profiles, data=six_pictures, out=out, kill_at=10) == -9
    newest = out / "checkpoints" / "step-000008.safetensors"
    newest.write_bytes(newest.read_bytes()[:1000])
    assert run(profiles, data=six_pictures, out=out, resume=True) == 0
    same_end(unbroken, out)


def test_two_at_once_in_one_folder_are_refused(profiles: Path, six_pictures: Path, tmp_path: Path) -> None:
    """While one trains, a second goes neither on nor anew there; once the first is gone, however it went, it may."""
    from configs import default_settings
    from training.errors import InvalidJob
    from training.local.trainer import LocalTrainer
    from training.trainer import Status

    out, job = tmp_path / "out", {"data": six_pictures, "out": tmp_path / "out"}
    refused = []

    def meanwhile(status: Status) -> None:
        if status.step == 5 and status.stage == "training":
            for resume in (True, False):
                with pytest.raises(InvalidJob, match="another training is running in ") as problem:
                    LocalTrainer(default_settings()).train(job_for(resume=resume, **job))
                refused.append(str(problem.value))
            assert run(profiles, resume=True, **job) == 1

    LocalTrainer(default_settings()).train(job_for(**job), meanwhile)
    assert len(refused) == 2
    assert str(out) in refused[0]
    assert run(profiles, resume=True, **job) == 0


def test_what_changed_is_named(profiles: Path, tmp_path: Path) -> None:
    from configs import default_settings
    from training.errors import ResumeRefused
    from training.local.trainer import LocalTrainer

    data, out = fill_folder(tmp_path / "data"), tmp_path / "out"
    assert run(profiles, data=data, out=out, kill_at=2) == -9
    trainer = LocalTrainer(default_settings())
    before = sorted(out.rglob("*"))

    def refused(**values: object) -> str:
        with pytest.raises(ResumeRefused) as problem:
            trainer.train(job_for(data=data, out=out, resume=True, **values))
        assert sorted(out.rglob("*")) == before
        return str(problem.value)

    assert "learning_rate was 0.005, is 0.001" in refused(learning_rate=1e-3)
    caption = data / "samurai_with_sword.txt"
    caption.write_text(caption.read_text().replace("sword", "katana"))
    assert "the caption of samurai_with_sword.png changed" in refused()
    caption.unlink()
    (data / "samurai_with_sword.png").rename(data / "samurai_with_katana.png")
    assert "samurai_with_sword.png is gone; samurai_with_katana.png is new" in refused()


@pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"recipe": 5}', "\x00" * 40])
def test_an_empty_job_file_is_no_reason_to_start_again(
    content: str, six_pictures: Path, unbroken: Path, tmp_path: Path
) -> None:
    from training.errors import ResumeRefused
    from training.job import TrainingJob
    from training.local.artifacts.checkpoint import newest, read_state
    from training.local.artifacts.output import claim

    out = Path(shutil.copytree(unbroken, tmp_path / "out"))
    (out / "job.json").write_text(content)
    last = newest(out / "checkpoints")
    assert last
    mine = read_state(last).belongs_to
    job: TrainingJob = job_for(data=six_pictures, out=out, resume=True)
    with claim(job, mine):
        pass
    with pytest.raises(ResumeRefused, match="the base model's weights changed"), claim(job, mine | {"base": "other"}):
        pass
    shutil.rmtree(out / "checkpoints")
    with pytest.raises(ResumeRefused, match="nor is there a whole checkpoint"), claim(job, mine):
        pass
