"""Badges for buttons: whatever the style and the text, nothing is cut and the background goes on into the bleed."""

import numpy as np
import pytest
from PIL import Image

from overlay import STYLES, draw_banner
from overlay.button import draw_button, place_on_button
from tests.overlay import portraits

TRIM, BLEED = 320, 18
LONG = "Старший инженер по надёжности ИИ-систем"


def beyond(picture: Image.Image, round_: bool) -> np.ndarray:
    """The pixels between the trim line and the bleed's edge, shape (count, 3)."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    side = len(pixels)
    y, x = np.mgrid[:side, :side] + 0.5 - side / 2
    away = np.hypot(x, y) if round_ else np.maximum(abs(x), abs(y))
    return pixels[(away > TRIM / 2) & (away < TRIM / 2 + BLEED)]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("text", ["QA", LONG])
def test_nothing_lies_across_the_trim_line(style: str, text: str) -> None:
    portrait = portraits.light(512)
    drawn = draw_button(portrait, text, style, trim=TRIM, bleed=BLEED)
    printed = place_on_button(draw_banner(portrait, text, style), trim=TRIM, bleed=BLEED)
    for picture in (drawn, printed):
        assert (picture.size, picture.mode) == ((TRIM + 2 * BLEED,) * 2, "RGB")
        outside = beyond(picture, round_=True)
        assert abs(outside - np.median(outside, axis=0)).max() <= 48, "a shadow at most"
        # The badge is large all the same: what stands out reaches near the line somewhere.
        pixels = np.asarray(picture).astype(int)
        y, x = np.nonzero(abs(pixels - np.median(outside, axis=0)).max(axis=2) > 60)
        middle = picture.width / 2
        assert np.hypot(x - middle, y - middle).max() > 0.44 * TRIM


def test_the_bleed_has_the_background_of_the_picture() -> None:
    portrait = portraits.light(512)
    ground = np.array(portrait.getpixel((3, 3)))
    for style in STYLES:
        outside = beyond(draw_button(portrait, "QA", style, trim=TRIM, bleed=BLEED), round_=True)
        assert abs(np.median(outside, axis=0) - ground).max() <= 4, style


def test_a_square_sticker_is_as_large_as_its_trim_line() -> None:
    portrait = portraits.light(512)
    drawn = draw_button(portrait, "QA", "ribbon", trim=TRIM, bleed=BLEED, round_=False)
    whole = draw_banner(portrait.resize((TRIM, TRIM), Image.Resampling.BICUBIC), "QA", "ribbon")
    inside = drawn.crop((BLEED, BLEED, BLEED + TRIM, BLEED + TRIM))
    assert abs(np.asarray(inside).astype(int) - np.asarray(whole)).mean() < 1.5
    assert abs(beyond(drawn, round_=False) - np.array(portrait.getpixel((3, 3)))).max() <= 40


def test_a_busy_background_is_filled_too() -> None:
    drawn = draw_button(portraits.busy(512), LONG, "ribbon", trim=TRIM, bleed=BLEED)
    assert drawn.size == (TRIM + 2 * BLEED,) * 2
