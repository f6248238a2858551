"""Portraits as people send them: unusual ones are taken and turned upright, broken ones refused with one clear line."""

import io
import tracemalloc

import pytest
from PIL import Image

from overlay import InvalidImage, draw_banner, open_portrait
from tests.overlay import bad_images, portraits

SOUND, BROKEN = bad_images.sound(), bad_images.broken()


def test_there_are_a_hundred() -> None:
    assert len(SOUND) + len(BROKEN) >= 100


@pytest.mark.parametrize("name", SOUND)
def test_an_unusual_picture_is_taken(name: str) -> None:
    portrait = open_portrait(SOUND[name])
    assert portrait.mode == "RGB"
    assert draw_banner(portrait, "QA").tobytes() == draw_banner(open_portrait(SOUND[name]), "QA").tobytes()
    with Image.open(io.BytesIO(SOUND[name])) as lazy:
        assert draw_banner(lazy, "QA").tobytes() == draw_banner(portrait, "QA").tobytes()


def test_a_broken_file_is_refused_or_read_the_same_way_twice() -> None:
    """Damage inside the pixels can be unnoticeable; everything else must be an InvalidImage."""
    tracemalloc.start()
    refused = 0
    for name, data in BROKEN.items():
        outcomes = [_outcome(data), _outcome(data)]
        assert all(o.isprintable() for o in outcomes if isinstance(o, str)), name
        refused += sum(isinstance(outcome, str) for outcome in outcomes)
        assert outcomes[0] == outcomes[1], name
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused >= 2 * (len(BROKEN) - 14)
    assert peak < 64 * 2**20


def _outcome(data: bytes) -> bytes | str:
    """The pixels of a banner over the picture, or the message of the InvalidImage."""
    try:
        return draw_banner(open_portrait(data), "QA").tobytes()
    except InvalidImage as error:
        return str(error)


@pytest.mark.parametrize("name", [name for name in BROKEN if "bomb" in name or name == "negative size"])
def test_a_bomb_is_refused_by_its_header(name: str) -> None:
    with pytest.raises(InvalidImage, match="pixels"):
        open_portrait(BROKEN[name])


def test_a_turned_photograph_stands_upright() -> None:
    for orientation in range(1, 9):
        assert open_portrait(bad_images.turned(orientation)).size == ((160, 96) if orientation < 5 else (96, 160))


def test_hidden_colours_stay_hidden() -> None:
    image = Image.new("RGBA", (96, 96), (255, 0, 0, 0))
    assert draw_banner(image, "QA").getpixel((48, 4)) == (255, 255, 255)
    palette = Image.new("P", (96, 96), 0)
    palette.putpalette([255, 0, 0] * 256)
    palette.info["transparency"] = 0
    assert draw_banner(palette, "QA").getpixel((48, 4)) == (255, 255, 255)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    portrait = open_portrait(SOUND["16-bit grey"])
    assert portrait.getpixel((1, 1)) == pytest.approx((155, 155, 155), abs=1)


def test_an_animation_shows_its_first_frame() -> None:
    first = open_portrait(SOUND["animated png"])
    assert first.tobytes() == portraits.light(96).tobytes()


@pytest.mark.parametrize("thing", [None, "portrait.png", b"", 7])
def test_what_is_no_image_is_told_so(thing: object) -> None:
    with pytest.raises(InvalidImage, match="Pillow image"):
        draw_banner(thing, "QA")  # type: ignore[arg-type]


def test_a_missing_file_is_told_so(tmp_path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidImage, match=r"portrait none\.png does not exist"):
        open_portrait(tmp_path / "none.png")
