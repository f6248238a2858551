"""The data set doctor: each thing that can be wrong is said, repair mends a copy, pack gives the same bytes."""

import io
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from PIL import Image, ImageFilter

from tests.training.pictures import TRIGGER, draw_picture, fill_folder
from training.dataset.__main__ import main
from training.dataset.captions import CaptionRule, clip_tokens, object_in_caption, object_in_name
from training.dataset.checks import check, load_data_set
from training.dataset.looks import background
from training.dataset.pack import pack
from training.dataset.pictures import read_data_set
from training.dataset.repair import repair
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw
from training.errors import DataSetError

RULE = CaptionRule(TRIGGER, "samurai warrior badge, character holding {object}", "cartoon illustration, flat colors")


def lines(folder: Path) -> list[str]:
    return [f"{finding.level}: {finding.line()}" for finding in check(read_data_set(folder, RULE))]


def said(found: list[str], *parts: str) -> None:
    """One line holds all `parts`."""
    assert any(all(part in line for part in parts) for line in found), found


@pytest.fixture(scope="module")
def fine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = fill_folder(tmp_path_factory.mktemp("data") / "fine", 15, side=1024)
    for number, path in enumerate(sorted(folder.glob("*.txt"))):
        path.write_text(f"{TRIGGER}, samurai warrior badge, character holding thing number{number}\n")
    return folder


@pytest.fixture
def good(fine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(fine, tmp_path / "good"))


def test_a_good_set_has_nothing_to_say(fine: Path) -> None:
    assert lines(fine) == []


def test_count_size_and_variety(tmp_path: Path) -> None:
    said(lines(fill_folder(tmp_path / "three", 3)), "error", "3 usable pictures", "at least 5")
    six = lines(fill_folder(tmp_path / "six", 6))
    said(six, "warning", "6 usable pictures", "15-25")
    said(six, "warning", "256x256", "1024x1024")
    said(lines(fill_folder(tmp_path / "tiny", 6, side=200)), "error", "200x200 is too small")
    same = fill_folder(tmp_path / "same", 8)
    for path in same.glob("*.txt"):
        path.write_text(f"{TRIGGER}, samurai warrior badge, character holding sword\n")
    said(lines(same), "warning", "only 1 object in 8 pictures (sword 8 times): the LoRA will learn it too")
    said(lines(fill_folder(tmp_path / "one", 1)), "error: 1 usable picture: a style needs")


def test_what_a_good_set_still_lacks_is_said_with_the_page_that_helps(fine: Path, tmp_path: Path) -> None:
    eight = fill_folder(tmp_path / "eight", 8)
    for path, thing in zip(sorted(eight.glob("*.txt")), (*"abcdddd", ""), strict=True):
        path.write_text(f"{TRIGGER}, samurai warrior badge, character holding {thing * 3}\n" if thing else "")
    (nameless,) = [path for path in eight.glob("*.txt") if not path.read_text()]
    nameless.unlink()
    nameless.with_suffix(".png").rename(eight / "IMG_2041.png")
    found = lines(eight)
    lacks = "a good set still lacks 7 more pictures, what 1 picture shows, 10 more objects"
    said(found, f"note: {lacks}; see it on a page: python -m training.dataset name {eight}")
    said(found, "warning: ddd 4 times (", "2 of them are enough")
    assert sum("are enough" in line for line in found) == 1
    assert not any("lacks" in line for line in lines(fine))
    # Free words in a caption say what is shown, too.
    for path in eight.glob("*.txt"):
        path.write_text(f"{TRIGGER}, on a horse, number {path.stem}\n")
    said(lines(eight), "lacks 7 more pictures, what 1 picture shows, 7 more objects")


