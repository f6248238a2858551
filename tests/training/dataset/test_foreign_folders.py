"""Folders as people send them: links and pipes, other systems' files, formats and colours."""

import io
import os
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.training.dataset.foreign import RULE, lines, said
from tests.training.pictures import draw_picture, fill_folder
from training.dataset.__main__ import main
from training.dataset.pack import pack
from training.dataset.pictures import read_data_set
from training.dataset.repair import repair


def test_links_pipes_and_devices_are_named_and_never_opened(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "env.secret").write_text("TOKEN=r8_secret")
    (folder / "samurai_with_sword.txt").unlink()
    (folder / "samurai_with_sword.txt").symlink_to("../env.secret")
    (folder / "lamp2.png").symlink_to(tmp_path / "env.secret")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "below").symlink_to(tmp_path)
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "samurai_with_pipe.txt")
    found = lines(folder)
    for name in ("samurai_with_sword.txt", "lamp2.png", "zero.png", "below"):
        said(found, "warning", name, "is a link, which is not followed")
    said(found, "warning", "pipe.png", "is a named pipe")
    data = read_data_set(folder, RULE)
    repair(data, tmp_path / "mended")
    pack(data, tmp_path / "x.zip")
    assert main(["check", str(folder), "--out", str(tmp_path / "report.html")]) == 0
    written = b"".join(path.read_bytes() for path in (tmp_path / "mended").iterdir())
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        written += b"".join(archive.read(name) for name in archive.namelist())
    written += (tmp_path / "report.html").read_bytes()
    assert b"r8_secret" not in written


