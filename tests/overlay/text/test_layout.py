"""Text fits: always inside the plate, never too small, two lines rather than shrinking; from the layout's numbers."""

import itertools
import random
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overlay import STYLES, InvalidText, clean_text
from overlay.style import BannerStyle
from overlay.text.layout import CONDENSE, TextLayout, lay_out

EVERY = pytest.mark.parametrize("style", STYLES.values(), ids=lambda style: style.name)

TITLES = [
    "UX SCOUT", "Team Lead", "Product Manager", "SENIOR SITE RELIABILITY ENGINEER, EMEA", "QA", "Frontend",
    "CHIEF HAPPINESS OFFICER AND DOG WRANGLER", "Head of Developer Relations and Growth", "ГЛАВНЫЙ АРХИТЕКТОР",
    "Старший инженер по надёжности ИИ-систем", "Ведущий разработчик мобильных приложений", "Їжак і Ґанок",
    "РУКОВОДИТЕЛЬ ОТДЕЛА КОНТРОЛЯ КАЧЕСТВА ПО", "Қазақстан бас сәулетшісі", "ПРЕВЫСОКОМНОГОРАССМОТРИТЕЛЬСТВУЮЩИЙ",
    "כבוד האדריכל הראשי", "كبير المهندسين في الشركة", "チーフプロダクトデザイナー", "首席设计师兼产品经理",
    "수석 프로덕트 디자이너", "मुख्य वास्तुकार", "🥷 UX SCOUT ⚔️🇯🇵",
]  # fmt: skip
RANGES = (
    (0x21, 0x7E), (0xC0, 0x17F), (0x400, 0x4FF), (0x391, 0x3C9), (0x5D0, 0x5EA), (0x621, 0x64A), (0x905, 0x939),
    (0x3041, 0x3096), (0x4E00, 0x62FF), (0xAC00, 0xAFFF), (0x1F600, 0x1F64F), (0xE01, 0xE30),
)  # fmt: skip
"""Latin to emoji: where the characters of generated texts come from."""


def assert_inside(layout: TextLayout, style: BannerStyle) -> None:
    """All ink, stroke and extrusion included, lies in the plate with some air; the plate lies in the picture."""
    left, top, right, bottom = layout.ink
    assert style.smallest_type - 1e-6 <= layout.size <= style.largest_type
    assert left >= -layout.plate_width / 2 + style.padding - 1e-6
    assert right <= layout.plate_width / 2 - style.padding + 1e-6
    assert top >= -layout.plate_height / 2 + style.inset - 1e-6
    assert bottom <= layout.plate_height / 2 - style.inset + 1e-6
    assert layout.plate_width <= 1024 - 2 * style.side_room
    assert CONDENSE - 1e-6 <= layout.condense <= 1
    assert 1 <= len(layout.lines) <= 2
    # The ink box is no promise of its own: every glyph's ink is in it.
    for g in layout.glyphs:
        a, b, c, d = g.glyph.font.ink(g.glyph.index)
        if c > a:
            assert g.s + a * g.em_x >= left - 1e-6
            assert g.s + c * g.em_x <= right + 1e-6
            assert g.t + b * g.em_y >= top - 1e-6
            assert g.t + d * g.em_y <= bottom + 1e-6


@EVERY
@pytest.mark.parametrize("title", TITLES)
def test_ordinary_text_is_large(title: str, style: BannerStyle) -> None:
    layout = lay_out(clean_text(title), style)
    assert_inside(layout, style)
    assert layout.size >= 56


@EVERY
@pytest.mark.parametrize("widest", ["W", "Щ", "한", "武", "🥷", "Ǽ", "क्ष", "ﷺ", "—", "👨‍👩‍👧‍👦"])
def test_forty_of_the_widest_still_fit(widest: str, style: BannerStyle) -> None:
    layout = lay_out(clean_text(widest * 40), style)
    assert_inside(layout, style)
    assert len(layout.lines) == 2


@EVERY
@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_any_text_of_our_scripts_fits(style: BannerStyle, seed: int) -> None:
    rng = random.Random(seed)
    pick = rng.sample(RANGES, rng.randint(1, 3))
    typed = "".join(
        " " if rng.random() < 0.15 else chr(rng.randint(*rng.choice(pick))) for _ in range(rng.randint(1, 40))
    )
    try:
        text = clean_text(typed)
        layout = lay_out(text, style)
    except InvalidText:
        return
    assert_inside(layout, style)
    assert "".join(layout.lines).replace(" ", "") == text.replace(" ", "")


def test_two_lines_rather_than_small_letters() -> None:
    style = STYLES["ribbon"]
    assert len(lay_out("ГЛАВНЫЙ АРХИТЕКТОР", style).lines) == 1
    long = lay_out("Старший инженер по надёжности ИИ-систем", style)
    assert long.lines == ("Старший инженер по", "надёжности ИИ-систем")
    one_word = lay_out("ПРЕВЫСОКОМНОГОРАССМОТРИТЕЛЬСТВУЮЩИЙ", style)
    assert len(one_word.lines) == 2


