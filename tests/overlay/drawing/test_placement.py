"""The banner goes where it hides least: measured on drawings whose boxes of face, hand and object are known."""

import math
import random

import pytest
from PIL import Image, ImageDraw

from overlay import STYLES, clean_text, draw_banner
from overlay.banner import plan_banner
from overlay.drawing.placement import find_height, find_subject
from tests.overlay import portraits
from training.demo.drawing.illustrator import draw

Box = tuple[float, float, float, float]
TEXTS = ("UX SCOUT", "QA", "Старший инженер по надёжности ИИ-систем", "ГЛАВНЫЙ АРХИТЕКТОР")
FLAT = [style for style in STYLES.values() if style.ring is None]


def covered(portrait: Image.Image, text: str, style_name: str, box: Box) -> float:
    """The share of a box in pixels that the banner's opaque part hides."""
    body = plan_banner(portrait, clean_text(text), STYLES[style_name]).body
    left, top, right, bottom = (round(v) for v in box)
    hidden = Image.new("L", portrait.size)
    hidden.paste(body.image.getchannel("A").point([0] * 160 + [255] * 96), (body.box.left, body.box.top))
    part = hidden.crop((max(0, left), max(0, top), min(right, portrait.width), min(bottom, portrait.height)))
    return part.histogram()[255] / max(1, (right - left) * (bottom - top))


@pytest.mark.parametrize("style", FLAT, ids=lambda style: style.name)
def test_neither_face_nor_object_is_covered(style) -> None:  # type: ignore[no-untyped-def]
    rng = random.Random(5)
    for seed in range(12):
        drawing = draw(4000 + seed, size=512, supersample=1)
        text = rng.choice(TEXTS)
        assert covered(drawing.image, text, style.name, drawing.face) == 0
        assert covered(drawing.image, text, style.name, drawing.object) <= 0.05


@pytest.mark.parametrize("style", FLAT, ids=lambda style: style.name)
def test_nothing_to_avoid_leaves_the_banner_where_it_always_is(style) -> None:  # type: ignore[no-untyped-def]
    for portrait in (Image.new("RGB", (1024, 1024), (240, 230, 210)), portraits.busy()):
        assert plan_banner(portrait, "UX SCOUT", style).at == (512, round(style.centre_y))


def height_for(portrait: Image.Image) -> int:
    """Where the ribbon goes on a portrait that is left as it is."""
    plan = plan_banner(Image.new("RGB", portrait.size, (240, 230, 210)), "UX SCOUT", STYLES["ribbon"])
    return find_height(portrait, plan.body.moved(-plan.at[0], -plan.at[1]), plan.at[1])


def test_an_object_held_low_pushes_the_banner_down() -> None:
    portrait = Image.new("RGB", (1024, 1024), (240, 230, 210))
    ImageDraw.Draw(portrait).ellipse((560, 600, 760, 800), fill=(200, 30, 30), outline=(20, 10, 10), width=8)
    usual = round(STYLES["ribbon"].centre_y)
    assert height_for(portrait) > usual


def test_a_face_at_the_foot_sends_the_banner_to_the_top() -> None:
    portrait = Image.new("RGB", (1024, 1024), (240, 230, 210))
    pen = ImageDraw.Draw(portrait)
    face = (300, 560, 724, 990)
    pen.ellipse(face, fill=(250, 205, 160), outline=(20, 10, 10), width=10)
    for x in (420, 604):
        pen.ellipse((x - 30, 700, x + 30, 780), fill=(20, 10, 10))
    pen.arc((420, 780, 604, 900), 20, 160, fill=(20, 10, 10), width=12)
    assert height_for(portrait) < 512


def test_the_subject_is_found_on_a_plain_ground_only() -> None:
    portrait = Image.new("RGB", (512, 512), (226, 244, 234))
    ImageDraw.Draw(portrait).rectangle((128, 64, 319, 447), fill=(180, 40, 40))
    subject = find_subject(portrait)
    assert subject is not None
    assert subject.box == pytest.approx((0.25, 0.125, 0.625, 0.875), abs=0.01)
    assert subject.background == pytest.approx((226, 244, 234), abs=1)
    assert find_subject(portraits.busy(512)) is None


def test_the_ring_cuts_nothing_off_a_plain_picture() -> None:
    """A thing held far out, where the circle would cut it, is drawn smaller and whole."""
    portrait = Image.new("RGB", (1024, 1024), (240, 230, 210))
    pen = ImageDraw.Draw(portrait)
    pen.rectangle((80, 200, 380, 760), fill=(40, 60, 130))
    pen.ellipse((820, 60, 1000, 240), fill=(220, 0, 0))
    subject = find_subject(portrait)
    assert subject is not None
    badge = draw_banner(portrait, "UX SCOUT", "round")
    red = sum(count for count, (r, g, b, _) in badge.getcolors(2**20) or [] if r > 110 and g < 40 and b < 40)
    ring = STYLES["round"].ring
    assert ring is not None
    scale = min(1.0, (ring.radius - ring.width - 8) / subject.reach)
    assert red > 0.93 * math.pi * 90**2 * scale**2
