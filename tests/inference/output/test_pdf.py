"""Sheets for the printer: true millimetres, every badge on it, one line for what cannot be laid out."""

import base64
import io
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from inference import render, sheet
from inference.commands.sheet import millimetres
from inference.errors import InvalidRequest
from inference.output.pdf import BUTTONS, DPI, PAPERS, Sheet, pixels
from overlay import draw_banner
from tests.overlay import portraits

MM = 72 / 25.4


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BADGE_LOCAL__STEPS", "2")
    monkeypatch.setenv("BADGE_LOCAL__THREADS", "1")
    monkeypatch.setenv("BADGE_BANNER__SIZE", "256")


def run(*argv: str) -> int:
    try:
        return sheet.main(argv)
    except SystemExit as stop:
        return int(stop.code or 0)


def badge(name: str, style: str = "ribbon") -> str:
    draw_banner(portraits.light(512), name.upper(), style).save(f"{name}.png")
    return f"{name}.png"


def drawn(pdf: bytes) -> list[tuple[float, float, float]]:
    """(x, y, side) in millimetres of every picture, in order."""
    found = re.findall(rb"([\d.]+) 0 0 ([\d.]+) ([\d.]+) ([\d.]+) cm\s+/FormXob", pdf)
    assert all(width == height for width, height, _, _ in found)
    return [(float(x) / MM, float(y) / MM, float(side) / MM) for side, _, x, y in found]


@pytest.mark.parametrize("paper", PAPERS)
@pytest.mark.parametrize("size", BUTTONS)
@pytest.mark.parametrize("marks", [False, True])
def test_pictures_lie_on_the_paper_and_not_on_each_other(paper: str, size: float, marks: bool) -> None:
    laid = Sheet(paper, size, 3.0, marks, round_=True)
    width, height = PAPERS[paper]
    places = laid.places()
    across, down = laid.grid
    assert len(places) == across * down == len(set(places))
    for x, y in places:
        assert 8 - 1e-6 <= x <= width - 8 - laid.side + 1e-6
        assert 8 - 1e-6 <= y <= height - 8 - laid.side + 1e-6
    apart = [max(abs(a[0] - b[0]), abs(a[1] - b[1])) for a in places for b in places if a != b]
    assert min(apart, default=1000) >= laid.side + (5 if marks else 1) - 1e-6


def test_a_sheet_in_true_millimetres(capsys: pytest.CaptureFixture[str]) -> None:
    badges = [badge("ann"), badge("bob", "round"), badge("zoe", "pin")]
    assert run(*badges, "--out", "out/sheet.pdf", "--size", "58mm", "--bleed", "3mm", "--marks", "--copies", "3") == 0
    data = Path("out/sheet.pdf").read_bytes()
    assert re.findall(rb"/MediaBox \[ 0 0 ([\d.]+) ([\d.]+) \]", data)[0] == (b"595.2756", b"841.8898")
    places = drawn(data)
    assert len(places) == 9
    assert {round(side, 3) for _, _, side in places} == {64.0}
    assert data.count(b"/Width 756") + data.count(b"/Width 757") == 3
    assert pixels(64) / 64 * 25.4 == pytest.approx(DPI, rel=0.001)
    assert "9 badges of 58 mm on 2 pages of A4, 2 x 4 a page" in capsys.readouterr().err
    run(*badges, "--out", "again/sheet.pdf", "--size", "58mm", "--bleed", "3mm", "--marks", "--copies", "3")
    assert Path("again/sheet.pdf").read_bytes() == data


def test_the_banner_is_drawn_at_the_size_from_the_portrait_that_is_still_here(tmp_path: Path) -> None:
    arguments = ("--generator", "demo", "--object", "lamp", "--text", "UX SCOUT", "--seed", "5")
    assert render.main([*arguments, "--out", "a.png"]) == 0
    assert run("a.png", "--out", "drawn.pdf", "--shape", "square") == 0
    portrait = next((tmp_path / "data/portraits").glob("*.png"), None) or next(
        Path(p) for p in tmp_path.rglob("portraits/*.png")
    )
    portrait.unlink()
    assert run("a.png", "--out", "shown.pdf", "--shape", "square") == 0
    from_portrait, from_badge = (picture_in(Path(name)) for name in ("drawn.pdf", "shown.pdf"))
    assert from_portrait.size == from_badge.size
    assert edges(from_portrait) > 1.2 * edges(from_badge)  # 256 pixels of banner enlarged are soft


def picture_in(pdf: Path) -> Image.Image:
    data = pdf.read_bytes()
    start = data.index(b"\xff\xd8\xff") if b"\xff\xd8\xff" in data else -1
    if start < 0:
        packed = re.search(rb"/ASCII85Decode.*?stream\s+(.*?)~>", data, re.DOTALL)
        assert packed
        data, start = base64.a85decode(packed[1]), 0
    return Image.open(io.BytesIO(data[start:])).convert("L")


def edges(picture: Image.Image) -> float:
    pixels = np.asarray(picture).astype(float)[round(0.75 * picture.height) : round(0.97 * picture.height)]
    return float(np.percentile(abs(np.diff(pixels, axis=1)), 99))


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("--size", "200mm"), "is too large for a4: at most 188 mm"),
        (("--size", "58pt"), "write a length such as 58mm"),
        (("--size", "5mm"), "15 to 250 mm"),
        (("--bleed", "40mm"), "0 to 20 mm"),
        (("--paper", "a5"), "a4"),
        (("--shape", "oval"), "round"),
        (("--copies", "0"), "--copies 0"),
        (("--out", "x.png"), "name a .pdf file"),
    ],
)
def test_what_cannot_be_laid_out_is_one_line(
    argv: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    badge("ann")
    assert run("ann.png", *argv) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.strip().splitlines()) == 1
    assert not Path("sheet.pdf").exists()


@pytest.mark.parametrize("path", ["none.png", "empty", "text.png"])
def test_what_is_no_badge_is_one_line(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("empty").mkdir()
    Path("text.png").write_text("not a picture")
    assert run(path) == 2
    assert path in capsys.readouterr().err


@pytest.mark.parametrize(("text", "length"), [("58", 58), ("58 mm", 58), ("5,8cm", 58), ("2.25in", 57.15)])
def test_lengths(text: str, length: float) -> None:
    assert millimetres(text, "--size") == pytest.approx(length)
    with pytest.raises(InvalidRequest, match="--size"):
        millimetres("-" + text, "--size")