def test_one_view_and_another_character_are_told(fine: Path, tmp_path: Path) -> None:
    """On our own pictures, which both are calibrated on."""
    ours = sorted(Path("training/demo/training_images").glob("*.png"))
    assert [line.partition(";")[0] for line in lines(ours[0].parent)] == [
        "note: a good set still lacks other views (all show the figure in the same place and size)"
    ]
    mixed = tmp_path / "mixed"
    mixed.mkdir()
    for path in ours[:12]:
        shutil.copy(path, mixed)
        shutil.copy(path.with_suffix(".txt"), mixed)
    others = [name for name in CHARACTERS if name != "samurai warrior"][:6]
    for number, name in enumerate(others):
        draw(100 + number, name, "lamp").image.convert("RGB").save(mixed / f"{name}.png")
    odd = [line for line in lines(mixed) if "unlike the others" in line]
    assert sorted(line.split(": ")[1] for line in odd) == sorted(f"{name}.png" for name in others)

    flaws = tmp_path / "flaws"
    flaws.mkdir()
    for path in ours[:8]:
        shutil.copy(path, flaws)
        shutil.copy(path.with_suffix(".txt"), flaws)
    with Image.open(ours[8]) as image:
        image.convert("RGB").filter(ImageFilter.GaussianBlur(9)).save(flaws / "samurai_with_soft.png")
        image.convert("RGB").crop((300, 0, 1024, 724)).resize((1024, 1024)).save(flaws / "samurai_with_cut.png")
    said = [line for line in lines(flaws) if "soft.png" in line or "cut.png" in line]
    assert any("soft.png: blurred" in line for line in said)
    assert any("cut.png: cut off at the edge" in line for line in said)
    assert not any("soft.png: unlike" in line for line in said), "it is the same character"
    assert not any("blurred" in line or "cut off" in line for line in set(lines(flaws)) - set(said))

    views = tmp_path / "views"
    views.mkdir()
    for number, path in enumerate(ours):
        with Image.open(path) as image:
            small = image.convert("RGB").resize((256, 256))
        side = (256, 205)[number % 2]
        view = Image.new("RGB", (256, 256), small.getpixel((3, 3)))
        view.paste(small.resize((side, side)), ((256 - side) // 2, 256 - side))
        view.save(views / path.name)
        shutil.copy(path.with_suffix(".txt"), views)
    assert not any("lacks" in line for line in lines(views))


def test_pictures_that_need_mending(good: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    draw_picture(0, 1024).save(good / "samurai_with_sword.png", exif=exif)
    clear = draw_picture(2, 1024).convert("RGBA")
    clear.putpixel((0, 0), (0, 0, 0, 0))
    clear.save(good / "samurai_with_lamp.png")
    (good / "samurai_with_drum.png").write_bytes((good / "samurai_with_drum.png").read_bytes()[:2000])
    Image.effect_noise((1024, 1024), 100).convert("RGB").save(good / "samurai_with_cup.png")
    (good / "samurai_with_copy.png").write_bytes((good / "samurai_with_kite.png").read_bytes())
    Image.open(good / "samurai_with_book.png").resize((1100, 1100)).save(good / "samurai_with_again.png")
    found = lines(good)
    said(found, "note", "samurai_with_sword.png", "EXIF")
    said(found, "warning", "samurai_with_lamp.png", "transparency")
    said(found, "error", "samurai_with_drum.png", "cannot be decoded")
    said(found, "warning", "samurai_with_cup.png", "busy background")
    said(found, "warning", "the same picture as")
    said(found, "warning", "nearly the same as")


def test_captions(good: Path) -> None:
    (good / "samurai_with_sword.txt").write_bytes("самурай с мечом".encode("cp1251"))
    (good / "samurai_with_lamp.txt").write_text("a samurai holding lamp")
    long = "a very detailed description of many things " * 12
    (good / "samurai_with_book.txt").write_text(f"{long}, {TRIGGER}")
    (good / "samurai_with_cup.txt").write_text(f"{TRIGGER}, holding cup, cartoon illustration, watercolor")
    (good / "samurai_with_drum.txt").unlink()
    found = lines(good)
    said(found, "warning", "samurai_with_sword.txt", 'in cp1251, not UTF-8, and is read as "самурай с мечом"')
    said(found, "warning", "samurai_with_lamp.txt", "without the trigger")
    said(found, "warning", "samurai_with_book.txt", "77 tokens")
    said(found, "warning", "samurai_with_cup.txt", "cartoon illustration", "watercolor")
    said(found, "note", "1 picture without a caption")


def test_captions_are_made_from_names_and_get_the_trigger(tmp_path: Path) -> None:
    folder = fill_folder(tmp_path / "bare", 5, captions=False)
    (folder / "samurai_with_lamp.txt").write_text("[trigger] samurai with a lamp")
    data = read_data_set(folder, RULE)
    captions = {picture.path.stem: data.caption(picture) for picture in data.pictures}
    assert captions["samurai_with_sword"] == f"{TRIGGER}, samurai warrior badge, character holding sword"
    assert captions["samurai_with_lamp"] == f"{TRIGGER} samurai with a lamp"


@pytest.mark.parametrize(
    ("stem", "thing"),
    [
        ("samurai_with_sword", "sword"),
        ("samurai_with_magnifying_glass-2", "magnifying glass"),
        ("samurai holding a red lamp", "red lamp"),
        ("IMG_0001", ""),
        ("самураи\u0306_с_чаи\u0306ником", "самурай с чайником"),
        ("हिन्दी", "हिन्दी"),
        ("IMG_teapot", "teapot"),
    ],
)
def test_objects_in_names(stem: str, thing: str) -> None:
    assert object_in_name(stem) == thing


def test_objects_in_captions_and_tokens() -> None:
    assert object_in_caption("x, samurai, holding a golden key in his hand, y") == "golden key"
    assert object_in_caption("a samurai") == ""
    assert clip_tokens("a samurai, 12") == 6
    assert clip_tokens("самурай") == 7


def test_repair_writes_a_clean_copy_and_leaves_the_originals(good: Path, tmp_path: Path) -> None:
    (good / "samurai_with_sword.txt").write_bytes("самурай с мечом".encode("cp1251"))
    (good / "samurai_with_drum.png").write_bytes(b"no picture")
    (good / "samurai_with_copy.png").write_bytes((good / "samurai_with_lamp.png").read_bytes())
    exif = Image.Exif()
    exif[0x0112] = 6
    wide = draw_picture(3, 1024).crop((0, 0, 1024, 900))
    wide.save(good / "samurai_with_cup.png", exif=exif)
    before = {path: path.read_bytes() for path in good.iterdir()}
    done = repair(read_data_set(good, RULE), tmp_path / "mended")
    assert {path: path.read_bytes() for path in good.iterdir()} == before
    assert any("left out, it cannot be decoded" in line for line in done)
    assert any("left out, it is the same picture" in line for line in done)
    text = (tmp_path / "mended" / "samurai_with_sword.txt").read_text(encoding="utf-8")
    assert text == f"{TRIGGER}, самурай с мечом\n"
    with Image.open(tmp_path / "mended" / "samurai_with_cup.png") as mended:
        assert mended.size == (900, 1024)
        assert not mended.getexif()
    assert not [line for line in lines(tmp_path / "mended") if line.startswith("error")]
    with pytest.raises(DataSetError, match="not an empty folder"):
        repair(read_data_set(good, RULE), tmp_path / "mended")
    with pytest.raises(DataSetError, match="never touches the originals"):
        repair(read_data_set(good, RULE), good)


def test_packing_twice_gives_the_same_bytes_with_captions_beside(good: Path, tmp_path: Path) -> None:
    data = read_data_set(good, RULE)
    one, two = pack(data, tmp_path / "one.zip"), pack(data, tmp_path / "deep" / "two.zip")
    assert one.read_bytes() == two.read_bytes()
    with zipfile.ZipFile(one) as archive:
        names = archive.namelist()
        assert names == sorted(names)
        assert {n.rsplit(".", 1)[0] for n in names if n.endswith(".txt")} == {
            n.rsplit(".", 1)[0] for n in names if n.endswith(".png")
        }
        assert archive.read("samurai_with_sword.txt").decode().startswith(TRIGGER)
        Image.open(io.BytesIO(archive.read("samurai_with_sword.png"))).verify()


def test_a_broken_picture_among_good_ones_stops_a_training_in_one_line(good: Path, tmp_path: Path) -> None:
    (good / "samurai_with_drum.png").write_bytes(b"no picture")
    with pytest.raises(DataSetError, match=r"samurai_with_drum.png: cannot be decoded \(not a picture\)"):
        load_data_set(good, RULE)
    with pytest.raises(DataSetError, match="repair"):
        pack(read_data_set(good, RULE), tmp_path / "x.zip")
    assert not (tmp_path / "x.zip").exists()


def test_the_background_measure_tells_calm_from_busy() -> None:
    import numpy as np

    assert background(np.full((64, 64, 3), 200, np.uint8)) == 0
    busy = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    assert background(busy) > 0.8


def test_the_command_line(good: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report = tmp_path / "report.html"
    assert main(["check", str(good), "--out", str(report)]) == 0
    assert "15 pictures" in capsys.readouterr().out
    page = report.read_text(encoding="utf-8")
    assert page.count("<figure>") == 15
    assert "http" not in page.replace("http-equiv", "")
    (good / "samurai_with_drum.png").write_bytes(b"no picture")
    assert main(["check", str(good), "--out", str(report)]) == 1
    assert main(["check", str(tmp_path / "nowhere")]) == 2
    said = f"error: no such folder: {tmp_path / 'nowhere'}; name the folder with your 15-25 pictures\n"
    assert capsys.readouterr().err == said
    (tmp_path / "empty").mkdir()
    assert main(["check", str(tmp_path / "empty")]) == 2
    assert "no pictures in" in capsys.readouterr().err


@pytest.mark.parametrize("columns", [64, 80, 200])
def test_the_table_fits_the_terminal(
    columns: int,
    six_pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = Path(shutil.copytree(six_pictures, tmp_path / "six"))
    shutil.copy(folder / "samurai_with_lamp.png", folder / f"{'a_long_name_' * 8}lamp.png")
    monkeypatch.setenv("COLUMNS", str(columns))
    assert main(["check", str(folder), "--out", str(tmp_path / "r.html")]) == 0
    out = capsys.readouterr().out.splitlines()
    table = [line for line in out if " 256x256 " in line]
    assert len(table) == 7
    assert max(map(len, [out[0], *table])) <= columns
    assert all(line.endswith(("sword", "scroll", "lamp", "kite", "drum", "book", "lamp)")) for line in table)


def test_checking_loads_no_torch(six_pictures: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from training.dataset.__main__ import main; "
        f"main(['check', {str(six_pictures)!r}, '--out', {str(tmp_path / 'r.html')!r}]); "
        "sys.exit(bool({'torch', 'diffusers', 'transformers', 'peft'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0
