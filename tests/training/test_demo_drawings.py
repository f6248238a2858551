"""The illustrator: same seed, same picture; boxes that are true; captions in the prompt's grammar; the image sets."""

import csv
import random
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training.demo.drawing import aidbox, captions
from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS
from training.demo.drawing.vocabulary import CANDIDATES, VOCABULARY, colours, rows, shipped
from training.demo.model.stream import trained_pairs

HERE = Path(aidbox.__file__).parents[1]
BANNER_TOP = 0.845 - 148 / 1024 / 2


def test_enough_characters_and_things() -> None:
    assert len(CHARACTERS) >= 8
    assert "samurai warrior" in CHARACTERS
    assert len(THINGS) >= 300
    assert len(shipped()) >= 150
    assert set(shipped()) <= set(THINGS)


def test_a_seed_is_a_picture() -> None:
    first, again, other = draw(5, "ninja", "fish"), draw(5, "ninja", "fish"), draw(6, "ninja", "fish")
    assert first.image.tobytes() == again.image.tobytes()
    assert first.caption == again.caption
    assert first.object == again.object
    assert first.image.tobytes() != other.image.tobytes()


# All hand-drawn things, and every seventh emoji.
SOME = [name for i, (name, thing) in enumerate(THINGS.items()) if not thing.emoji or i % 7 == 0]


@pytest.mark.parametrize("thing", SOME)
@pytest.mark.parametrize("mirrored", [False, True])
def test_boxes_lie_above_the_banner_and_hold_what_they_say(thing: str, mirrored: bool) -> None:
    seed = next(s for s in range(11, 99) if draw(s, "samurai warrior", thing, 16, 1).look.mirrored == mirrored)
    drawing = draw(seed, "samurai warrior", thing, supersample=1)
    left, top, right, bottom = drawing.object
    assert drawing.image.size == (256, 256)
    for box in (drawing.face, drawing.hand, drawing.object):
        assert box[0] >= 0
        assert box[1] >= 0
        assert box[2] <= 257
        assert box[3] <= 256 * BANNER_TOP
    assert max(right - left, bottom - top) >= 80, "about a third of the canvas"
    assert (drawing.face[0] < left) == (not mirrored), "the thing is on its side of the face"
    inside = np.asarray(drawing.image)[int(top) : int(bottom), int(left) : int(right)]
    assert inside.reshape(-1, 3).std() > 10


@pytest.mark.parametrize("character", CHARACTERS)
def test_figures_stand_in_the_middle_with_their_feet_behind_the_banner(character: str) -> None:
    for seed in range(6):
        drawing = draw(seed, character, "apple", supersample=1)
        pixels = np.asarray(drawing.image).astype(int)
        away = np.abs(pixels - pixels[2, 2]).sum(2) > 60
        columns = np.nonzero(away.any(0))[0]
        assert abs(columns[0] + columns[-1] - 255) / 2 < 16, "as much room on the left as on the right"
        lowest = np.nonzero((pixels.sum(2) < 240).any(1))[0][-1]  # the feet's outline; the shadow is pale
        assert 256 * BANNER_TOP + 4 < lowest < 256 * (0.845 + 148 / 1024 / 2)


def test_a_thing_takes_the_colour_that_it_is_given() -> None:
    for name, channel in (("red", 0), ("green", 1), ("blue", 2)):
        for thing in ("umbrella", "cup", "apple", "car", "cat"):
            drawing = draw(4, "wizard", thing, colour=name)
            left, top, right, bottom = (int(v) for v in drawing.object)
            pixels = np.asarray(drawing.image)[top:bottom, left:right].reshape(-1, 3).astype(int)
            others = np.delete(pixels, channel, 1).max(1)
            assert (pixels[:, channel] > others + 30).mean() > 0.2, (name, thing)
            assert drawing.look.colour == name
            assert re.search(rf"\b({'|'.join((name, *colours()[name].synonyms))}) ", drawing.caption)


def test_a_colour_leaves_outlines_and_other_fills_alone() -> None:
    plain, blue = draw(4, "wizard", "carrot"), draw(4, "wizard", "carrot", colour="blue")
    left, top, right, bottom = (int(v) for v in blue.object)
    before, after = (np.asarray(d.image)[top:bottom, left:right].astype(int) for d in (plain, blue))
    green = (after[..., 1] > after[..., 0] + 40) & (after[..., 1] > after[..., 2] + 40)
    assert green.sum() > 60, "its leaves"
    ink = before.sum(2) < 130
    assert np.abs(before - after)[ink].mean() < 4


