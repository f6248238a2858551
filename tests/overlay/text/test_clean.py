"""What a person types becomes the text of a banner: cleaned, never silently cut."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from overlay import InvalidText, clean_text
from overlay.text.clean import MAX_GRAPHEMES, graphemes


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("UX SCOUT", "UX SCOUT"),
        ("  UX \t\n  SCOUT  ", "UX SCOUT"),
        ("UX\u00a0SCOUT", "UX SCOUT"),
        ("Cafe\u0301", "Café"),
        ("a\x00b\x1b[31mc", "ab[31mc"),
        ("safe\u202egnp.exe", "safegnp.exe"),
        ("a\u2066b\u2069c", "abc"),
        ("so\u00adft\u200b", "soft"),
        ("ab\u200dcd", "abcd"),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("⚔\ufe0f", "⚔\ufe0f"),
        ("הַשָּׁלוֹם", unicodedata.normalize("NFC", "הַשָּׁלוֹם")),
        ("ကျွန်ုပ်", "ကျွန်ုပ်"),
        ("a\u0323\u0304\u0301\u0302", "ạ\u0304\u0301\u0302"),
        ("\ufe0fA", "A"),
        ("\ufeffBOM", "BOM"),
    ],
)
def test_cleaning(typed: str, said: str) -> None:
    assert clean_text(typed) == said


@pytest.mark.parametrize("empty", ["", "   ", "\t\n"])
def test_an_empty_text_is_told_so(empty: str) -> None:
    with pytest.raises(InvalidText, match="is empty"):
        clean_text(empty)


@pytest.mark.parametrize("nothing", ["\x00\x01", "\u202e", "\u200d", "\u200b\u200b"])
def test_a_text_of_nothing_drawable_is_told_so_in_printable_characters(nothing: str) -> None:
    with pytest.raises(InvalidText, match="no characters that can be drawn") as error:
        clean_text(nothing)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (b"Caf\xe9".decode(errors="surrogateescape"), r"not UTF-8 \(\\xE9\)"),
        ("a\ud800b", r"not UTF-8 \(U\+D800\)"),
        ("A\ufffcB", r"was lost \(.*U\+FFFC \(OBJECT REPLACEMENT CHARACTER\)"),
        ("Caf\ufffd", r"was lost \(.*U\+FFFD \(REPLACEMENT CHARACTER\)"),
        ("iPhone \uf8ff", r"U\+F8FF is a letter of one font only"),
        ("\u0301A", r"U\+0301 \(COMBINING ACUTE ACCENT\) has no letter"),
        ("A \u0301", r"U\+0301 \(COMBINING ACUTE ACCENT\) has no letter"),
        ("ာက", r"U\+102C \(MYANMAR VOWEL SIGN AA\) has no letter"),
        ("e" + "\u0301\u0302\u0303\u0304\u0305" * 30, '149 marks stand on the letter "é"; at most 8'),
    ],
)
def test_what_was_lost_or_cannot_be_set_is_refused_by_name(typed: str, named: str) -> None:
    with pytest.raises(InvalidText, match=named) as error:
        clean_text(typed)
    assert str(error.value).isprintable()


def test_vowel_signs_count_with_their_letter() -> None:
    assert graphemes("ကျာတန်း") == ["ကျာ", "တ", "န်း"]
    assert graphemes("กำ") == ["กำ"]
    assert graphemes("A B") == ["A", " ", "B"]


def test_the_limit_counts_what_a_person_counts() -> None:
    family = "👨\u200d👩\u200d👧"
    assert len(graphemes(clean_text(family * MAX_GRAPHEMES))) == MAX_GRAPHEMES
    with pytest.raises(InvalidText, match=r"41 characters; at most 40"):
        clean_text("й" * (MAX_GRAPHEMES + 1))


def test_a_novel_is_refused_before_any_work() -> None:
    with pytest.raises(InvalidText, match="10000000 characters"):
        clean_text("a" * 10_000_000)


def test_a_character_newer_than_this_python_is_kept() -> None:
    assert unicodedata.category("\U0001fae9") == "Cn" or unicodedata.name("\U0001fae9")
    assert clean_text("\U0001fae9") == "\U0001fae9"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(typed: str) -> None:
    try:
        said = clean_text(typed)
    except InvalidText:
        return
    assert clean_text(said) == said
    assert 1 <= len(graphemes(said)) <= MAX_GRAPHEMES
    assert unicodedata.is_normalized("NFC", said)
