"""Captions and names as people send them: encodings, control characters, other systems' letters."""

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from tests.training.dataset.foreign import RULE, lines, said
from tests.training.pictures import TRIGGER, draw_picture
from training.dataset.__main__ import main
from training.dataset.checks import load_data_set
from training.dataset.pack import pack
from training.dataset.pictures import read_data_set
from training.dataset.repair import repair
from training.errors import DataSetError


@pytest.mark.parametrize(
    ("caption", "encoding"),
    [("самурай держит красную лампу", "cp1251"), ("самурай держит красную лампу", "utf-16"),
     ("самурай держит красную лампу", "koi8-r"), ("一个武士手里拿着一把红色的茶壶", "gbk"),
     ("a samurai with a lamp", "utf-16-le")],
)  # fmt: skip
def test_captions_in_other_encodings_are_recognised(caption: str, encoding: str, folder: Path, tmp_path: Path) -> None:
    (folder / "samurai_with_sword.txt").write_bytes(caption.encode(encoding))
    said(lines(folder), "warning", "samurai_with_sword.txt", "not UTF-8", caption)
    assert any("to UTF-8" in line for line in repair(read_data_set(folder, RULE), tmp_path / "mended"))
    text = (tmp_path / "mended" / "samurai_with_sword.txt").read_text(encoding="utf-8")
    assert text == f"{TRIGGER}, {caption}\n"


def test_an_uncertain_encoding_is_refused_until_it_is_said(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "samurai_with_sword.txt").write_bytes("меч".encode("cp1251"))
    said(lines(folder), "error", "samurai_with_sword.txt", "is not UTF-8", "--encoding")
    with pytest.raises(DataSetError, match="encoding"):
        load_data_set(folder, RULE)
    with pytest.raises(DataSetError, match="has a caption that is not UTF-8"):
        pack(read_data_set(folder, RULE), tmp_path / "x.zip")
    said(repair(read_data_set(folder, RULE), tmp_path / "a"), "samurai_with_sword.txt is left out: it is not UTF-8")
    assert main(["repair", str(folder), "--out", str(tmp_path / "b"), "--encoding", "windows-1251"]) == 0
    assert "меч" in (tmp_path / "b" / "samurai_with_sword.txt").read_text(encoding="utf-8")
    assert main(["check", str(folder), "--encoding", "cp9999"]) == 2
    assert "error: unknown encoding 'cp9999'" in capsys.readouterr().err


def test_a_caption_in_russian_beside_russian_names_is_certain(folder: Path) -> None:
    shutil.move(folder / "samurai_with_sword.png", folder / "самурай_с_мечом.png")
    (folder / "samurai_with_sword.txt").unlink()
    (folder / "самурай_с_мечом.txt").write_bytes("лампа".encode("cp1251"))
    assert "лампа" in [picture.caption for picture in read_data_set(folder, RULE).pictures]


def test_control_characters_never_reach_a_caption(folder: Path, tmp_path: Path) -> None:
    (folder / "samurai_with_sword.txt").write_bytes("a\x00 lamp\x1b[31m \u202ered\u200e \x9b1m".encode())
    said(lines(folder), "warning", "samurai_with_sword.txt", "control characters")
    data = read_data_set(folder, RULE)
    caption = next(picture.caption for picture in data.pictures if "sword" in picture.name)
    assert caption == "a lamp[31m red\u200e 1m"
    repair(data, tmp_path / "mended")
    assert caption in (tmp_path / "mended" / "samurai_with_sword.txt").read_text(encoding="utf-8")
    (folder / "samurai_with_lamp.txt").write_text("a l\ufffdmp")
    said(lines(folder), "warning", "samurai_with_lamp.txt", "lost letters")


def test_names_of_another_system_find_their_captions(folder: Path, tmp_path: Path) -> None:
    draw_picture(7).save(folder / "самураи\u0306_с_чаи\u0306ником.png")
    (folder / "самурай_с_чайником.txt").write_text("держит чайник", encoding="utf-8")
    draw_picture(8).save(folder / "IMG_7.PNG")
    (folder / "img_7.TXT").write_text("holding a kettle")
    draw_picture(9).save(folder / "हिन्दी.png")
    data = read_data_set(folder, RULE)
    captions = {picture.name: data.caption(picture) for picture in data.pictures}
    assert captions["самурай_с_чайником.png"] == f"{TRIGGER}, держит чайник"
    assert captions["IMG_7.PNG"] == f"{TRIGGER}, holding a kettle"
    assert captions["हिन्दी.png"].endswith("holding हिन्दी")
    assert data.left_out == ()
    repair(data, tmp_path / "mended")
    assert {"самурай_с_чайником.png", "हिन्दी.png"} <= {path.name for path in (tmp_path / "mended").iterdir()}


def test_names_that_are_not_utf8_are_taken_and_shown(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_picture(7).save(os.fsdecode(os.fsencode(folder) + b"/\xab\xa0.png"), "PNG")
    Path(os.fsdecode(os.fsencode(folder) + b"/\xff.doc")).write_bytes(b"")
    data = read_data_set(folder, RULE)
    assert len(data.sha256) == 64
    assert main(["check", str(folder), "--out", str(tmp_path / "r.html")]) == 0
    assert r"\xab\xa0.png" in capsys.readouterr().out
    repair(data, tmp_path / "mended")
    pack(data, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert len([name for name in archive.namelist() if name.endswith(".png")]) == 7
    for path in (tmp_path / "mended").iterdir():
        path.name.encode()


@pytest.mark.parametrize(
    "name",
    ["IMG_2041.JPG", "DSC00003.png", "photo_2025-11-11_12-30-01.jpg", "Без названия.webp", "Screenshot 2025-01-01.png",
     "WhatsApp Image 2025-11-11 at 12.30.01 PM.jpeg", "image (3).png", "3f2a9c1d8e7b.png", "001.png",
     "PXL_20250101_1.jpg",
     "無題.png"],
)  # fmt: skip
def test_a_name_that_says_nothing_is_no_caption(name: str, folder: Path) -> None:
    draw_picture(7).save(folder / name, "WEBP" if name.endswith("webp") else "JPEG" if "jp" in name.lower() else "PNG")
    said(lines(folder), "warning", name, "says what is held")
    data = read_data_set(folder, RULE)
    picture = next(each for each in data.pictures if each.name == name)
    assert data.caption(picture) == f"{TRIGGER}, samurai warrior badge, character"


def test_the_report_and_the_terminal_are_not_commanded(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw_picture(7).save(folder / "a\x1b]0;title\x07\u202e<b>.png", "PNG")
    (folder / "\x1b[2J.doc").write_bytes(b"")
    assert main(["check", str(folder), "--out", str(tmp_path / "r.html")]) == 0
    shown = capsys.readouterr().out + (tmp_path / "r.html").read_text(encoding="utf-8")
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "<b>.png" not in (tmp_path / "r.html").read_text(encoding="utf-8")
