"""Styles are data; a further one is a file; what is drawn is where the plan says."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image, ImageChops

import overlay.styles
from overlay import STYLES, UnknownStyle, draw_banner, style_names
from overlay.banner import forget_layers, plan_banner
from overlay.styles import choose_style
from tests.overlay import portraits


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("text", ["I", "UX SCOUT", "Старший инженер по надёжности ИИ-систем", "🥷 كبير"])
def test_only_the_banner_changes(style: str, text: str) -> None:
    portrait = portraits.light(512)
    before = portrait.copy()
    drawn = draw_banner(portrait, text, style)
    assert portrait == before
    assert drawn.size == portrait.size
    if STYLES[style].ring:
        assert drawn.mode == "RGBA"
        assert all(drawn.getpixel(corner)[3] == 0 for corner in ((0, 0), (511, 0), (0, 511), (511, 511)))
        assert drawn.getpixel((256, 200))[3] == 255
    else:
        assert drawn.mode == "RGB"
        plan = plan_banner(portrait, text, STYLES[style])  # its portrait: the figure stands on the banner
        changed = ImageChops.difference(drawn, plan.portrait).getbbox()
        box = plan.body.box
        assert changed is not None
        assert changed[0] >= box.left
        assert changed[1] >= box.top
        assert changed[2] <= box.right
        assert changed[3] <= box.bottom


@pytest.mark.parametrize("size", [(64, 64), (640, 1024), (1024, 640), (333, 1000), (2000, 130)])
@pytest.mark.parametrize("style", STYLES)
def test_any_shape_of_portrait(style: str, size: tuple[int, int]) -> None:
    drawn = draw_banner(portraits.busy(256).resize(size), "UX SCOUT", style)
    assert drawn.size == ((min(size), min(size)) if STYLES[style].ring else size)


def test_auto_bends_short_texts_only() -> None:
    assert choose_style("auto", "UX SCOUT").name == "arc"
    assert choose_style("auto", "Старший инженер по надёжности").name == "ribbon"
    assert choose_style("auto", "كبير").name == "ribbon"
    assert draw_banner(portraits.light(256), "QA", "auto") == draw_banner(portraits.light(256), "QA", "arc")


def test_an_unknown_style_is_told_the_nearest() -> None:
    with pytest.raises(UnknownStyle, match="did you mean ribbon"):
        draw_banner(portraits.light(64), "x", "ribon")
    assert set(style_names()) == {"arc", "auto", "flat", "pin", "plate", "ribbon", "round"}


def test_another_style_is_one_small_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "silver.py").write_text(
        "from overlay.style import BannerStyle, RibbonBody\n"
        'STYLE = BannerStyle(name="silver", summary="a silver ribbon",\n'
        '                    body=RibbonBody(face=((0.0, "#FFFFFF"), (1.0, "#778899"))))\n'
    )
    monkeypatch.setattr(overlay.styles, "__path__", [*overlay.styles.__path__, str(tmp_path)])
    found = overlay.styles._load()
    assert set(found) == {*STYLES, "silver"}
    plan = plan_banner(portraits.light(256), "UX", found["silver"])
    red, _, blue, alpha = plan.body.image.getpixel((plan.at[0] - plan.body.box.left, plan.at[1] - plan.body.box.top))
    assert alpha == 255
    assert abs(red - blue) < 40


def test_a_kept_ribbon_is_not_painted_on() -> None:
    first = draw_banner(portraits.light(256), "AB", "ribbon")
    draw_banner(portraits.dark(256), "CD", "ribbon")
    assert draw_banner(portraits.light(256), "AB", "ribbon") == first


@pytest.mark.parametrize("style", STYLES)
def test_small_and_large_are_the_same_picture(style: str) -> None:
    """The banner is drawn at each size, in the same proportions: shrunk to one size the two agree."""
    plain = Image.new("RGB", (2048, 2048), (200, 210, 220))
    shrunk = []
    for portrait in (plain, plain.resize((512, 512))):
        badge = draw_banner(portrait, "UX SCOUT", style).convert("RGBA")
        paper = Image.new("RGBA", badge.size, (90, 140, 190, 255))
        paper.alpha_composite(badge)
        shrunk.append(paper.convert("L").resize((256, 256), Image.Resampling.BOX))
    difference = ImageChops.difference(*shrunk)
    assert sum(value * count for value, count in enumerate(difference.histogram())) / 256**2 < 1.5


def test_many_threads_draw_the_same_pictures() -> None:
    jobs = [(text, style) for text in ("UX SCOUT", "Қазақ 🥷", "كبير") for style in STYLES] * 3
    portrait = portraits.light(160)
    alone = [draw_banner(portrait, *job).tobytes() for job in jobs]
    forget_layers()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda job: draw_banner(portrait, *job).tobytes(), jobs))
    assert together == alone
