"""Text in pictures: found where it stands, on drawings; not seen in textures, keys and books."""

import asyncio
from pathlib import Path

import aiohttp
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.lettering.stamps import stamped
from benchmarks.lettering.textures import KINDS, texture
from tests.training.dataset.test_name import RULE, naming_of, served
from training.dataset.checks import check
from training.dataset.marks import text_in
from training.dataset.marks.regions import regions_of
from training.dataset.pictures import read_data_set
from training.demo.drawing.illustrator import draw

OURS = sorted(Path("training/demo/training_images").glob("*.png"))
WRITTEN = {"samurai_with_bow.png": "caption", "samurai_with_drum.png": "date", "samurai_with_key.png": "address"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Ten pictures, three of which bear text."""
    for path in (each for each in OURS if each.name in WRITTEN or each.name < "samurai_with_cup"):
        with Image.open(path) as image:
            picture = image.convert("RGB").resize((512, 512))
        if path.name in WRITTEN:
            picture = stamped(picture, WRITTEN[path.name], 0.04, 1.0, seed=3)
        picture.save(tmp_path / path.name)
    return tmp_path


def test_the_check_names_exactly_the_pictures_with_text(folder: Path) -> None:
    found = check(read_data_set(folder, RULE))
    assert {each.name for each in found if each.text.startswith("text ")} == set(WRITTEN)
    assert {each.level for each in found if each.text.startswith("text ")} == {"warning"}


def test_the_naming_page_shows_it(folder: Path) -> None:
    cards = {card.name: card.marks for card in naming_of(folder).read()}
    assert {name for name, marks in cards.items() if any(mark.startswith("text along the") for mark in marks)} == set(
        WRITTEN
    )

    async def page(url: str) -> str:
        async with aiohttp.ClientSession() as session, session.get(url) as response:
            return await response.text()

    with served(folder) as url:
        assert asyncio.run(page(url)).count("crop or paint it out") == len(WRITTEN)


def test_a_picture_that_went_away_has_no_text(folder: Path) -> None:
    data = read_data_set(folder, RULE)
    for name in WRITTEN:
        (folder / name).unlink()
    assert not [each for each in check(data) if each.text.startswith("text ")]


@pytest.mark.parametrize("kind", ["caption", "outlined", "name", "address", "date", "cyrillic"])
def test_print_along_an_edge_is_found_where_it_stands(kind: str) -> None:
    picture = Image.new("RGB", (640, 480), (235, 240, 245))
    places = {text_in(stamped(picture, kind, share, 1.0, seed)) for share in (0.03, 0.05) for seed in range(4)}
    assert places == {"along the upper edge", "along the lower edge"}


def test_a_word_in_the_middle_is_said_to_be_there() -> None:
    picture = Image.new("RGB", (512, 700), (40, 60, 90))
    assert {text_in(stamped(picture, "word", 0.03, 1.0, seed)) for seed in range(3)} == {"in the middle"}


@pytest.mark.parametrize("kind", KINDS)
def test_a_texture_is_no_text(kind: str) -> None:
    assert [text_in(texture(kind, seed)) for seed in range(6)] == [""] * 6


@pytest.mark.parametrize("thing", ["keyboard", "piano", "books", "chart", "fries", "bus", "zebra"])
def test_a_row_of_parts_of_a_drawing_is_no_text(thing: str) -> None:
    assert [text_in(draw(seed, thing=thing, size=512).image) for seed in range(4)] == [""] * 4


def test_a_picture_of_nothing_and_a_tiny_one_are_looked_at() -> None:
    assert text_in(Image.new("L", (1, 1))) == text_in(Image.new("RGB", (2048, 1), "white")) == ""


def test_regions_are_those_that_filling_finds() -> None:
    random = np.random.default_rng(2)
    for share in (0.2, 0.5, 0.6, 0.9):
        mask = random.random((31, 40)) < share
        regions = regions_of(mask)
        got = zip(regions.left, regions.top, regions.right, regions.bottom, regions.area, strict=True)
        assert sorted(tuple(map(int, each)) for each in got) == sorted(filled(mask))
        one, other = np.pad(mask, ((0, 0), (1, 0))), np.pad(mask, ((1, 0), (0, 0)))
        assert regions.runs.sum() == np.count_nonzero(np.diff(one.astype(int), axis=1) > 0)
        assert regions.columns.sum() == np.count_nonzero(np.diff(other.astype(int), axis=0) > 0)
    assert len(regions_of(np.zeros((5, 5), bool)).area) == 0


def filled(mask: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """Boxes and areas by filling from each pixel, one after the other."""
    left = {(int(y), int(x)) for y, x in np.argwhere(mask)}
    found = []
    while left:
        open_, shape = [left.pop()], []
        while open_:
            y, x = open_.pop()
            shape.append((y, x))
            for near in ((y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)):
                if near in left:
                    left.remove(near)
                    open_.append(near)
        ys, xs = [y for y, _ in shape], [x for _, x in shape]
        found.append((min(xs), min(ys), max(xs) + 1, max(ys) + 1, len(shape)))
    return found
