"""Letters of every script become glyphs: one font where one will do, never a gap, never a box."""

import unicodedata

import pytest

from overlay import InvalidText, clean_text
from overlay.text.anchors import places
from overlay.text.fonts import DISPLAY, FONTS, FontFile
from overlay.text.shaping import Line, shape_line

ONE_FONT = {
    "UX SCOUT": "russo-one",
    "Главный архитектор": "russo-one",
    "Їжак і Ґанок": "russo-one",
    "Қазақ ӘҢ ҰҮһ": "rubik",
    "אדריכל ראשי": "rubik",
    "كبير المهندسين": "rubik",
    "ΣΟΦΙΑ Ωμέγα": "dela-gothic-one",
    "武士デザイナー": "dela-gothic-one",
    "さむらい": "dela-gothic-one",
    "首席设计师": "noto-cjk-sc",
    "鄺美玲": "noto-cjk-sc",
    "堃喆淼犇垚翀珺昇峯靚": "noto-cjk-sc",
    "ꦱꦸꦒꦼꦁ": "noto-javanese-bold",
    "수석 디자이너": "noto-cjk-kr",
    "वास्तुकार": "noto",
    "นักออกแบบ": "noto-thai-black",
    "ქართული": "noto-georgian-black",
    "Հայերեն": "noto-armenian-black",
    "தமிழ்": "noto-tamil-bold",
    "Tiếng Việt": "dela-gothic-one",
}


def fonts_of(line: Line) -> set[str]:
    return {g.font.name for g in line.glyphs}


@pytest.mark.parametrize(("text", "font"), ONE_FONT.items())
def test_one_font_for_the_line(text: str, font: str) -> None:
    line = shape_line(clean_text(text))
    assert fonts_of(line) == {font}
    assert all(g.index for g in line.glyphs)


@pytest.mark.parametrize(
    ("text", "font"), [("Łį́į́ʼ", "noto"), ("Ы́Э́", "rubik"), ("á̂", "rubik"), ("ضَّ", "noto-arabic-black"), ("שָּׁ", "rubik")]
)
def test_a_font_is_chosen_by_what_it_can_place_not_by_what_it_lists(text: str, font: str) -> None:
    assert fonts_of(shape_line(clean_text(text))) == {font}


@pytest.mark.parametrize("font", DISPLAY, ids=lambda f: f.name)
def test_accents_stand_over_their_letter_in_the_font_that_is_chosen(font: FontFile) -> None:
    """Every pair of these letters and accents that a font says it places: the ink of both is looked at."""
    for letter in "AeiQjmЫжяΩß":
        for accent in "\u0300\u0301\u0308\u0303\u0323\u0331":
            pair = unicodedata.normalize("NFC", letter + accent)
            if len(pair) == 1 or not {*map(ord, pair)} <= font.characters or not places(font, pair):
                continue
            base, mark = shape_line(pair).glyphs[:2]
            left, _, right, _ = base.font.ink(base.index)
            x = base.advance + mark.dx if mark.advance == 0 else 0.0
            a, _, b, _ = mark.font.ink(mark.index)
            assert left - 0.05 <= x + (a + b) / 2 <= right + 0.05, (font.name, pair)


def test_a_mark_that_no_font_can_set_is_refused_by_name() -> None:
    with pytest.raises(InvalidText, match=r'no font here can set .*U\+0302 .* on "1"'):
        shape_line("1\u0302")


def test_a_single_foreign_letter_changes_the_font_of_the_line_not_of_the_letter() -> None:
    assert fonts_of(shape_line("Казак")) == {"russo-one"}
    assert fonts_of(shape_line("Қазақ")) == {"rubik"}


def test_two_scripts_that_no_font_shares_get_one_font_each() -> None:
    line = shape_line("Кодзима 디자이너")
    by_font = {g.font.name: set() for g in line.glyphs}
    for g in line.glyphs:
        by_font[g.font.name].add(line.text[g.cluster])
    assert set("Кодзима") <= by_font["russo-one"]
    assert by_font["noto-cjk-kr"] == set("디자이너")


@pytest.mark.parametrize(
    ("text", "glyphs"),
    [
        ("🥷", 1), ("👨‍👩‍👧‍👦", 1), ("👩🏽‍🚀", 1), ("🏳️‍🌈", 1), ("🇯🇵", 1), ("🇰🇿🇺🇦", 2),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿", 1), ("1️⃣", 1), ("❤️", 1), ("⚔️", 1),
    ],
)  # fmt: skip
def test_emoji_sequences_are_one_glyph_each(text: str, glyphs: int) -> None:
    line = shape_line(clean_text(text))
    assert [g.font.name for g in line.glyphs] == ["emoji"] * glyphs


def test_a_sign_with_an_emoji_form_is_text_unless_asked() -> None:
    assert fonts_of(shape_line("⚔")) != {"emoji"}
    assert fonts_of(shape_line("⚔\ufe0f")) == {"emoji"}


def test_arabic_letters_join_and_run_to_the_left() -> None:
    word = "كبير"
    joined = [g.index for g in shape_line(word).glyphs]
    alone = [shape_line(c).glyphs[0].index for c in word]
    assert len(joined) >= 4
    assert joined != alone[::-1]
    assert [g.cluster for g in shape_line(word).glyphs] == sorted(
        (g.cluster for g in shape_line(word).glyphs), reverse=True
    )


def test_latin_inside_arabic_keeps_its_own_direction() -> None:
    line = shape_line("UX 42 كبير")
    clusters = [g.cluster for g in line.glyphs]
    assert clusters[:5] == [0, 1, 2, 3, 4]
    assert clusters[-1] < clusters[-2]


def test_devanagari_reorders_and_forms_conjuncts() -> None:
    assert len(shape_line("क्षत्रिय").glyphs) < len("क्षत्रिय")
    # The vowel sign i is written before its consonant.
    assert shape_line("कि").glyphs[0].index != shape_line("क").glyphs[0].index


@pytest.mark.parametrize("text", ["\U00012000", "𝕏\U0001d173", "ᚠ", "A\ufffe", "\u2800", "Ꭓ\U000105c0"])
def test_what_no_font_has_is_an_error_that_names_it(text: str) -> None:
    with pytest.raises(InvalidText, match=r"U\+[0-9A-F]{4}") as error:
        shape_line(text)
    assert str(error.value).isprintable()


@pytest.mark.parametrize("font", FONTS, ids=lambda f: f.name)
def test_the_whole_character_set_of_a_font_leaves_ink_or_an_error(font) -> None:  # type: ignore[no-untyped-def]
    """A sample of what each font claims to have: never an empty box in a banner."""
    for code in sorted(font.characters)[:: max(1, len(font.characters) // 40)]:
        try:
            text = clean_text(chr(code))
            line = shape_line(text)
        except InvalidText:
            continue
        assert any(g.font.ink(g.index) != (0.0, 0.0, 0.0, 0.0) for g in line.glyphs), hex(code)
