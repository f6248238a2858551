"""A whole training on a tiny FLUX in this process: what it writes, what it costs, and every bad input."""

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
from configs import default_settings
from inference.lora.card import read_card
from inference.lora.source import find_lora
from inference.lora.weights import read_lora
from tests.training.pictures import TRIGGER, fill_folder, job_for
from training.errors import InvalidJob, TrainerUnavailable, TrainingFailed
from training.local.trainer import LocalTrainer
from training.run import main
from training.trainer import Status, TrainedLora

pytestmark = pytest.mark.usefixtures("tiny")


def train(on_status: object = None, **values: object) -> TrainedLora:
    return LocalTrainer(default_settings()).train(job_for(**values), on_status)  # type: ignore[arg-type]


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


def test_a_diverging_run_stops_and_names_the_last_good_lora(six_pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match=r"diverged at step \d+: .*lower --lr than 1"):
        train(data=six_pictures, out=tmp_path / "out", learning_rate=1.0, warmup=0, targets="proj_out")
    assert not (tmp_path / "out" / "lora.safetensors").exists()


def test_a_lora_without_effect_is_refused(six_pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingFailed, match="no measurable effect"):
        train(data=six_pictures, out=tmp_path / "out", learning_rate=1e-12, steps=2)
    assert not (tmp_path / "out" / "lora.safetensors").exists()


def test_a_full_disk_leaves_the_last_checkpoint_whole(
    six_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import resource

    out = tmp_path / "out"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def disk_fills(status: Status) -> None:
        if status.step == 5:
            resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))

    import signal

    old = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        with pytest.raises(TrainingFailed, match=r"cannot save .*File too large"):
            train(disk_fills, data=six_pictures, out=out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, old)
    assert [p.name for p in (out / "checkpoints").iterdir()] == ["step-000004.safetensors"]
    assert train(data=six_pictures, out=out, resume=True).path.exists()


def test_a_missing_base_and_a_device_that_is_not_here(six_pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainerUnavailable, match="the weights of a tiny FLUX are not available"):
        train(data=six_pictures, out=tmp_path / "a", profile="gone")
    if not torch.cuda.is_available():
        with pytest.raises(InvalidJob, match="no CUDA card here"):
            train(data=six_pictures, out=tmp_path / "b", device="cuda")
    assert list(tmp_path.iterdir()) == []


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--data", "nowhere"], "no such folder: nowhere"),
        (["--lr", "nan"], "learning_rate = nan"),
        (["--lr", "5"], "learning_rate = 5.0: input should be less than or equal to 1"),
        (["--steps", "0"], "steps = 0"),
        (["--rank", "0"], "rank = 0"),
        (["--resolution", "big"], "--resolution 'big'"),
        (["--resolution", "500"], "sizes are multiples of 16"),
        (["--profile", "tini"], "unknown profile 'tini': did you mean tiny"),
        (["--trigger", "two words"], "one word"),
        (["--export", "gguf"], "invalid choice"),
        (["--out", "{file}/lora"], "not a folder"),
        (["--out", "{full}"], "is not empty"),
        (["--config", "nowhere.toml"], "no such config file"),
    ],
)
def test_bad_usage_is_one_line_and_writes_nothing(
    arguments: list[str], said: str, six_pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "holiday.jpg").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    filled = [a.format(file=tmp_path / "file", full=tmp_path / "full") for a in arguments]
    given = ["--data", str(six_pictures), "--out", str(tmp_path / "out"), "--profile", "tiny", *filled]
    try:
        code = main(given)
    except SystemExit as stop:
        code = int(str(stop.code))
    error = capsys.readouterr().err
    assert code == 2
    assert said in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert sorted(tmp_path.rglob("*")) == before


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


def test_a_signal_stops_at_the_next_step_and_says_how_to_go_on() -> None:
    import signal

    from training.commands.run import _Bar
    from training.errors import TrainingInterrupted

    with _Bar(10) as bar:
        bar(Status("training", 1, 10))
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(TrainingInterrupted, match="stopped by SIGTERM at step 2; go on with --resume"):
            bar(Status("training", 2, 10))
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_what_needs_more_than_this_machine_has(six_pictures: Path, tmp_path: Path) -> None:
    from importlib.util import find_spec

    for missing in ("tensorboard", "trackio"):
        if find_spec(missing) is None:
            with pytest.raises(InvalidJob, match=f"pip install {missing}"):
                train(data=six_pictures, out=tmp_path / "out", tracker=missing)
    with pytest.raises(InvalidJob, match="needs a CUDA card"):
        train(data=six_pictures, out=tmp_path / "out", plan="nf4")
    assert not (tmp_path / "out").exists()


def test_too_few_pictures(tmp_path: Path) -> None:
    with pytest.raises(InvalidJob, match="at least 5"):
        train(data=fill_folder(tmp_path / "few", 3), out=tmp_path / "out")
    assert not (tmp_path / "out").exists()
