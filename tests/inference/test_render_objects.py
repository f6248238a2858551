"""Objects on the command line where the model has a closed vocabulary: listed, refused, drawn in part and told."""

import json
from pathlib import Path

import pytest

from inference import render
from inference.output.recipe import read_recipe


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BADGE_LOCAL__STEPS", "1")
    monkeypatch.setenv("BADGE_DATA_DIR", str(tmp_path / "data"))


def test_the_vocabulary_is_printed_a_name_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--generator", "demo", "--list-objects"]) == 0
    said = capsys.readouterr()
    names = said.out.splitlines()
    assert {"telescope", "umbrella", "cup"} <= set(names)
    assert len(names) == len(set(names)) >= 100
    assert said.err == ""

    assert render.main(["--generator", "demo", "--list-objects", "--json"]) == 0
    things = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [thing["name"] for thing in things] == names
    assert next(thing for thing in things if thing["name"] == "umbrella")["russian"] == "зонт"


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--profile", "flux-dev"], "FLUX.1 dev draws any object"),
        (["--generator", "demo", "--object", "lamp"], "--list-objects draws nothing"),
        (["--generator", "dmo"], "unknown generator 'dmo'"),
    ],
)
def test_where_there_is_no_list_one_line_says_so(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert render.main([*argv, "--list-objects"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, len(shown.err.splitlines())) == ("", 1)
    assert said in shown.err


@pytest.mark.parametrize("thing", ["umbrela", "зонтег"])
def test_an_unknown_object_is_refused_before_anything_is_loaded(thing: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert render.main(["--generator", "demo", "--object", thing, "--text", "HI", "--out", "a.png"]) == 2
    said = capsys.readouterr()
    assert said.err.startswith(f"error: the demo FLUX cannot draw {thing!r}")
    assert tuple(part for part in ("nearest: ", "docs/models.md") if part in said.err) == (
        "nearest: ",
        "docs/models.md",
    )
    assert len(said.err.splitlines()) == 1
    assert not Path("a.png").exists()


def test_what_is_drawn_is_told_and_recorded(capsys: pytest.CaptureFixture[str]) -> None:
    wish = "a very big cup of coffee with cream"
    assert render.main(["--generator", "demo", "--object", wish, "--text", "HI", "--out", "a.png", "--json"]) == 0
    said = capsys.readouterr()
    assert f"{wish} is drawn as: coffee cup" in said.err
    entry = json.loads(said.out)
    assert (entry["object"], entry["english"]) == (wish, "coffee cup")
    recipe = read_recipe(Path("a.png"))
    assert (recipe.object, recipe.english) == (wish, "coffee cup")
    assert "holding coffee cup," in recipe.prompt

    assert render.main(["--like", "a.png", "--out", "b.png"]) == 0
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()


def test_an_unknown_row_leaves_the_others_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("rows.csv").write_text("object,text,seed,name\nкрасный зонт,A,1,one\nchainsaw,B,2,two\n", encoding="utf-8")
    assert render.main(["--batch", "rows.csv", "--generator", "demo", "--out", "set"]) == 1
    said = capsys.readouterr().err
    assert "line 3: the demo FLUX cannot draw 'chainsaw'" in said
    assert "красный зонт is drawn as: red umbrella" in said
    lines = [json.loads(line) for line in Path("set/manifest.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(line["file"], line["english"]) for line in lines if "file" in line] == [("one.png", "red umbrella")]
