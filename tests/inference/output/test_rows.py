"""Reading batches: both formats, line numbers, and bad rows that do not stop the others."""

from pathlib import Path

import pytest

from inference import InvalidRequest
from inference.output.rows import BadRow, Row, read_rows


def batch(folder: Path, text: str | bytes, name: str = "badges.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_csv_with_all_columns_any_order_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = "\ufefftext, Object ,seed,name,style\r\nUX SCOUT,telescope,7,scout,arc\r\nHI,lamp,,,\r\n"
    path = batch(tmp_path, text)
    first, second = read_rows(path)
    assert isinstance(first, Row)
    assert isinstance(second, Row)
    assert (first.line, first.name) == (2, "scout")
    assert (first.request.object, first.request.text, first.request.seed, first.request.style) == (
        "telescope",
        "UX SCOUT",
        7,
        "arc",
    )
    assert (second.line, second.name, second.request.seed, second.request.style) == (3, "0002-lamp", None, None)


def test_json_lines(tmp_path: Path) -> None:
    path = batch(tmp_path, '{"object": "lamp", "text": "HI", "seed": 3}\n\n{"object": "lamp"}\n{oops\n[1]\n', "b.jsonl")
    good, missing, broken, wrong = read_rows(path)
    assert isinstance(good, Row)
    assert good.request.seed == 3
    assert missing == BadRow(3, "the key 'text' is missing")
    assert isinstance(broken, BadRow)
    assert broken.line == 4
    assert broken.problem.startswith("not valid JSON: ")
    assert broken.problem.endswith(" (column 2)")  # and no "line 1" of its own, which would contradict line 4
    assert isinstance(wrong, BadRow)
    assert "not a JSON object" in wrong.problem


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_cells_are_divided_as_the_spreadsheet_program_does_it(tmp_path: Path, between: str) -> None:
    lines = (("object", "text", "seed"), ("lamp", '"A,B;C\tD"', "7"), ("cup", "HO", "8", "9"))
    good, bad = read_rows(batch(tmp_path, "\r\n".join(map(between.join, lines))))
    assert isinstance(good, Row)
    assert (good.request.object, good.request.text, good.request.seed) == ("lamp", "A,B;C\tD", 7)
    assert bad == BadRow(3, f"4 cells, but the header has 3: quote cells that contain {between!r}")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"object": "lamp", "text": 5}', "'text' must be words in quotes, not 5"),
        ('{"object": ["lamp"], "text": "HI"}', "'object' must be words in quotes, not ['lamp']"),
        ('{"object": "lamp", "text": "HI", "seed": true}', "seed True is not a whole number"),
        (
            '[{"object": "lamp", "text": "HI"}]',
            'not a JSON object: write {"object": ..., "text": ...} on each line, without a list around',
        ),
        ("[" * 20_000, "not valid JSON: nested too deeply"),
    ],
)
def test_bad_json_lines_say_what_is_wrong(tmp_path: Path, line: str, said: str) -> None:
    assert read_rows(batch(tmp_path, line, "b.jsonl")) == [BadRow(1, said)]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("lamp,HI,seven,", "seed 'seven' is not a whole number"),
        ("lamp,HI,4294967296,", "seed 4294967296 is out of range"),
        ("lamp,HI,,../up", "cannot be a file name"),
        ("lamp,HI,,index", "cannot be a file name"),
        ("lamp,HI,,ONE", "taken by line 2"),
        ("lamp,HI,1,x,y", "5 cells, but the header has 4"),
    ],
)
def test_bad_rows_are_told_with_their_line(tmp_path: Path, row: str, said: str) -> None:
    rows = read_rows(batch(tmp_path, f"object,text,seed,name\ncup,HO,,one\n{row}\nkey,HU,,two\n"))
    assert [type(r) for r in rows] == [Row, BadRow, Row]
    assert isinstance(rows[1], BadRow)
    assert rows[1].line == 3
    assert said in rows[1].problem


def test_a_row_after_a_cell_with_a_line_break_has_its_own_line_number(tmp_path: Path) -> None:
    rows = read_rows(batch(tmp_path, 'object,text\n"a\nlamp",HI\ncup,HO\n'))
    assert [row.line for row in rows] == [2, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("object,caption\nlamp,HI\n", "the column 'text' is missing"),
        ("object,text,sede\nlamp,HI,1\n", "unknown column 'sede': did you mean seed"),
        ("object,text\n", "holds no rows"),
        ("", "the column 'object' is missing"),
        (b"object,text\nl\xe9mpara,HI\n", "not UTF-8"),
        ('object,text\n"lamp,HI\n', "line 2: not valid CSV"),
    ],
)
def test_unusable_files_are_refused_whole(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        read_rows(batch(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"no such batch file: .*gone\.csv"):
        read_rows(tmp_path / "gone.csv")
