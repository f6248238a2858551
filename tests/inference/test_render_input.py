"""Bad input to the command line is one line and exit code 2, and nothing is written."""

import os
import pickle
from collections.abc import Sequence

import pytest
from PIL import Image

from tests.inference.parts import DEMO, SCOUT, Shell

PICKLE = pickle.dumps({"weights": [1.0, 2.0]}, protocol=4)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--object", "", "--text", "HI"], "the object is empty"),
        (["--object", "lamp", "--text", " "], "text"),
        (["--object", "x" * 81, "--text", "HI"], "81 characters long: at most 80"),
        (["--object", "lamp", "--text", "x" * 41], "40"),
        (["--object", "la\x07mp", "--text", "HI"], "control characters"),
        (["--object", "lamp"], "--text is missing"),
        (["--object", "lamp", "--text", "\U00013000"], "no font here can draw"),
        ([*SCOUT, "--style", "ribon"], "unknown banner style 'ribon': did you mean ribbon"),
        ([*SCOUT, "--profile", "flux-dew"], "unknown profile 'flux-dew': did you mean flux-dev"),
        ([*SCOUT, "--generator", "locl"], "unknown generator 'locl': did you mean local"),
        ([*SCOUT, "--generator", ""], "unknown generator ''"),
        ([*SCOUT, "--tier", ""], "unknown tier ''"),
        ([*SCOUT, "--config", "gone.toml"], "no such config file: gone.toml"),
        ([*SCOUT, "--config", "bad.toml"], "bad.toml, line 2: unknown key 'stile': did you mean style"),
        ([*SCOUT, "--lora", "gone.safetensors"], "no such LoRA file: gone.safetensors"),
        ([*SCOUT, "--lora", "pickle.safetensors"], "not a safetensors file: pickle.safetensors"),
        ([*SCOUT, "--seed", "-1"], "seed -1 is out of range"),
        ([*SCOUT, "--seed", "4294967295", "--count", "2"], "seed 4294967296 is out of range"),
        ([*SCOUT, "--count", "0"], "--count 0"),
        ([*SCOUT, "--count", "many"], "invalid int value: 'many'"),
        ([*SCOUT, "--colour", "red"], "unrecognized arguments: --colour red"),
        ([*SCOUT, "--out", "badge.gif"], "--out badge.gif: name a .png file"),
        ([*SCOUT, "--out", "file/badge.png"], "file is not a folder"),
        (["--batch", "gone.csv", "--out", "set"], "no such batch file: gone.csv"),
        (["--batch", "columns.csv", "--out", "set"], "the column 'text' is missing"),
        (["--batch", "columns.csv"], "--batch needs --out DIR"),
        (["--batch", "columns.csv", "--out", "set", "--object", "lamp"], "leave --object out"),
        (["--batch", "columns.csv", "--out", "set", "--count", "2", "--like", "a.png"], "leave --like, --count out"),
        (["--like", "gone.png"], "no such badge: gone.png"),
        (["--like", "file"], "not a readable PNG: file"),
        (["--like", "plain.png"], "does not say how it was made"),
    ],
)
def test_bad_input_is_one_line_exit_2_and_nothing_written(shell: Shell, argv: Sequence[str], said: str) -> None:
    (shell.folder / "file").write_text("a file")
    (shell.folder / "bad.toml").write_text('[banner]\nstile = "arc"\n')
    (shell.folder / "columns.csv").write_text("object\nlamp\n")
    (shell.folder / "pickle.safetensors").write_bytes(PICKLE)
    Image.new("RGB", (8, 8)).save(shell.folder / "plain.png")
    before = shell.files()
    result = shell(*argv, *([] if "--generator" in argv or "--profile" in argv else DEMO))
    assert result.code == 2
    assert len(result.err.splitlines()) == 1, result.err
    assert result.err.startswith("error: ")
    assert said in result.err
    assert result.out == ""
    assert shell.files() == before


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([*SCOUT, "--lora", "gone.safetensors"], "no such LoRA file: gone.safetensors"),
        (["--object", "абракадабрище", "--text", "HI"], "the demo FLUX cannot draw 'абракадабрище'"),
    ],
)
def test_bad_input_is_one_line_where_the_generator_is_chosen_too(
    shell: Shell, argv: Sequence[str], said: str, caplog: pytest.LogCaptureFixture
) -> None:
    result = shell(*argv)
    assert caplog.records == []
    assert (result.code, shell.files()) == (2, [])
    assert len(result.err.splitlines()) == 1, result.err
    assert said in result.err


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(shell: Shell) -> None:
    locked = shell.folder / "locked"
    locked.mkdir(mode=0o500)
    result = shell(*SCOUT, *DEMO, "--out", "locked/badge.png")
    assert result.code == 2
    assert "cannot write into locked" in result.err
