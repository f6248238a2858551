"""The command line as a person uses it, drawn by the demo FLUX: a step or two, real files, real exit codes."""

import io
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from inference import render
from inference.output.recipe import CHUNK, read_recipe

DEMO = ("--generator", "demo")
SCOUT = ("--object", "telescope", "--text", "UX SCOUT")


@dataclass
class Result:
    code: int
    out: str
    err: str

    @property
    def badges(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Shell:
    """Runs the command in a folder of its own; few steps, so that a badge takes a moment."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def __call__(self, *argv: str) -> Result:
        self._capsys.readouterr()
        try:
            code = render.main(argv)
        except SystemExit as stop:
            code = int(stop.code or 0)
        said = self._capsys.readouterr()
        return Result(code, said.out, said.err)

    def files(self) -> list[str]:
        """What was written, other than thumbnails and what BADGE_DATA_DIR keeps for later runs."""
        found = [path.relative_to(self.folder) for path in self.folder.rglob("*") if path.is_file()]
        return sorted(str(path) for path in found if path.parts[0] != "data" and "thumbs" not in path.parts[-2:][0])


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BADGE_LOCAL__STEPS", "2")
    monkeypatch.setenv("BADGE_BANNER__SIZE", "256")
    monkeypatch.setenv("BADGE_LOCAL__THREADS", "1")
    return Shell(tmp_path, capsys)


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.tobytes()


def test_one_badge(shell: Shell) -> None:
    result = shell(*SCOUT, *DEMO, "--seed", "7", "--out", "new/folder/badge.png", "--json")
    assert (result.code, shell.files()) == (0, ["new/folder/badge.png"])
    badge = result.badges[0]
    assert badge["file"] == "new/folder/badge.png"
    assert (badge["object"], badge["text"], badge["seed"]) == ("telescope", "UX SCOUT", 7)
    assert (badge["generator"], badge["profile"], badge["cost_usd"]) == ("local", "demo", 0.0)
    assert set(badge) >= {"lora", "seconds"}
    with Image.open(shell.folder / "new/folder/badge.png") as image:
        assert (image.size, image.mode) == ((256, 256), "RGB")


@pytest.mark.parametrize(
    ("name", "kind", "side"), [("a.jpg", "JPEG", 256), ("a.webp", "WEBP", 256), ("a.sticker.webp", "WEBP", 512)]
)
def test_the_ending_of_the_name_chooses_the_format(shell: Shell, name: str, kind: str, side: int) -> None:
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--out", name).code == 0
    with Image.open(shell.folder / name) as image:
        assert (image.format, max(image.size)) == (kind, side)


def test_a_pdf_for_print(shell: Shell) -> None:
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--out", "a.pdf").code == 0
    data = (shell.folder / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    assert b"/MediaBox [ 0 0 983.04 983.04 ]" in data  # 4096 pixels at 300 DPI


def test_a_print_carries_how_it_was_made(shell: Shell) -> None:
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--out", "a.print.png").code == 0
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--out", "a.png").code == 0
    with Image.open(shell.folder / "a.print.png") as image:
        assert (image.size, round(image.info["dpi"][0])) == ((4096, 4096), 300)
    assert shell("--like", "a.print.png", "--out", "again.png").code == 0
    assert (shell.folder / "again.png").read_bytes() == (shell.folder / "a.png").read_bytes()


def test_people_are_told_path_who_drew_seed_and_seconds(shell: Shell) -> None:
    result = shell(*SCOUT, *DEMO, "--seed", "7")
    assert result.out == ""
    line = result.err.strip().splitlines()[-1]
    assert line.startswith("badge.png: drawn by demo")
    assert "seed 7" in line
    assert line.endswith(" s")


def test_a_seed_left_out_is_told_and_makes_the_same_badge_again(shell: Shell) -> None:
    first = shell(*SCOUT, *DEMO, "--out", "a.png", "--json").badges[0]
    shell(*SCOUT, *DEMO, "--out", "b.png", "--seed", str(first["seed"]))
    assert (shell.folder / "a.png").read_bytes() == (shell.folder / "b.png").read_bytes()


def test_the_same_seed_alone_with_count_and_in_a_batch(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_text("object,text,seed,name\nlamp,HI,5,x\ntelescope,UX SCOUT,8,y\n")
    assert shell(*SCOUT, *DEMO, "--seed", "8", "--out", "alone.png").code == 0
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--count", "2", "--out", "many.png").code == 0
    assert shell("--batch", "rows.csv", *DEMO, "--out", "batch").code == 0
    alone = pixels(shell.folder / "alone.png")
    assert pixels(shell.folder / "many-2.png") == alone
    assert pixels(shell.folder / "batch/y.png") == alone
    assert pixels(shell.folder / "many-1.png") != alone


def test_numbered_files_keep_their_ending(shell: Shell) -> None:
    result = shell(*SCOUT, *DEMO, "--count", "2", "--out", "set/v1.0.Sticker.WebP", "--json")
    assert [badge["file"] for badge in result.badges] == ["set/v1.0-1.Sticker.WebP", "set/v1.0-2.Sticker.WebP"]
    with Image.open(shell.folder / "set/v1.0-2.Sticker.WebP") as image:
        assert max(image.size) == 512
        assert image.getpixel((0, 0))[3] == 0, "cut out along the figure"


def test_a_batch_says_how_russian_objects_are_drawn(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_text("object,text,seed\nлампа,HI,1\nlamp,HO,1\nлампа,HA,1\n", encoding="utf-8")
    assert shell("--batch", "rows.csv", *DEMO, "--out", "set").err.count("лампа is drawn as: lamp\n") == 1
    assert "drawn as" not in shell("--batch", "rows.csv", *DEMO, "--out", "set").err  # nothing is drawn any more


def test_like_makes_a_badge_again_byte_for_byte(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    shell(*SCOUT, *DEMO, "--seed", "3", "--style", "ribbon", "--out", "first.png")
    monkeypatch.setenv("BADGE_LOCAL__STEPS", "1")
    monkeypatch.setenv("BADGE_BANNER__SIZE", "512")
    monkeypatch.setenv("BADGE_PROMPT__STYLE", "oil painting")
    assert shell("--like", "first.png", "--out", "again.png").code == 0
    assert (shell.folder / "first.png").read_bytes() == (shell.folder / "again.png").read_bytes()
    assert shell("--like", "first.png", "--text", "OTHER", "--out", "other.png").code == 0
    assert read_recipe(shell.folder / "other.png").text == "OTHER"
    assert read_recipe(shell.folder / "other.png").prompt == read_recipe(shell.folder / "first.png").prompt


def test_like_takes_no_other_lora_than_the_one_that_is_named(shell: Shell) -> None:
    shell(*SCOUT, *DEMO, "--seed", "3", "--out", "with.png")
    shell(*SCOUT, *DEMO, "--seed", "3", "--lora", "none", "--out", "without.png")
    (shell.folder / "README.md").write_text("no LoRA")
    for lora in ("README.md", "none"):
        told = shell("--like", "with.png", "--lora", lora, "--out", "again.png")
        assert (told.code, f"which {lora} is not: name that file with --lora" in told.err) == (2, True)
    told = shell("--like", "without.png", "--lora", "README.md", "--out", "again.png")
    assert (told.code, "made without a LoRA: leave --lora README.md out" in told.err) == (2, True)
    assert not (shell.folder / "again.png").exists()


def test_the_png_says_how_it_was_made(shell: Shell) -> None:
    shell(*SCOUT, *DEMO, "--seed", "3")
    with Image.open(shell.folder / "badge.png") as image:
        assert image.info["Description"].startswith("aidbox_samurai_style, samurai warrior badge, character holding")
        recipe = json.loads(image.info[CHUNK])
    assert (recipe["object"], recipe["text"], recipe["seed"], recipe["steps"]) == ("telescope", "UX SCOUT", 3, 2)
    assert recipe["profile"] == "demo"
    assert set(recipe["versions"]) >= {"torch", "diffusers", "transformers"}
    assert {"guidance", "lora", "lora_sha256", "revision"} <= set(recipe)


BATCH = "object,text,seed,name\nlamp,HI,1,one\n,EMPTY,2,two\nfish,HO,3,three\n"


def test_a_bad_row_is_told_and_the_others_go_on(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_text(BATCH)
    result = shell("--batch", "rows.csv", *DEMO, "--out", "set", "--json")
    assert result.code == 1
    assert sorted(str(badge["file"]) for badge in result.badges) == ["set/one.png", "set/three.png"]
    assert "line 3: the object is empty" in result.err
    assert shell.files() == ["rows.csv", "set/index.html", "set/manifest.jsonl", "set/one.png", "set/three.png"]
    lines = [json.loads(line) for line in (shell.folder / "set/manifest.jsonl").read_text().splitlines()]
    assert [line.get("file") for line in lines] == ["one.png", None, "three.png"]
    assert (lines[1]["line"], "the object is empty" in lines[1]["failed"]) == (3, True)
    assert "the object is empty" in (shell.folder / "set/index.html").read_text()


def test_a_second_run_draws_only_what_is_missing_or_changed(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_text(BATCH.replace("\n,EMPTY", "\ncup,EMPTY"))
    shell("--batch", "rows.csv", *DEMO, "--out", "set")
    times = {name: (shell.folder / "set" / name).stat().st_mtime_ns for name in ("one.png", "two.png", "three.png")}
    (shell.folder / "set/two.png").unlink()
    (shell.folder / "rows.csv").write_text(BATCH.replace("\n,EMPTY", "\ncup,EMPTY").replace("fish,HO", "fish,HA"))
    assert shell("--batch", "rows.csv", *DEMO, "--out", "set").code == 0
    after = {name: (shell.folder / "set" / name).stat().st_mtime_ns for name in times}
    assert after["one.png"] == times["one.png"]
    assert after["two.png"] != times["two.png"]
    assert after["three.png"] != times["three.png"]
    assert read_recipe(shell.folder / "set/three.png").text == "HA"
    files = [json.loads(line)["file"] for line in (shell.folder / "set/manifest.jsonl").read_text().splitlines()]
    assert files == ["one.png", "two.png", "three.png"]


def test_a_row_on_top_is_the_only_one_drawn(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_text("object,text\nlamp,A\nkey,B\n")
    shell("--batch", "rows.csv", *DEMO, "--out", "set")
    before = {path.name: path.read_bytes() for path in (shell.folder / "set").glob("*.png")}
    (shell.folder / "rows.csv").write_text("object,text,seed\nfish,NEW,\nlamp,A,\ncup,C,7.5\nkey,B,\n")
    assert shell("--batch", "rows.csv", *DEMO, "--out", "set").code == 1
    after = {path.name: path.read_bytes() for path in (shell.folder / "set").glob("*.png")}
    assert set(after) == {"0001-fish.png", "0001-lamp.png", "0002-key.png"}
    assert all(after[name] == data for name, data in before.items())
    lines = [json.loads(line) for line in (shell.folder / "set/manifest.jsonl").read_text().splitlines()]
    assert [line.get("file") for line in lines] == ["0001-fish.png", "0001-lamp.png", None, "0002-key.png"]
    assert "not a whole number" in lines[2]["failed"]


def run_process(folder: Path, *argv: str) -> "subprocess.Popen[str]":
    environment = {**os.environ, "BADGE_LOCAL__STEPS": "2", "BADGE_BANNER__SIZE": "256", "BADGE_LOCAL__THREADS": "1"}
    command = [sys.executable, "-m", "inference.render", *argv]
    return subprocess.Popen(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_a_batch_killed_in_the_middle_goes_on_and_redoes_nothing(shell: Shell, tmp_path: Path) -> None:
    rows = "".join(f"lamp,N {n},{n}\n" for n in range(8))
    (tmp_path / "rows.csv").write_text("object,text,seed\n" + rows)
    arguments = ("--batch", "rows.csv", *DEMO, "--out", "set", "--json")
    process = run_process(tmp_path, *arguments)
    assert process.stdout
    first = [json.loads(process.stdout.readline())["file"] for _ in range(3)]
    process.kill()
    process.communicate()
    done = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "set").glob("*.png")}
    assert set(first) <= {f"set/{name}" for name in done}
    with (tmp_path / "set/manifest.jsonl").open("a") as manifest:
        manifest.write('{"file": "0008-lamp.png", "obj')  # a line that the kill cut off
    result = shell(*arguments)
    assert result.code == 0, result.err
    assert len(result.badges) == 8
    for name, changed in done.items():
        assert (tmp_path / "set" / name).stat().st_mtime_ns == changed
    names = sorted(path.name for path in (tmp_path / "set").iterdir() if not path.name.endswith(".part"))
    assert names == [f"000{n}-lamp.png" for n in range(1, 9)] + ["index.html", "manifest.jsonl", "thumbs"]
    for path in (tmp_path / "set").glob("*.png"):
        with Image.open(io.BytesIO(path.read_bytes())) as image:
            image.load()


def test_an_interrupted_batch_says_that_it_can_go_on(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("object,text,seed\n" + "".join(f"lamp,N {n},{n}\n" for n in range(400)))
    process = run_process(tmp_path, "--batch", "rows.csv", *DEMO, "--out", "set", "--json")
    assert process.stdout
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate()
    assert process.returncode == 1
    said = err.splitlines()[-2:]
    assert said == ["What is finished stays in set; the same command goes on from there.", "error: interrupted"]


def test_a_badge_whose_manifest_line_was_lost_is_adopted(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_text("object,text,name\nlamp,HI,one\n")
    shell("--batch", "rows.csv", *DEMO, "--out", "set")
    before = (shell.folder / "set/one.png").stat().st_mtime_ns
    (shell.folder / "set/manifest.jsonl").unlink()
    assert shell("--batch", "rows.csv", *DEMO, "--out", "set").code == 0
    assert (shell.folder / "set/one.png").stat().st_mtime_ns == before
    assert len((shell.folder / "set/manifest.jsonl").read_text().splitlines()) == 1


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


def test_without_card_and_replicate_the_demo_draws_and_says_so(shell: Shell, caplog: pytest.LogCaptureFixture) -> None:
    assert shell(*SCOUT, "--seed", "7").code == 0
    assert "the demo FLUX draws" in caplog.text


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written(shell: Shell) -> None:
    locked = shell.folder / "locked"
    locked.mkdir(mode=0o500)
    result = shell(*SCOUT, *DEMO, "--out", "locked/badge.png")
    assert result.code == 2
    assert "cannot write into locked" in result.err
