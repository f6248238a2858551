"""Files of a finished badge: the right format, size, mode and resolution, and nothing of the portrait's metadata."""

import io

import pytest
from PIL import Image

from overlay import (
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


@pytest.mark.parametrize("style", ["round", "ribbon"])
def test_a_sticker_is_what_telegram_takes(style: str) -> None:
    data = to_sticker(draw_banner(portraits.busy(seed=3), "UX SCOUT", style))
    sticker = opened(data)
    assert sticker.format == "WEBP"
    assert max(sticker.size) == 512
    assert len(data) <= 512 * 1024
    if style == "round":
        assert sticker.mode == "RGBA"
        assert sticker.getpixel((0, 0))[3] == 0
        assert sticker.getbbox(alpha_only=True) == (0, 0, *sticker.size), "it fills the sticker from edge to edge"


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
