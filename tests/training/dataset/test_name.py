"""The naming page: what it shows, writes and refuses, and a browser's keyboard from the first picture to the last."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import aiohttp
import numpy as np
import pytest
from aiohttp import web
from PIL import Image, ImageFilter

from configs import default_settings
from configs.console import BAD_INPUT
from tests.chromium import needs_chromium, tab
from tests.training.pictures import TRIGGER, draw_picture, fill_folder
from training.dataset.__main__ import main
from training.dataset.captions import CaptionRule
from training.dataset.looks import blurred, cropped, unlike
from training.dataset.name_page import build_app
from training.dataset.naming import Naming, suggestions
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw

RULE = CaptionRule(TRIGGER, "samurai warrior badge, character holding {object}")
CAPTION = f"{TRIGGER}, samurai warrior badge, character holding {{}}\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures: one whose name says what is held, two that say nothing."""
    folder = tmp_path / "set"
    folder.mkdir()
    for number, name in enumerate(("IMG_1.png", "IMG_2.png", "samurai_with_drum.png")):
        draw_picture(number, 600).save(folder / name)
    return folder


def naming_of(folder: Path) -> Naming:
    return Naming(folder, RULE, default_settings().translation)


@contextmanager
def served(folder: Path, naming: Naming | None = None) -> Iterator[str]:
    """The page on a free port, in a thread of its own."""
    ready, loop, url = Event(), asyncio.new_event_loop(), []

    async def run() -> None:
        runner = web.AppRunner(build_app(naming or naming_of(folder)))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url.append(f"http://127.0.0.1:{runner.addresses[0][1]}/")
        ready.set()
        await stop.wait()
        await runner.cleanup()

    stop = asyncio.Event()
    thread = Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    assert ready.wait(30)
    try:
        yield url[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(30)
        loop.close()


@needs_chromium
def test_the_keyboard_alone_names_every_picture(folder: Path, tmp_path: Path) -> None:
    async def person(url: str) -> None:
        async with tab(url, tmp_path / "browser", width=390) as page:
            assert await page.value("document.documentElement.scrollWidth <= innerWidth")
            await page.until("document.activeElement?.closest('.card')?.dataset.name === 'IMG_1.png'")
            await page.until("[...document.images].every(image => image.complete && image.naturalWidth)")
            await page.write("бумажный фонарик")
            await page.press("Enter", 13, "\r")
            await page.until("document.querySelector('.caption').textContent.includes('paper lantern')")
            assert await page.value("document.activeElement.closest('.card').dataset.name") == "IMG_2.png"
            await page.press("Tab", 9)
            await page.press(" ", 32, " ")
            await page.until("document.querySelectorAll('.card.out').length === 1")
            await page.press("Tab", 9)
            await page.press("Enter", 13, "\r")
            await page.until("!document.querySelectorAll('.unsaved')[1]")
            assert await page.value("document.getElementById('progress').textContent") == "2 of 2 named."
            await page.until("document.querySelectorAll('.card')[2].querySelector('input').dataset.saved === 'drum'")

    with served(folder) as url:
        asyncio.run(person(url))
    assert {path.name: path.read_text() for path in folder.glob("*.txt")} == {
        "IMG_1.txt": CAPTION.format("paper lantern"),
        "samurai_with_drum.txt": CAPTION.format("drum"),
    }
    assert (folder / ".left_out" / "IMG_2.png").is_file()


def test_only_the_page_itself_changes_files_and_only_listed_ones(folder: Path) -> None:
    async def ask(url: str) -> list[tuple[int, str]]:
        said = []
        async with aiohttp.ClientSession() as session:
            ours, body = {"X-Badges": "1"}, {"name": "IMG_1.png", "object": "lamp"}
            for headers, told in (
                ({}, body),
                ({**ours, "Host": "example.org"}, body),
                (ours, {**body, "name": "../IMG_1.png"}),
                (ours, {**body, "object": "x" * 200}),
                (ours, {**body, "object": "абырвалг кракозябр"}),
                (ours, ["not", "a", "table"]),
            ):
                async with session.post(url + "object", headers=headers, data=json.dumps(told)) as response:
                    said.append((response.status, (await response.json())["error"]))
            async with session.get(url + "picture", params={"name": "../../etc/passwd"}) as response:
                said.append((response.status, (await response.json())["error"]))
        return said

    with served(folder) as url:
        said = asyncio.run(ask(url))
    assert [status for status, _ in said] == [403, 403, 404, 422, 422, 404, 404]
    assert not list(folder.glob("*.txt"))


def test_a_picture_that_is_left_out_comes_back_with_its_caption(folder: Path) -> None:
    naming = naming_of(folder)
    assert naming.put_object("IMG_1.png", "lamp")["english"] == "lamp"
    away = naming.leave_out("IMG_1.png", True)
    assert away == ".left_out/IMG_1.png"
    draw_picture(5).save(folder / "IMG_1.png")
    naming.read()
    assert naming.leave_out(away, False) == "IMG_1_2.png"
    assert (folder / "IMG_1_2.txt").read_text() == CAPTION.format("lamp")
    assert naming.put_object("IMG_1_2.png", "")["caption"] == ""
    assert not (folder / "IMG_1_2.txt").exists()


def test_words_are_offered_in_the_language_that_is_typed() -> None:
    assert "teapot" in suggestions("teap")
    assert "чайник" in suggestions("чайн")
    assert suggestions("q") == suggestions("qqqq") == []


def test_another_character_blur_and_cut_figures_are_told_apart() -> None:
    """Twelve aidbox samurai among six others, as they are calibrated on; their own variety is no reason."""
    ours = [shrunk(path) for path in sorted(Path("training/demo/training_images").glob("*.png"))]
    others = [
        np.asarray(draw(100 + number, name, "lamp").image.convert("RGB").resize((256, 256)))
        for number, name in enumerate(name for name in CHARACTERS if name != "samurai warrior")
    ]
    assert unlike(ours[:12] + others[:6]) == [False] * 12 + [True] * 6
    assert not any(unlike(ours))
    assert not any(map(blurred, ours + others))
    assert not any(map(cropped, ours + others))
    soft = [np.asarray(Image.fromarray(each).filter(ImageFilter.GaussianBlur(2))) for each in ours]
    assert all(map(blurred, soft))
    cut = [np.asarray(Image.fromarray(each).crop((90, 20, 230, 160)).resize((256, 256))) for each in ours]
    assert sum(map(cropped, cut)) >= len(cut) // 2


def shrunk(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((256, 256), Image.Resampling.BOX))


@pytest.mark.parametrize("options", [["--port", "99999"], ["nowhere"]])
def test_what_cannot_be_served_is_one_line(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = fill_folder(tmp_path / "set", count=1)
    arguments = ["name", str(folder), *options] if options[0] == "--port" else ["name", str(tmp_path / options[0])]
    assert main(arguments) == BAD_INPUT
    assert capsys.readouterr().err.count("\n") == 1