def test_a_link_that_appears_after_the_check_is_not_followed_either(folder: Path, tmp_path: Path) -> None:
    data = read_data_set(folder, RULE)
    (tmp_path / "secret").write_bytes(b"r8_secret")
    (folder / "samurai_with_sword.png").unlink()
    (folder / "samurai_with_sword.png").symlink_to(tmp_path / "secret")
    with pytest.raises(Exception, match="is a link, not a file"):
        pack(data, tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_repair_keeps_every_picture(tmp_path: Path) -> None:
    source = tmp_path / "set"
    source.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    draw_picture(0).save(source / "lamp.bmp")
    draw_picture(1).save(source / "lamp.png")
    draw_picture(2).save(source / "book.jpg", exif=exif)
    draw_picture(3).save(source / "book.png")
    draw_picture(4).convert("CMYK").save(source / "sword.jpeg")
    draw_picture(5).save(source / "sword.png")
    draw_picture(6).save(source / "Sword.webp")
    draw_picture(7).save(source / "lamp_bmp.tif")
    draw_picture(8).quantize(64).save(source / "kite.gif")
    (source / "below").mkdir()
    draw_picture(9).save(source / "below" / "lamp.png")
    (source / "below" / "lamp.txt").write_text("holding a far lamp")
    data = read_data_set(source, RULE)
    repair(data, tmp_path / "mended")
    mended = read_data_set(tmp_path / "mended", RULE)
    assert len(mended.pictures) == 10
    assert len({picture.path.stem.casefold() for picture in mended.pictures}) == 10
    assert {picture.name for picture in mended.pictures} > {"lamp.png", "book.png", "kite.png", "below_lamp.png"}
    assert all(picture.caption for picture in mended.pictures)
    assert "far lamp" in next(p.caption for p in mended.pictures if p.name == "below_lamp.png")
    pack(data, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        assert len([name for name in archive.namelist() if not name.endswith(".txt")]) == 10


def test_repair_leaves_nothing_where_it_fails(folder: Path, tmp_path: Path) -> None:
    data = read_data_set(folder, RULE)
    (folder / "samurai_with_sword.png").unlink()
    with pytest.raises(Exception, match=r"mended: No such file"):
        repair(data, tmp_path / "mended")
    assert [path.name for path in tmp_path.iterdir()] == ["set"]


def test_all_that_is_left_out_is_named(folder: Path) -> None:
    fill = {
        "notes.docx": (b"PK\x03\x04", "ZIP"), "orphan.txt": (b"a lamp", "without a picture"),
        "clip.mp4": (b"", "empty"),
        "page.html": (b"<html>", "web page"), "more.zip": (b"PK\x05\x06", "unpack it"),
        "photo": (b"\x89PNG\r\n", "PNG picture"),
        "art.svg": (b"<svg>", "SVG"), "raw.psd": (b"8BPS", "Photoshop"),
    }  # fmt: skip
    for name, (data, _) in fill.items():
        (folder / name).write_bytes(data)
    for name in (".DS_Store", "Thumbs.db", "._samurai_with_lamp.png", "desktop.ini"):
        (folder / name).write_bytes(b"x")
    found = lines(folder)
    for name, (_, why) in fill.items():
        said(found, "warning", name, "left out", why)
    assert sum("left out" in line for line in found) == len(fill)


def test_what_can_be_read_is_read(folder: Path, tmp_path: Path) -> None:
    draw_picture(7).save(folder / "x.avif")
    heic = Path(__file__).parents[2] / "overlay" / "gradient.heic"
    shutil.copy(heic, folder / "IMG.HEIC")
    (folder / "x.caption").write_text("holding a fan")
    (folder / "below").mkdir()
    draw_picture(8).save(folder / "below" / "samurai_with_fish.png")
    draw_picture(9).save(folder / "below" / "told.png")
    (folder / "below" / "metadata.jsonl").write_text('{"file_name": "told.png", "text": "holding a told thing"}\n')
    (folder / "metadata.csv").write_text("file_name,caption\nIMG.HEIC,holding a phone\n")
    data = read_data_set(folder, RULE)
    things = {picture.name: picture.thing for picture in data.pictures}
    assert len(things) == 10
    assert things["x.avif"] == "fan"
    assert things["IMG.HEIC"] == "phone"
    assert things["below/samurai_with_fish.png"] == "fish"
    assert things["below/told.png"] == "told thing"
    assert data.left_out == ()
    assert not [picture for picture in data.pictures if picture.problem]
    archive = tmp_path / "set.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        for path in sorted(folder.rglob("*")):
            zipped.write(path, path.relative_to(folder))
        zipped.writestr("__MACOSX/._x.avif", b"x")
    packed = read_data_set(archive, RULE)
    assert {p.name: (p.sha256, p.caption) for p in packed.pictures} == {
        p.name: (p.sha256, p.caption) for p in data.pictures
    }
    assert packed.sha256 == data.sha256
    repair(packed, tmp_path / "mended")
    assert len(read_data_set(tmp_path / "mended", RULE).pictures) == 10


def test_wrong_pixels_are_named_and_right_ones_handed_on(folder: Path, tmp_path: Path) -> None:
    ramp = np.tile(np.linspace(0, 1, 256, dtype=np.float32), (256, 1))
    Image.fromarray(ramp).save(folder / "ramp.tiff")
    Image.new("RGB", (256, 256), (9, 9, 9)).save(folder / "blank.png")
    Image.new("RGBA", (256, 256), (200, 9, 9, 0)).save(folder / "clear.png")
    mask = Image.new("L", (256, 256))
    mask.paste(255, (50, 50, 200, 200))
    mask.save(folder / "mask.png")
    found = lines(folder)
    said(found, "warning", "blank.png", "of one colour, (9, 9, 9)")
    said(found, "warning", "clear.png", "of one colour, (255, 255, 255)")
    said(found, "warning", "mask.png", "looks like a mask")
    data = read_data_set(folder, RULE)
    pack(data, tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as archive, Image.open(io.BytesIO(archive.read("ramp.png"))) as image:
        values = np.asarray(image)[0, :, 0]
    assert (values[0], values[-1]) == (0, 255)
    assert 120 < values[128] < 136


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("eps.png", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is PostScript"),
        ("x.jpg", b"DDS " + bytes(200), "DDS"),
        ("x.avif", b"\0\0\0\x1cftypavif" + bytes(40), "damaged"),
        ("x.mpo", b"\xff\xd8\xff\xe0", "damaged"),
        ("x.webp", b"<!doctype html><html>", "web page"),
    ],
)
def test_a_file_that_is_something_else_is_an_error_of_its_own(name: str, data: bytes, why: str, folder: Path) -> None:
    (folder / name).write_bytes(data)
    said(lines(folder), "error", name, "cannot be decoded", why)


def test_fifteen_in_a_folder_of_nothing_else_stay_what_they_were(tmp_path: Path) -> None:
    """The hash of a plain set is that of names, bytes and captions, as checkpoints remember it."""
    import hashlib

    data = read_data_set(fill_folder(tmp_path / "plain", 6), RULE)
    expected = hashlib.sha256()
    for path in sorted((tmp_path / "plain").glob("*.png")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        caption = path.with_suffix(".txt").read_text().strip()
        expected.update(f"{path.name}\0{digest}\0{caption}\n".encode())
    assert data.sha256 == expected.hexdigest()
