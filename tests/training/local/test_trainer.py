"""A whole training on a tiny FLUX in this process: what it writes, what it learned, and where its base comes from."""

import json
import re
import shutil
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

import inference.models.profiles
from inference.lora.card import read_card
from inference.lora.source import find_lora
from inference.lora.weights import read_lora
from tests.training.local.parts import train
from tests.training.pictures import TRIGGER, job_for
from training.errors import TrainerUnavailable
from training.run import main
from training.trainer import Status, TrainedLora

pytestmark = pytest.mark.usefixtures("tiny")


@pytest.fixture(scope="module")
def trained(
    profiles: Path, six_pictures: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[TrainedLora, list[Status]]:
    """One training with samples, strangers and the ComfyUI form; told statuses beside it."""
    out = tmp_path_factory.mktemp("trained") / "out"
    told: list[Status] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(inference.models.profiles, "FOLDER", profiles)
        inference.models.profiles.load_profile.cache_clear()
        lora = train(
            told.append, data=six_pictures, out=out, export=("comfyui",), sample_every=8, sample_objects=("kite",),
            preserve=0.3, preserve_pictures=2, alpha=2.0,
        )  # fmt: skip
    return lora, told


def test_the_folder_holds_all_that_was_promised(trained: tuple[TrainedLora, list[Status]]) -> None:
    lora, told = trained
    out = lora.path.parent
    assert {path.name for path in out.iterdir()} >= {
        "lora.safetensors", "lora-comfyui.safetensors", "loss.csv", "loss.png", "samples.html", "scores.csv",
    }  # fmt: skip
    assert [p.name for p in sorted((out / "checkpoints").iterdir())] == [
        "step-000008.safetensors",
        "step-000012.safetensors",
    ]
    for step in (0, 8, 12):
        with Image.open(out / "samples" / f"step-{step:06d}" / "1.png") as sample:
            assert sample.size == (512, 512)
    page = (out / "samples.html").read_text()
    assert page.count("<tr>") == 4
    assert "without LoRA" in page
    with Image.open(out / "loss.png") as chart:
        assert chart.size == (1200, 600)
    assert len((out / "loss.csv").read_text().splitlines()) == 1 + 4
    steps = [status.step for status in told if status.stage == "training"]
    assert steps == list(range(1, 13))


def test_the_header_says_what_it_is(trained: tuple[TrainedLora, list[Status]], six_pictures: Path) -> None:
    lora, _ = trained
    card = read_card(lora.path)
    assert card == lora.card
    assert (card.trigger, card.family, card.rank, card.alpha) == (TRIGGER, "flux1", 4, 2.0)
    assert card.base_model == "tiny"
    assert card.steps in (4, 8, 12)
    assert card.recipe["learning_rate"] == 5e-3
    assert len(card.data_sha256) == 64
    assert len(card.base_revision) == 16


def test_both_forms_mean_the_same_change(trained: tuple[TrainedLora, list[Status]], profiles: Path) -> None:
    """Applied by the bot's own reader, alpha different from rank, the two files change each layer alike."""
    from diffusers import FluxTransformer2DModel

    from inference.lora.merge import shapes_of

    lora, _ = trained
    base = FluxTransformer2DModel.from_pretrained(profiles.parent / "tiny", subfolder="transformer")
    shapes = shapes_of({"transformer": base})
    changes = []
    for path in (lora.path, *lora.exports):
        parts = read_lora(find_lora(str(path)), shapes, "flux1").parts
        changes.append({part.layer: part.change() for part in parts})
    assert changes[0].keys() == changes[1].keys()
    assert len(changes[0]) == 2 * 12 + 2 * 5
    assert "proj_out" not in changes[0]
    for layer, change in changes[0].items():
        torch.testing.assert_close(change, changes[1][layer], rtol=2e-3, atol=1e-6)
    with safe_open(lora.exports[0], "pt") as file:
        assert "lora_unet_double_blocks_0_img_attn_qkv.lora_down.weight" in file.keys()  # noqa: SIM118
        assert file.metadata()["ss_base_model_version"] == "flux1"


def test_it_learned_something_and_says_why(trained: tuple[TrainedLora, list[Status]]) -> None:
    lora, _ = trained
    rows = [row.split(",") for row in (lora.path.parent / "scores.csv").read_text().splitlines()[1:]]
    assert [int(row[0]) for row in rows] == [4, 8, 12]
    assert any("below the base's" in reason for reason in lora.reasons)
    assert any("read back" in reason for reason in lora.reasons)


def test_finished_is_finished(trained: tuple[TrainedLora, list[Status]], six_pictures: Path) -> None:
    lora, _ = trained
    before = lora.path.read_bytes()
    again = train(
        data=six_pictures, out=lora.path.parent, export=("comfyui",), sample_every=8, sample_objects=("kite",),
        preserve=0.3, preserve_pictures=2, alpha=2.0, resume=True,
    )  # fmt: skip
    assert again.reasons == ("it was finished before: nothing is left to do",)
    assert again.exports == lora.exports
    assert lora.path.read_bytes() == before


def test_flux2_trains_by_the_same_code(six_pictures: Path, tmp_path: Path) -> None:
    lora = train(data=six_pictures, out=tmp_path / "out", profile="tiny2", steps=4, export=("comfyui",))
    assert lora.card.family == "flux2"
    assert any("transformer_blocks.0.attn.to_qkv_mlp_proj" in name for name in load_file(lora.path))


def test_pairs_are_kept_and_nothing_is_encoded_twice(six_pictures: Path, tmp_path: Path) -> None:
    from training.dataset.captions import CaptionRule
    from training.dataset.checks import load_data_set
    from training.local.base import open_base
    from training.local.prepare import prepare
    from training.local.trainer import base_profile

    job = job_for(data=six_pictures, out=tmp_path)
    data = load_data_set(six_pictures, CaptionRule(job.trigger, job.base_prompt, job.style_words))
    base = open_base(base_profile("tiny"))
    cpu = torch.device("cpu")

    def cached() -> dict[str, int]:
        files = (tmp_path / "cache").rglob("*.safetensors")
        return {file.name: file.stat().st_mtime_ns for file in files}

    first = prepare(job, data, base, cpu, torch.float32, lambda: None)
    made = cached()
    prepare(job, data, base, cpu, torch.float32, lambda: None)
    assert made
    assert cached() == made, "nothing is encoded twice"
    # In another order of names, the pairs are the same: a picture is found by its content.
    moved = tmp_path / "moved"
    moved.mkdir()
    for number, picture in enumerate(sorted(six_pictures.glob("*.png"), reverse=True)):
        (moved / f"{number}.png").write_bytes(picture.read_bytes())
        (moved / f"{number}.txt").write_bytes(picture.with_suffix(".txt").read_bytes())
    other = prepare(job, load_data_set(moved, data.rule), base, cpu, torch.float32, lambda: None)
    # Only strangers' prompts, which take the objects in the names' order, are new.
    assert cached().items() >= made.items()
    assert len(cached()) - len(made) <= 6

    def pairs(ready: object) -> set[tuple[int, int]]:
        return {
            (hash(tokens.mean.numpy().tobytes()), hash(ready.captions[number].embeds.numpy().tobytes()))  # type: ignore[attr-defined]
            for (number, size, _), tokens in ready.tokens.items()  # type: ignore[attr-defined]
            if size == 0
        }

    assert len(pairs(first)) == 5
    assert pairs(first) == pairs(other)


COMMIT = "c0ffee" * 6 + "c0ff"


@pytest.fixture
def on_hub(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The profile `hub`, the tiny FLUX as `someone/tiny-flux` in the Hub's cache; the Hub itself is out of reach."""
    copy = tmp_path / "profiles"
    shutil.copytree(tiny, copy)
    text = (tiny / "tiny.toml").read_text()
    (copy / "hub.toml").write_text(re.sub(r'folder = ".*"', 'repo = "someone/tiny-flux"\nsize = "flux1"', text))
    monkeypatch.setattr(inference.models.profiles, "FOLDER", copy)
    repository = tmp_path / "hub" / "models--someone--tiny-flux"
    shutil.copytree(tiny.parent / "tiny", repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    return repository / "snapshots" / COMMIT


def test_a_base_in_the_hubs_cache_trains_without_network(
    on_hub: Path, six_pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "training")
    hub, folder = (
        train(data=six_pictures, out=tmp_path / f"by-{name}", profile=name, steps=2) for name in ("hub", "tiny")
    )
    assert "asking the Hub" not in caplog.text
    assert (hub.card.base_model, hub.card.base_revision) == ("someone/tiny-flux", COMMIT)
    ours, theirs = load_file(hub.path), load_file(folder.path)
    assert ours.keys() == theirs.keys()
    assert all(tensor.equal(theirs[name]) for name, tensor in ours.items())


def test_a_base_that_cannot_be_fetched_is_said_with_the_way_out(
    on_hub: Path, six_pictures: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "training")
    shutil.rmtree(on_hub)
    with pytest.raises(TrainerUnavailable, match="are not on this disk and the Hub cannot be reached"):
        train(data=six_pictures, out=tmp_path / "out", profile="hub")
    assert caplog.messages[0] == "a tiny FLUX is not on this disk: asking the Hub for someone/tiny-flux"
    assert not (tmp_path / "out").exists()


def test_a_second_start_without_resume_is_refused(
    trained: tuple[TrainedLora, list[Status]], six_pictures: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = trained[0].path.parent
    assert main(["--data", str(six_pictures), "--out", str(out), "--profile", "tiny"]) == 2
    assert "go on with --resume" in capsys.readouterr().err
    assert main(["--data", str(six_pictures), "--out", str(out), "--profile", "tiny", "--resume"]) == 2
    error = capsys.readouterr().err
    assert "cannot go on in" in error
    assert "batch was 2, is 1" in error


def test_job_json_is_readable(trained: tuple[TrainedLora, list[Status]]) -> None:
    whole = json.loads((trained[0].path.parent / "job.json").read_text())
    assert whole["recipe"]["rank"] == 4
    assert len(whole["pictures"]) == 6
