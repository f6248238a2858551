"""Pictures from a phone or a chat into one folder: all kinds of files, copies left out, nothing lost, run twice."""

import hashlib
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from configs.console import BAD_INPUT, DONE
from tests.training.pictures import TRIGGER, draw_picture
from training.dataset.__main__ import main
from training.dataset.captions import CaptionRule
from training.dataset.pictures import read_data_set

RULE = CaptionRule(TRIGGER, "samurai warrior badge, character holding {object}")
CAPTION = f"{TRIGGER}, samurai warrior badge, character holding {{}}\n"


def state_of(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


@pytest.fixture
def phone(tmp_path: Path) -> Path:
    """A folder as it comes: a chat's export with thumbnails, a ZIP, odd formats, a turned photo, a video, a link."""
    folder = tmp_path / "phone"
    photos = folder / "ChatExport" / "photos"
    photos.mkdir(parents=True)
    for number in range(2):
        name = f"photo_{number}@11-11-2025_09-30-00"
        draw_picture(number, 512).save(photos / f"{name}.jpg", quality=95)
        draw_picture(number, 200).save(photos / f"{name}.jpg_thumb.jpg", quality=80)
    draw_picture(2, 300).save(folder / "samurai_with_teapot.avif")
    turned = draw_picture(3, 300)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned.save(folder / "samurai_with_drum.jpg", exif=exif, quality=95)
    draw_picture(4, 300).save(folder / "IMG_2041.PNG")
    (folder / "IMG_2041.txt").write_text("holding a lantern")
    draw_picture(4, 150).save(folder / "copy of lantern.webp", lossless=True)
    with zipfile.ZipFile(folder / "more.zip", "w") as archive:
        draw_picture(5, 300).save(tmp_path / "key.tiff")
        archive.write(tmp_path / "key.tiff", "inner/samurai_with_key.tiff")
        archive.writestr("__MACOSX/._samurai_with_key.tiff", b"x")
    (folder / "VID_1.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(64))
    (folder / "secret.png").symlink_to("/etc/hostname")
    return folder


def test_everything_comes_into_one_flat_folder_and_copies_are_named(
    phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, out = state_of(phone), tmp_path / "set"
    assert main(["import", str(phone), "--out", str(out), "--trigger", TRIGGER]) == DONE
    said = capsys.readouterr().out
    assert state_of(phone) == before
    pictures = sorted(path.name for path in out.iterdir() if path.suffix != ".txt")
    assert len(pictures) == 6
    assert all(Path(name).suffix in (".png", ".jpg", ".webp") for name in pictures)
    assert {path.stem.split("_with_")[-1]: path.read_text() for path in out.glob("*.txt") if "_with_" in path.stem} == {
        thing: CAPTION.format(thing) for thing in ("teapot", "drum", "key")
    }
    assert "lantern" in (out / "IMG_2041.txt").read_text()
    assert said.count("a smaller copy of") == 3
    assert "left out: phone/VID_1.mp4 (it is a video)" in said
    assert "left out: phone/secret.png (is a link, which is not followed)" in said
    assert "6 new pictures, 6 in all" in said
    assert "2 pictures without a caption" in said
    with Image.open(out / "samurai_with_drum.png") as turned:
        assert turned.getexif().get(0x0112) is None
    assert all(not picture.problem for picture in read_data_set(out, RULE).pictures)


def test_a_second_run_adds_only_what_is_new_and_larger_copies_replace_smaller_ones(
    phone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "set"
    main(["import", str(phone), "--out", str(out)])
    (out / "IMG_2041.txt").write_text("my own words, holding a lantern\n")
    first = state_of(out)
    assert main(["import", str(phone), "--out", str(out)]) == DONE
    assert state_of(out) == first
    assert "0 new pictures, 6 in all" in capsys.readouterr().out

    better, new = tmp_path / "better.png", tmp_path / "samurai_with_crown.jpg"
    draw_picture(4, 900).save(better)
    draw_picture(7, 300).save(new, quality=95)
    assert main(["import", str(better), str(new), "--out", str(out)]) == DONE
    assert "1 new picture, 1 replaced by larger copies, 7 in all" in capsys.readouterr().out
    assert (out / "IMG_2041.txt").read_text() == "my own words, holding a lantern\n"
    with Image.open(out / "IMG_2041.png") as image:
        assert image.size == (900, 900)
    assert not (out / "IMG_2041.PNG").exists()


def test_what_the_owner_took_out_does_not_come_back(phone: Path, tmp_path: Path) -> None:
    out = tmp_path / "set"
    main(["import", str(phone), "--out", str(out)])
    (out / ".left_out").mkdir()
    (out / "IMG_2041.png").rename(out / ".left_out" / "IMG_2041.png")
    (out / "IMG_2041.txt").unlink()
    main(["import", str(phone), "--out", str(out)])
    assert not list(out.glob("IMG_2041*"))


def test_a_broken_archive_is_named_and_the_rest_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken, good = tmp_path / "broken.zip", tmp_path / "samurai_with_key.png"
    broken.write_bytes(b"PK\x03\x04 and nothing more")
    draw_picture(1).save(good)
    assert main(["import", str(broken), str(good), "--out", str(tmp_path / "set")]) == DONE
    said = capsys.readouterr().out
    assert "left out: " in said
    assert "broken.zip" in said
    assert [path.name for path in (tmp_path / "set").glob("*.png")] == ["samurai_with_key.png"]


@pytest.mark.parametrize("what", ["missing", "inside"])
def test_sources_that_cannot_be_are_one_line(what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    draw_picture(1).save(tmp_path / "a.png")
    source = tmp_path / "nowhere" if what == "missing" else tmp_path
    assert main(["import", str(source), "--out", str(tmp_path / "set")]) == BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
    assert not (tmp_path / "set").exists()
