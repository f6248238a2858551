"""Batches of the command line: bad rows, second runs, kills and interruptions, lost manifest lines."""

import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from PIL import Image

from inference.output.recipe import read_recipe
from tests.inference.parts import DEMO, SCOUT, Shell, pixels


def test_the_same_seed_alone_with_count_and_in_a_batch(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_text("object,text,seed,name\nlamp,HI,5,x\ntelescope,UX SCOUT,8,y\n")
    assert shell(*SCOUT, *DEMO, "--seed", "8", "--out", "alone.png").code == 0
    assert shell(*SCOUT, *DEMO, "--seed", "7", "--count", "2", "--out", "many.png").code == 0
    assert shell("--batch", "rows.csv", *DEMO, "--out", "batch").code == 0
    alone = pixels(shell.folder / "alone.png")
    assert pixels(shell.folder / "many-2.png") == alone
    assert pixels(shell.folder / "batch/y.png") == alone
    assert pixels(shell.folder / "many-1.png") != alone


def test_a_batch_says_how_russian_objects_are_drawn(shell: Shell) -> None:
    (shell.folder / "rows.csv").write_text("object,text,seed\nлампа,HI,1\nlamp,HO,1\nлампа,HA,1\n", encoding="utf-8")
    assert shell("--batch", "rows.csv", *DEMO, "--out", "set").err.count("лампа is drawn as: lamp\n") == 1
    assert "drawn as" not in shell("--batch", "rows.csv", *DEMO, "--out", "set").err  # nothing is drawn any more


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
