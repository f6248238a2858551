"""A local training that cannot start or go on: what is said, and what is left on the disk."""

from pathlib import Path

import pytest
import torch

from tests.training.local.parts import train
from tests.training.pictures import fill_folder
from training.errors import InvalidJob, TrainerUnavailable, TrainingFailed
from training.run import main
from training.trainer import Status

pytestmark = pytest.mark.usefixtures("tiny")


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
