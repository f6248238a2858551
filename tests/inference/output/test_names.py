"""Names: one portrait, a banner a name, the bad ones told and shown; drawn by the demo FLUX."""

import json
from pathlib import Path

import pytest
from PIL import Image

from inference import render
from inference.errors import InvalidRequest
from inference.output.names import Name, read_names
from inference.output.recipe import read_recipe

DEMO = ("--generator", "demo", "--object", "lamp")


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BADGE_LOCAL__STEPS", "2")
    monkeypatch.setenv("BADGE_BANNER__SIZE", "256")
    monkeypatch.setenv("BADGE_LOCAL__THREADS", "1")


def run(*argv: str) -> int:
    try:
        return render.main(argv)
    except SystemExit as stop:
        return int(stop.code or 0)


def pixels(path: Path) -> bytes:
    with Image.open(path) as image:
        return image.tobytes()


def lines(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]


def test_one_portrait_and_a_banner_a_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    typed = ["Alice", "", "Żółć", "x" * 60, "Alice", "鄺美玲", "lost \ufffd"]
    Path("names.txt").write_text("\n".join(typed) + "\n", encoding="utf-8")
    assert run(*DEMO, "--names", "names.txt", "--out", "set", "--json") == 1
    said = capsys.readouterr()
    files = ["alice.png", "żółć.png", "alice-2.png", "鄺美玲.png"]
    assert [json.loads(line)["file"] for line in said.out.splitlines()] == [f"set/{name}" for name in files]
    assert "line 4: the banner text has 60 characters" in said.err
    assert "line 7: a letter of the banner text was lost" in said.err
    assert sorted(path.name for path in Path("set").iterdir()) == sorted(
        [*files, "index.html", "manifest.jsonl", "thumbs"]
    )
    seeds = {read_recipe(Path("set") / name).seed for name in files}
    assert len(seeds) == 1
    upper = {pixels(Path("set") / name)[: 256 * 150 * 3] for name in files}
    assert len(upper) == 1
    assert Path("set/alice.png").read_bytes() == Path("set/alice-2.png").read_bytes()
    kept = lines(Path("set"))
    assert [line.get("file") for line in kept] == ["alice.png", "żółć.png", None, "alice-2.png", "鄺美玲.png", None]
    assert kept[2]["text"] == "x" * 60
    page = Path("set/index.html").read_text(encoding="utf-8")
    assert "x" * 60 in page
    assert "at most 40 fit" in page
    for name in files:
        assert (Path("set/thumbs") / name.replace(".png", ".webp")).stat().st_size <= 60_000


def test_a_second_run_adds_names_to_the_same_portrait(tmp_path: Path) -> None:
    Path("names.csv").write_text("text;team\nAnn;a\nBob;b\n")
    assert run(*DEMO, "--names", "names.csv", "--out", "set") == 0
    before = {path: path.stat().st_mtime_ns for path in Path("set").glob("*.png")}
    Path("names.csv").write_text("text;team\nZoe;a\nAnn;a\nBob;b\n")
    assert run(*DEMO, "--names", "names.csv", "--out", "set") == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert read_recipe(Path("set/zoe.png")).seed == read_recipe(Path("set/ann.png")).seed
    assert [line["file"] for line in lines(Path("set"))] == ["zoe.png", "ann.png", "bob.png"]


def test_names_over_an_earlier_badge(tmp_path: Path) -> None:
    assert run(*DEMO, "--text", "A", "--seed", "9", "--out", "one.png") == 0
    Path("names.txt").write_text("A\n")
    assert run("--like", "one.png", "--names", "names.txt", "--out", "set") == 0
    assert pixels(Path("set/a.png")) == pixels(Path("one.png"))


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("a.txt", "\ufeffAnn\r\n\r\nBob, Jr.\r\n", [Name(1, "Ann"), Name(3, "Bob, Jr.")]),
        ("a.csv", 'id,text\n1,Ann\n\n2,"Bob, Jr."\n3\n', [Name(2, "Ann"), Name(4, "Bob, Jr."), Name(5, "")]),
        ("a.tsv", "text\tid\nAnn\t1\n", [Name(2, "Ann")]),
        ("a.jsonl", '{"text": "Ann"}\n{"text": "Bob", "team": 1}\n', [Name(1, "Ann"), Name(2, "Bob")]),
    ],
)
def test_lists_are_read(tmp_path: Path, name: str, content: str, found: list[Name]) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    assert read_names(tmp_path / name) == found


def test_a_bad_line_of_json_is_that_line_alone(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "Ann"}\n{"text": 5}\n{"txt": "B"}\n{\n')
    names = read_names(tmp_path / "a.jsonl")
    assert [bool(name.problem) for name in names] == [False, True, True, True]
    assert "the key 'text' is missing" in names[2].problem


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", b"\n \n", "holds no names"),
        ("a.csv", b"name\nAnn\n", "the column 'text' is missing"),
        ("a.txt", b"PK\x03\x04xl", "is a spreadsheet"),
        ("a.txt", b"\x8d\x9d\x81\xff\n", "name it with --encoding"),
    ],
)
def test_what_is_no_list_is_one_line(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InvalidRequest, match=said):
        read_names(tmp_path / name)


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--names", "n.txt", "--out", "d"), "--object is missing"),
        (("--object", "lamp", "--names", "n.txt"), "--names needs --out DIR"),
        (("--object", "lamp", "--names", "n.txt", "--text", "A", "--out", "d"), "leave --text"),
        (("--object", "lamp", "--names", "none.txt", "--out", "d"), "no such list of names"),
        (("--object", "lamp", "--names", "n.txt", "--style", "rainbow", "--out", "d"), "rainbow"),
    ],
)
def test_wrong_usage_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], said: str
) -> None:
    Path("n.txt").write_text("A\n")
    assert run(*argv) == 2
    assert said in capsys.readouterr().err
    assert not Path("d").exists()
