"""`python -m training.run --data DIR`: what it says before, while and after, and `--install`, on a tiny FLUX."""

import re
import tomllib
from pathlib import Path

import pytest

from configs import load_settings
from tests.training.pictures import TRIGGER
from training.run import main

QUICK = {
    "GENERATOR__PROFILE": "tiny", "TRAINING__STEPS": "12", "TRAINING__RESOLUTIONS": "[64]", "TRAINING__SAVE_EVERY": "6",
    "TRAINING__SAMPLE_EVERY": "6", "TRAINING__SAMPLE_OBJECTS": '["kite"]', "TRAINING__LOG_EVERY": "3",
    "TRAINING__RANK": "4", "TRAINING__LEARNING_RATE": "0.005", "TRAINING__WARMUP": "2", "TRAINING__THREADS": "1",
}  # fmt: skip
SAMPLE = "samples/step-000012/1.png"


@pytest.fixture
def here(tiny: Path, six_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to run in, with `photos`, where a training takes a second."""
    for name, value in QUICK.items():
        monkeypatch.setenv(f"BADGE_{name}", value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").symlink_to(six_pictures)
    return tmp_path


def test_with_data_alone_it_says_all_before_and_ends_with_the_line_for_the_bot(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--data", "photos"]) == 0
    lines = capsys.readouterr().err.splitlines()
    out = f"loras/{TRIGGER}"
    before = lines[: next(n for n, line in enumerate(lines) if "newest sample" in line)]
    assert before[0] == "pictures  6 of 6 objects from photos; 1 of them judge the checkpoints and are not trained on"
    said = "\n".join(before)
    for part in (
        f"base      a tiny FLUX; trigger {TRIGGER}, a LoRA of rank 4\n",
        "steps     12 of 1 picture: each about 2 times at each size, 64 px\n",
        "memory    fp32 base, no checkpointing; predicted peak 0.",
        "GB; this machine has ",
        "minutes are named after ten measured steps",
        f"into {out} and nowhere else:",
        "samples.html, samples/",
        "1 badge before the first step and every 6 steps",
    ):
        assert part in said
    assert len(before) <= 24
    assert all(len(line) <= 120 for line in before)
    assert not re.search(r"\d+(\.\d)? (hours?|minutes?|seconds?)", said), "nothing was measured yet"
    written = {line.split()[0] for line in before if re.match(r" {12}\w", line)}
    assert {Path(name.rstrip(",")).name for name in written} <= {path.name for path in (here / out).iterdir()}

    told = [line.removeprefix("newest sample: ") for line in lines if line.startswith("newest sample: ")]
    assert told == [f"{out}/samples/step-{step:06d}/1.png" for step in (0, 6, 12)]
    assert all((here / path).is_file() for path in told)
    assert [line for line in lines if "a step, about" in line]

    assert lines[-1].endswith(f'[local] lora = "{out}/lora.safetensors"')
    assert len([line for line in lines if "[local]" in line]) == 1


def test_the_size_of_the_lora_and_of_a_checkpoint_is_what_is_said(here: Path) -> None:
    from training.commands.run import job_from
    from training.local.base import open_base
    from training.local.outline import _size
    from training.local.trainer import base_profile
    from training.run import build_parser

    args = build_parser().parse_args(["--data", "photos", "--rank", "256"])
    job = job_from(args, load_settings(None))
    assert main(["--data", "photos", "--rank", "256", "--steps", "2"]) == 0
    for file, each in ((job.lora_path, 2), (next((job.out / "checkpoints").iterdir()), 16)):
        said = re.fullmatch(r", (\d+) MB", _size(job, open_base(base_profile("tiny")), each))
        assert said
        assert file.stat().st_size / 1e6 == pytest.approx(int(said[1]), rel=0.2)


def test_install_writes_the_settings_of_the_bot_and_keeps_what_stands_there(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    own = here / "own.toml"
    own.write_text('# the bot of the office\n[local]\nlora = "none"  # until ours is trained\n\n[bot]\nchoices = 3\n')
    own.chmod(0o640)
    given = ["--data", "photos", "--trigger", "fox_style", "--out", "fox"]
    assert main([*given, "--install", "own.toml"]) == 0
    lora = here / "fox" / "lora.safetensors"
    assert own.read_text() == (
        f'# the bot of the office\n[local]\nlora = "{lora}"  # until ours is trained\n\n[bot]\nchoices = 3\n'
        '\n[prompt]\ntrigger = "fox_style"\n\n[generator]\nprofile = "tiny"\n'
    )
    assert own.stat().st_mode & 0o777 == 0o640
    assert capsys.readouterr().err.splitlines()[-1] == "own.toml has it now: python -m bot --config own.toml"
    monkeypatch.delenv("BADGE_GENERATOR__PROFILE")
    settings = load_settings(own)
    assert (settings.local.lora, settings.prompt.trigger, settings.generator.profile) == (
        str(lora),
        "fox_style",
        "tiny",
    )

    # Finished before, into a new file: the name that the guide uses.
    assert main([*given, "--profile", "tiny", "--resume", "--install"]) == 0
    assert tomllib.loads((here / "my.toml").read_text())["local"] == {"lora": str(lora)}
    assert sorted(path.name for path in here.iterdir()) == ["fox", "my.toml", "own.toml", "photos"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("local = { steps = 4 }\n", 'write lora = ".*fox/lora.safetensors" under [local] there yourself'),
        ("[local\n", "not valid TOML"),
        ("[local]\nlorra = 1\n", "unknown key 'lorra'"),
        ('[generator]\nkind = "replicate"\n', "which does not draw with this LoRA"),
        ('[generator]\nkind = "demo"\n', "which does not draw with this LoRA"),
        (None, "name a settings file in a folder that exists"),
    ],
)
def test_a_file_that_cannot_take_it_is_refused_before_the_training(
    text: str | None, said: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (here / "own.toml").write_text(text)
    assert main(["--data", "photos", "--out", "fox", "--install", "own.toml" if text else "no/own.toml"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert re.search(re.escape(said).replace(r"\.\*", ".*"), line)
    assert not (here / "fox").exists()
    assert text is None or (here / "own.toml").read_text() == text
