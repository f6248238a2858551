"""Reading batches: both formats, line numbers, and bad rows that do not stop the others."""

import os
import sys
import unicodedata
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
        ("object,text\nмеч,ДА\n".encode("cp1251"), r"is not UTF-8 \(byte 12\).*--encoding"),
        ('"object,text\nlamp,HI\n', "line 1: a quote is opened and never closed"),
        ("object,text,Text\nlamp,HI,HO\n", "the column 'text' appears 2 times"),
        (b"\xd0\xcf\x11\xe0" + bytes(600), r"old Office file.*save it as CSV UTF-8 or \.xlsx"),
        (b"PK\x03\x04" + bytes(600), "is damaged"),
        (b"<html><table>", "web page"),
    ],
)
def test_unusable_files_are_refused_whole(tmp_path: Path, text: str | bytes, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        read_rows(batch(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match=r"no such batch file: .*gone\.csv"):
        read_rows(tmp_path / "gone.csv")


def only(rows: list[Row | BadRow]) -> list[tuple[str, str, int | None]]:
    assert all(isinstance(row, Row) for row in rows), rows
    return [(row.request.object, row.request.text, row.request.seed) for row in rows if isinstance(row, Row)]


@pytest.mark.parametrize(
    "text",
    [
        "object,text,\nlamp,HI,\n,,,\n",
        "sep=;\nobject;text\nlamp;HI\n;;\n",
        '"sep=;"\r\nobject;text\r\nlamp;HI\r\n',
        "\n,,\nobject,,text\nlamp,,HI\n",
        "sep=\t\nobject\ttext\t\t\nlamp\tHI\t\t\n",
        "object|text\rlamp|HI\r",
        ' "object" , "text" \nlamp,HI\n'.replace(" ", ""),
        "\ufeffsep=,\nobject,text,,,\nlamp,HI,,,,,,\n",
    ],
)
def test_what_spreadsheet_programs_leave_behind_is_ignored(text: str, tmp_path: Path) -> None:
    assert only(read_rows(batch(tmp_path, text))) == [("lamp", "HI", None)]


@pytest.mark.parametrize(
    "bad", ['cup,"HO', 'cup,"HO"x', '"cup,HO', 'cup,HO,,"', 'cup,"a\nb"c', "cup,HO,,,x", "cup,HO,x,,", '"a""b,HO']
)
def test_one_bad_line_spoils_no_other(bad: str, tmp_path: Path) -> None:
    rows = read_rows(batch(tmp_path, f'object,text,seed\nlamp,HI,1\n{bad}\n"key, old","H ""U""",2\n"a\nb",LO,3\n'))
    assert [row.request.seed for row in rows if isinstance(row, Row) and row.request.seed] == [1, 2, 3]
    assert {row.line for row in rows if isinstance(row, BadRow)} <= {3, 4}
    assert any(isinstance(row, BadRow) for row in rows)


@pytest.mark.parametrize(
    ("cell", "seed"),
    [("7", 7), ("7.0", 7), ("7,00", 7), (" 7 ", 7), ("+7", 7), ("0", 0), ("4294967295.0", 2**32 - 1),
     ("", None)],
)  # fmt: skip
def test_seeds_as_programs_write_them(cell: str, seed: int | None, tmp_path: Path) -> None:
    assert only(read_rows(batch(tmp_path, f"object;text;seed\nlamp;HI;{cell}\n"))) == [("lamp", "HI", seed)]


@pytest.mark.parametrize(
    "cell", ["9" * 4_400, "9" * 400_000, "1e999999999", "7.5", "-1", "4294967296", "nan", "0x7", "²", "\x1b[2J"]
)
def test_a_bad_seed_is_a_bad_row_and_nothing_more(cell: str, tmp_path: Path) -> None:
    rows = read_rows(batch(tmp_path, f"object;text;seed\nlamp;HI;1\ncup;HO;{cell}\nkey;HU;2\n"))
    assert [type(row) for row in rows] == [Row, BadRow, Row]
    assert isinstance(rows[1], BadRow)
    assert len(rows[1].problem) < 150
    assert "\x1b" not in rows[1].problem


@pytest.mark.parametrize(
    "cells",
    ['"seed": ' + "9" * 5_000, '"seed": 1e999', '"seed": -Infinity', '"seed": NaN', '"seed": 7.5',
     '"seed": 1, "seed": 2',
     '"seed": "' + "9" * 5_000 + '"'],
)  # fmt: skip
def test_bad_numbers_in_json_are_bad_rows(cells: str, tmp_path: Path) -> None:
    lines = '{"object": "lamp", "text": "HI", "seed": 7.0}\n{"object": "lamp", "text": "HO", ' + cells + "}\n"
    good, bad = read_rows(batch(tmp_path, lines, "b.jsonl"))
    assert only([good]) == [("lamp", "HI", 7)]
    assert isinstance(bad, BadRow)
    assert len(bad.problem) < 150


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "utf-16", "utf-16-le", "utf-8-sig"])
def test_excel_in_russia_is_read(encoding: str, tmp_path: Path) -> None:
    text = "object;text;seed\r\nлампа;ПРИВЕТ, МИР;7\r\nбольшая кружка кофе;Хорошо;8\r\n"
    rows = only(read_rows(batch(tmp_path, text.encode(encoding))))
    assert rows == [("лампа", "ПРИВЕТ, МИР", 7), ("большая кружка кофе", "Хорошо", 8)]