@EVERY
@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("ВЕДУЩИЙ ЭЛЕКТРОЭНЕРГЕТИК", ("ВЕДУЩИЙ", "ЭЛЕКТРОЭНЕРГЕТИК")),
        ("СТАРШИЙ ИССЛЕДОВАТЕЛЬ ИНТЕРФЕЙСОВ", ("СТАРШИЙ ИССЛЕДОВАТЕЛЬ", "ИНТЕРФЕЙСОВ")),
        ("SENIOR INTERNATIONALIZATION", ("SENIOR", "INTERNATIONALIZATION")),
        ("ЧЕЛОВЕКОНЕНАВИСТНИЧЕСТВО", ("ЧЕЛОВЕКОНЕНАВИСТНИЧЕСТВО",)),
        ("Я ПРЕВЫСОКОМНОГОРАССМОТРИТЕЛЬСТВУЮЩИЙ", ("Я ПРЕВЫСОКОМНОГОРАС", "СМОТРИТЕЛЬСТВУЮЩИЙ")),
    ],
)
def test_a_word_is_broken_only_where_it_could_not_be_read_otherwise(
    title: str, lines: tuple[str, ...], style: BannerStyle
) -> None:
    assert lay_out(title, style).lines == lines


def test_japanese_does_not_begin_a_line_with_a_small_letter_or_a_mark() -> None:
    layout = lay_out("スーパープロジェクトチーフマネージャー兼デザイナー", STYLES["ribbon"])
    assert len(layout.lines) == 2
    assert layout.lines[1][0] not in "ーャュョッェ"


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("นักออกแบบผลิตภัณฑ์อาวุโสอันดับหนึ่ง", ("นักออกแบบผลิตภัณฑ์", "อาวุโสอันดับหนึ่ง")),
        ("🥷🥷นักออกแบบผลิตภัณฑ์อาวุโสอันดับหนึ่ง", ("🥷🥷นักออกแบบ", "ผลิตภัณฑ์อาวุโสอันดับหนึ่ง")),
        ("ວິສະວະກອນຊອບແວອາວຸໂສຊັ້ນນຳຂອງທີມພັດທະນາ", ("ວິສະວະກອນຊອບແວອາວຸໂສ", "ຊັ້ນນຳຂອງທີມພັດທະນາ")),
        ("អ្នករចនាផលិតផលជាន់ខ្ពស់របស់ក្រុមហ៊ុនបច្ចេកវិទ្យា", ("អ្នករចនាផលិតផលជាន់ខ្ពស់", "របស់ក្រុមហ៊ុនបច្ចេកវិទ្យា")),
        ("ဆော့ဖ်ဝဲလ်အင်ဂျင်နီယာအကြီးအကဲများအဖွဲ့ခေါင်းဆောင်", ("ဆော့ဖ်ဝဲလ်အင်ဂျင်နီယာ", "အကြီးအကဲများအဖွဲ့ခေါင်းဆောင်")),
        ("首席设计师兼产品经理高级架构师和部门总监", ("首席设计师兼产品经理", "高级架构师和部门总监")),
    ],
)  # fmt: skip
def test_scripts_without_spaces_break_at_words(title: str, lines: tuple[str, ...]) -> None:
    assert lay_out(clean_text(title), STYLES["ribbon"]).lines == lines


@pytest.mark.parametrize("text", ["ကာ" * 20, "ဒီဇိုင်" * 9, "แมว" * 13, "เ" + "กา" * 19, "ก็" * 40, "ទ្រា" * 20, "ꦱꦸꦒꦼ" * 10])
@EVERY
def test_no_line_begins_with_what_belongs_to_the_letter_before(text: str, style: BannerStyle) -> None:
    lines = lay_out(clean_text(text), style).lines
    for line in lines[1:]:
        assert unicodedata.category(line[0])[0] != "M"
        assert line[0] not in "ะาำๆฯ"
        assert line[1:2] != "\u103a"
    for line in lines[:-1]:
        assert line[-1] not in "เแโใไ\u17d2\u1039"


def test_short_words_are_letter_spaced_but_joined_scripts_are_not() -> None:
    style = STYLES["ribbon"]
    assert lay_out("QA", style).tracking > lay_out("SCOUT", style).tracking > lay_out("UX SCOUT AB", style).tracking
    word = lay_out("كبير", style)
    pens = sorted(word.glyphs, key=lambda g: g.s)
    for a, b in itertools.pairwise(pens):
        assert b.s - b.glyph.dx * b.em_x == pytest.approx(a.s - a.glyph.dx * a.em_x + a.glyph.advance * a.em_x)


@pytest.mark.parametrize("text", ["ஔ" * 40, "Ⅷ" * 40, "﷽" * 12])
def test_what_cannot_fit_is_an_error_not_small_print(text: str) -> None:
    with pytest.raises(InvalidText, match="too wide"):
        lay_out(clean_text(text), STYLES["ribbon"])


@pytest.mark.parametrize(
    ("text", "style", "size", "condense", "plate"),
    [
        ("UX SCOUT", "ribbon", 112.0, 1.0, 688.0),
        ("ГЛАВНЫЙ АРХИТЕКТОР", "ribbon", 67.60, 0.86, 812.0),
        ("UX SCOUT", "plate", 112.0, 1.0, 672.0),
        ("Қазақстан", "arc", 112.0, 1.0, 752.0),
    ],
)
def test_golden_numbers(text: str, style: str, size: float, condense: float, plate: float) -> None:
    """A change of these means other pictures for everybody: pinned with uharfbuzz and the font files."""
    layout = lay_out(text, STYLES[style])
    assert layout.size == pytest.approx(size, abs=0.05)
    assert layout.condense == pytest.approx(condense, abs=1e-3)
    assert layout.plate_width == plate