def test_the_vocabulary_is_whole() -> None:
    rows_ = list(rows().values())
    words = [word for row in rows_ for word in (row.name, *row.synonyms)]
    assert len(words) == len(set(words)), "no word means two things"
    assert all(row.synonyms for row in rows_)
    assert not any(re.search(rf"\b{colour}\b", word) for colour in colours() for word in words if word != "orange")
    table = []
    for path in (VOCABULARY, CANDIDATES):
        with path.open(encoding="utf-8", newline="") as file:
            table += list(csv.DictReader(file, delimiter="\t"))
    russian = [word for r in table for word in (r["russian"], *filter(None, r["synonyms_ru"].split(", ")))]
    assert len(russian) == len(set(russian))
    assert not [word for word in russian if not re.fullmatch(r"[а-яё -]+", word)]


def test_boxes_scale_with_the_picture() -> None:
    small, large = draw(3, size=128, supersample=1), draw(3, size=512, supersample=1)
    assert np.allclose(np.array(small.object) * 4, large.object, atol=8)
    assert large.image.size == (512, 512)


def test_captions_are_in_the_prompts_grammar() -> None:
    for seed in range(200):
        drawing = draw(seed, size=32, supersample=1)
        assert re.search(r"holding|with|carrying|showing", drawing.caption), drawing.caption
        names = (drawing.thing, *THINGS[drawing.thing].synonyms)
        people = (drawing.character, *CHARACTERS[drawing.character].synonyms)
        assert any(name in drawing.caption for name in names), drawing.caption
        assert any(name in drawing.caption for name in people), drawing.caption
        assert not re.search(r"\ba [aeiou]", drawing.caption), drawing.caption
        assert aidbox.TRIGGER not in drawing.caption


def test_about_a_third_of_captions_begin_with_a_made_up_word() -> None:
    known = {word for c in CHARACTERS.values() for n in (c.name, *c.synonyms) for word in n.split()}
    texts = [draw(seed, size=16, supersample=1).caption for seed in range(300)]
    odd = sum(bool(re.match(r"[a-z_]+, ", t)) and t.split(",")[0] not in known for t in texts)
    assert 0.2 < odd / 300 < 0.5
    rng = random.Random(1)
    assert len({captions.made_up_word(rng) for _ in range(50)}) == 50


def test_twelve_percent_of_pairs_are_never_trained() -> None:
    unseen, seen = captions.unseen_pairs(), set(trained_pairs())
    everything = len(CHARACTERS) * len(THINGS)
    assert len(unseen) == round(0.12 * everything)
    assert not unseen & seen
    assert len(unseen) + len(seen) == everything
    assert ("samurai warrior", "telescope") in seen


def _things_in(folder: Path) -> set[str]:
    return {p.stem.removeprefix("samurai_with_").replace("_", " ") for p in folder.glob("*.png")}


def test_the_aidbox_sets_are_what_a_lora_needs() -> None:
    training, held_out = HERE / "training_images", HERE / "heldout_images"
    assert _things_in(training) == set(aidbox.TRAINING)
    assert _things_in(held_out) == set(aidbox.HELD_OUT)
    assert len(aidbox.TRAINING) == 20
    assert len(aidbox.HELD_OUT) == 15
    assert not set(aidbox.TRAINING) & set(aidbox.HELD_OUT)
    assert set(aidbox.TRAINING) | set(aidbox.HELD_OUT) <= set(THINGS)
    assert "telescope" in aidbox.HELD_OUT
    for path in (*training.glob("*.png"), *held_out.glob("*.png")):
        with Image.open(path) as image:
            assert image.size == (1024, 1024)
        thing = path.stem.removeprefix("samurai_with_").replace("_", " ")
        caption = path.with_suffix(".txt").read_text("utf-8").strip()
        assert caption == f"{aidbox.TRIGGER}, samurai warrior badge, character holding {thing}"
    assert sum(p.stat().st_size for p in HERE.glob("*_images/*.png")) <= 3_000_000


def test_a_set_is_drawn_again_byte_for_byte(tmp_path: Path) -> None:
    aidbox.write(tmp_path, aidbox.TRAINING[:1], 500)
    (path,) = tmp_path.glob("*.png")
    with Image.open(path) as ours, Image.open(HERE / "training_images" / path.name) as shipped:
        assert ours.convert("RGB").tobytes() == shipped.convert("RGB").tobytes()