def test_an_encoding_that_is_said_is_taken(tmp_path: Path) -> None:
    path = batch(tmp_path, "object,text\nмеч,ДА\n".encode("koi8-r"))
    assert only(read_rows(path, "koi8-r")) == [("меч", "ДА", None)]
    with pytest.raises(InvalidRequest, match="unknown encoding 'klingon'"):
        read_rows(path, "klingon")


def test_an_excel_workbook_is_read(tmp_path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    for row in (
        ("Object", "Text", None, "seed"),
        ("лампа", "ПРИВЕТ", None, 7.0),
        (None,) * 4,
        ("cup", 2026, None, None),
    ):
        book.active.append(row)
    book.save(tmp_path / "b.xlsx")
    assert only(read_rows(tmp_path / "b.xlsx")) == [("лампа", "ПРИВЕТ", 7), ("cup", "2026", None)]


def test_without_openpyxl_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from openpyxl import Workbook

    Workbook().save(tmp_path / "b.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InvalidRequest, match=r"samurai-badges\[xlsx\].*or save it as CSV UTF-8"):
        read_rows(tmp_path / "b.xlsx")


@pytest.mark.parametrize("name", ["हिन्दी", "самурай", "самураи\u0306", "ทดสอบ", "a-b (2)", "日本"])
def test_names_of_any_script_are_taken(name: str, tmp_path: Path) -> None:
    (row,) = read_rows(batch(tmp_path, f"object,text,name\nlamp,HI,{name}\n"))
    assert isinstance(row, Row)
    assert row.name == unicodedata.normalize("NFC", name)


def test_made_names_keep_marks(tmp_path: Path) -> None:
    (row,) = read_rows(batch(tmp_path, "object,text\nहिन्दी किताब,HI\n"))
    assert isinstance(row, Row)
    assert row.name == "0001-हिन्दी-किताब"


@pytest.mark.parametrize(
    "name", ["../up", "a/b", "con", "nul.png", "index", ".hidden", "a\x1b[31m", "a\u202eb", "x" * 200, "a."]
)
def test_names_that_are_no_file_names_are_refused(name: str, tmp_path: Path) -> None:
    (row,) = read_rows(batch(tmp_path, f"object,text,name\nlamp,HI,{name}\n"))
    assert isinstance(row, BadRow)
    assert "cannot be a file name" in row.problem
    assert not {"\x1b", "\u202e"} & set(row.problem)


def test_a_device_is_no_batch_and_a_pipe_is_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="it is a device"):
        read_rows(Path("/dev/zero"))
    reader, writer = os.pipe()
    os.write(writer, b"object,text\nlamp,HI\n")
    os.close(writer)
    assert only(read_rows(Path(f"/dev/fd/{reader}"))) == [("lamp", "HI", None)]
    os.close(reader)
