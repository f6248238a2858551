"""Styles of the user's own: colours land where they are said to, wrong values are one clear line."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from configs import ConfigError, load_settings
from configs.sections.themes import ThemeSettings
from overlay import InvalidText, InvalidTheme, check_text, draw_banner, style_names, use_themes
from overlay.banner import plan_banner
from overlay.styles import choose_style
from overlay.text.fonts import FOLDER
from overlay.themes import contrast
from tests.overlay import portraits

FONT = str(FOLDER / "dela-gothic-one/DelaGothicOne_400Regular.ttf")


@pytest.fixture(autouse=True)
def none_after() -> Iterator[None]:
    yield
    use_themes({})


@pytest.fixture
def logo(tmp_path: Path) -> str:
    picture = Image.new("RGBA", (200, 100))
    ImageDraw.Draw(picture).rectangle((20, 20, 179, 79), fill="#FF00FF")
    picture.save(tmp_path / "logo.png")
    return str(tmp_path / "logo.png")


def theme(**values: object) -> ThemeSettings:
    return ThemeSettings.model_validate(values)


def near(pixel: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(pixel, tuple)
    return all(abs(int(a) - b) <= 12 for a, b in zip(pixel[:3], colour, strict=True))


def count(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return sum(n for n, pixel in image.convert("RGB").getcolors(1 << 24) or () if near(pixel, colour))


def test_a_theme_is_a_style_until_others_take_its_place() -> None:
    use_themes({"acme": theme(colors={"plate": "#0B5FFF"})})
    assert "acme" in style_names()
    assert check_text("UX", "acme") == "UX"
    use_themes({})
    assert "acme" not in style_names()


def test_colours_land_where_they_are_said_to() -> None:
    use_themes({"acme": theme(base="flat", colors={"plate": "#106020", "text": "yellow"})})
    drawn = draw_banner(portraits.light(512), "UX SCOUT", "acme")
    plan = plan_banner(portraits.light(512), "UX SCOUT", choose_style("acme", ""))
    x, y = plan.at
    assert near(drawn.getpixel((x - round(plan.layout.plate_width / 2 * plan.u) + 12, y)), (0x10, 0x60, 0x20))
    assert count(drawn, (255, 255, 0)) > 500


@pytest.mark.parametrize("base", ["ribbon", "arc", "plate", "round", "pin", "flat"])
def test_every_base_takes_every_colour(base: str) -> None:
    plain = draw_banner(portraits.light(256), "UX SCOUT", base)
    for key in ("plate", "edge", "text", "stroke", "ring"):
        use_themes({"acme": theme(base=base, colors={key: "#00A0F0"})})
        drawn = draw_banner(portraits.light(256), "UX SCOUT", "acme")
        idle = key == "ring" and base not in ("round", "pin")
        assert (drawn.tobytes() == plain.tobytes()) == idle, key


@pytest.mark.parametrize(
    ("base", "place"), [("ribbon", "plate"), ("arc", "plate"), ("plate", "plate"), ("round", "ring")]
)
def test_a_logo_is_seen_whole_and_beside_the_text(logo: str, base: str, place: str) -> None:
    use_themes({"acme": theme(base=base, logo=logo, logo_place=place)})
    portrait = portraits.light(1024)
    drawn = draw_banner(portrait, "UX SCOUT", "acme")
    style = choose_style("acme", "UX SCOUT")
    plan = plan_banner(portrait, "UX SCOUT", style)
    seen = count(drawn, (255, 0, 255))
    assert seen > 800
    if place == "plate":
        left = plan.layout.ink[0] - style.logo_room
        assert left >= -plan.layout.plate_width / 2 + style.padding - 1
        side = style.logo.size * plan.layout.plate_height if style.logo else 0
        assert seen == pytest.approx(side * side * 60 / 160, rel=0.1)


def test_an_own_font_is_asked_first_and_others_fill_its_gaps() -> None:
    use_themes({"acme": theme(font=FONT)})
    plan = plan_banner(portraits.light(512), "UX ก", choose_style("acme", ""))
    fonts = {g.glyph.font.name for g in plan.layout.glyphs}
    assert fonts == {"DelaGothicOne_400Regular", "noto-thai-black"}


def test_a_caption_stands_around_the_text() -> None:
    use_themes({"acme": theme(caption="{text} · ACME")})
    plain = draw_banner(portraits.light(256), "ANNA · ACME", "ribbon")
    assert draw_banner(portraits.light(256), "ANNA", "acme").tobytes() == plain.tobytes()
    assert check_text("ANNA", "acme") == "ANNA"
    with pytest.raises(InvalidText, match="since the style acme adds its caption"):
        check_text("x" * 38, "acme")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"colors": {"plate": "blu"}}, r'themes\.acme: colors\.plate = "blu" is not a colour'),
        ({"colors": {"text": "#11223344"}}, "is transparent"),
        ({"base": "ribon"}, "did you mean ribbon"),
        ({"base": "auto"}, "unknown base style"),
        ({"font": "/no/such.ttf"}, "such.ttf.* cannot be read"),
        ({"font": __file__}, "is not a usable font"),
        ({"logo": "/no/such.png"}, "does not exist"),
        ({"logo": __file__}, "is not a readable PNG"),
        ({"logo": "LOGO", "logo_place": "ring"}, "take the base pin, round"),
    ],
)
def test_what_cannot_be_drawn_is_one_line(values: dict[str, object], said: str, logo: str) -> None:
    values = {key: logo if value == "LOGO" else value for key, value in values.items()}
    with pytest.raises(InvalidTheme, match=said) as error:
        use_themes({"acme": theme(**values)})
    assert "\n" not in str(error.value)
    assert "acme" not in style_names()


@pytest.mark.parametrize("name", ["ribbon", "auto", "Ä", "a b", "x" * 25, ""])
def test_a_name_that_cannot_be_used(name: str) -> None:
    with pytest.raises(InvalidTheme, match="cannot be used"):
        use_themes({name: theme()})


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#FFFFFF", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"base": "flat", "colors": {"plate": "#777777", "text": "#888888"}}, "1.3:1, below 4.5:1"),
        ({"colors": {"plate": "#FFD700", "text": "white"}}, "only its stroke"),
        ({"colors": {"plate": "#0B5FFF", "text": "white"}}, ""),
        ({}, ""),
    ],
)
def test_letters_that_are_hard_to_read_are_told_with_the_value(values: dict[str, object], said: str) -> None:
    warnings = use_themes({"acme": theme(**values)})
    assert len(warnings) == (1 if said else 0)
    assert said in "".join(warnings)


def test_a_config_file_names_files_beside_it(tmp_path: Path, logo: str) -> None:
    file = tmp_path / "my.toml"
    file.write_text('[themes.acme]\nbase = "arc"\nlogo = "logo.png"\ncolors.plate = "#123456"\n')
    found = load_settings(file).themes["acme"]
    assert (found.base, found.logo, found.colors.plate) == ("arc", logo, "#123456")
    use_themes(load_settings(file).themes)
    for wrong, said in (
        ("colour = 1", r"line 2: unknown key 'colour': did you mean colors"),
        ("colors.plat = 'red'", r"unknown key 'plat': did you mean plate"),
        ("caption = 'ACME'", r"must contain \{text\} exactly once"),
        ("logo_place = 'top'", "'plate' or 'ring'"),
    ):
        file.write_text(f"[themes.acme]\n{wrong}\n")
        with pytest.raises(ConfigError, match=said):
            load_settings(file)
