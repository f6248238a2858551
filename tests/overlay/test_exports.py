"""Files of a finished badge: the right format, size, mode and resolution, and nothing of the portrait's metadata."""

import io
from collections.abc import Callable

import pytest
from PIL import Image

from overlay import (
    STYLES,
    InvalidImage,
    draw_banner,
    draw_print,
    to_jpeg,
    to_png,
    to_print_pdf,
    to_print_png,
    to_sticker,
    to_webp,
)
from overlay.drawing.cutout import cut_out
from tests.overlay import portraits


def opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


@pytest.fixture(scope="module")
def ribbon() -> Image.Image:
    badge = draw_banner(portraits.light(), "UX SCOUT")
    badge.info["comment"] = b"where the portrait came from"
    return badge


@pytest.fixture(scope="module")
def medal() -> Image.Image:
    return draw_banner(portraits.busy(), "UX SCOUT", "round")


def test_png_is_lossless_and_bare(ribbon: Image.Image, medal: Image.Image) -> None:
    assert opened(to_png(ribbon)).tobytes() == ribbon.tobytes()
    assert opened(to_png(ribbon)).info == {}
    assert opened(to_png(medal)).mode == "RGBA"


def test_chat_formats(ribbon: Image.Image, medal: Image.Image) -> None:
    for badge in (ribbon, medal):
        jpeg, webp = opened(to_jpeg(badge)), opened(to_webp(badge))
        assert (jpeg.format, jpeg.mode, jpeg.size) == ("JPEG", "RGB", badge.size)
        assert (webp.format, webp.mode, webp.size) == ("WEBP", badge.mode, badge.size)
    red, green, blue = opened(to_jpeg(medal)).getpixel((2, 2))
    assert min(red, green, blue) > 250


@pytest.mark.parametrize("style", sorted(STYLES))
@pytest.mark.parametrize("portrait", [portraits.light, portraits.dark, portraits.busy])
def test_a_sticker_is_what_telegram_takes(portrait: Callable[[], Image.Image], style: str) -> None:
    data = to_sticker(draw_banner(portrait(), "UX SCOUT", style))
    sticker = opened(data)
    assert (sticker.format, sticker.mode) == ("WEBP", "RGBA")
    assert max(sticker.size) == 512
    assert len(data) <= 512 * 1024
    assert sticker.getpixel((0, 0))[3] == 0
    assert sticker.getbbox(alpha_only=True) == (0, 0, *sticker.size), "it fills the sticker from edge to edge"


@pytest.mark.parametrize("style", ["ribbon", "arc", "plate", "flat"])
@pytest.mark.parametrize("portrait", [portraits.light, portraits.dark])
def test_a_sticker_is_cut_out_along_the_figure(portrait: Callable[[], Image.Image], style: str) -> None:
    badge = draw_banner(portrait(), "UX SCOUT", style)
    cut = cut_out(badge)
    left = (cut.width - badge.width) // 2
    alpha = cut.getchannel("A").crop((left, left, left + badge.width, left + badge.height))
    shown = {alpha.getpixel(point) for point in ((495, 280), (495, 650), (793, 400), (512, 880))}
    assert shown == {255}, "head, body, staff and banner"
    gone = {alpha.getpixel(point) for point in ((100, 300), (900, 200), (720, 400), (20, 1010), (500, 1012))}
    assert gone == {0}, "the background beside, between and below them, the banner's shadow with it"
    # Going in from the left at the head's height: nothing, the white line, then the head's dark outline.
    row = [cut.getpixel((x, left + 400)) for x in range(cut.width)]
    first = next(x for x, pixel in enumerate(row) if pixel[3] > 250)
    assert all(min(pixel[:3]) > 240 for pixel in row[first : first + 10])


def test_a_sticker_of_a_photograph_is_a_rounded_square() -> None:
    cut = cut_out(draw_banner(portraits.busy(), "UX SCOUT"))
    room = (cut.width - 1024) // 2
    alpha = cut.getchannel("A")
    assert alpha.getpixel((room + 20, room + 20)) == 0
    assert {alpha.getpixel((x, y)) for x in (room + 1, 512, 1022 + room) for y in (400, 700)} == {255}
    assert cut.getpixel((room // 2, 500))[:3] == (255, 255, 255)


def test_a_sticker_of_nothing_is_refused() -> None:
    with pytest.raises(InvalidImage, match="transparent"):
        to_sticker(Image.new("RGBA", (64, 64)))


@pytest.mark.parametrize("style", ["ribbon", "round"])
def test_a_print_is_drawn_at_its_own_size(style: str) -> None:
    side = 2048
    printed = draw_print(portraits.light(256), "UX SCOUT", style, side)
    assert printed.size == (side, side)
    # Sharp letters: an enlarged banner would have no pixel-wide steps from dark stroke to bright face.
    grey = printed.convert("L").crop((side // 4, round(side * 0.8), 3 * side // 4, round(side * 0.95)))
    row = [grey.crop((0, y, grey.width, y + 1)).tobytes() for y in range(0, grey.height, 16)]
    assert max(abs(a - b) for values in row for a, b in zip(values, values[2:], strict=False)) > 150
    png = opened(to_print_png(printed))
    assert png.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    pdf = to_print_pdf(printed, title="UX SCOUT")
    assert pdf.startswith(b"%PDF")
    assert b"CreationDate" not in pdf
    assert b"/MediaBox [ 0 0 491.52 491.52 ]" in pdf


def test_a_print_keeps_the_portrait_s_shape_and_limits() -> None:
    assert draw_print(portraits.light(512).crop((0, 0, 512, 256)), "QA", "ribbon", 800).size == (800, 400)
    for side in (10, 10_000):
        with pytest.raises(InvalidImage, match="pixels cannot be made"):
            draw_print(portraits.light(64), "QA", "ribbon", side)


def test_the_same_badge_gives_the_same_bytes(ribbon: Image.Image, medal: Image.Image) -> None:
    for write in (to_png, to_jpeg, to_webp, to_sticker, to_print_png, to_print_pdf):
        assert write(medal) == write(medal)
        assert write(ribbon) == write(ribbon.copy())
