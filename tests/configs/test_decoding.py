"""Encodings: what is certain is read, what is not is refused by name, and nothing is ever read as something else."""

import pytest

from configs.decoding import Undecodable, decode, known_encoding

SAMPLES = {
    "Russian": ("самурай с чайником", "Самурай держит лампу, стоит прямо", "object,text\nлампа,ПРИВЕТ\nключ,ПОКА"),
    "Ukrainian": ("самурай з чайником і лампою",),
    "Greek": ("σαμουράι με τσαγιέρα",),
    "Hebrew": ("סמוראי עם קומקום",),
    "Arabic": ("ساموراي يحمل إبريق الشاي",),
    "Thai": ("ซามูไรถือกาน้ำชา",),
    "Chinese": ("一个武士手里拿着一把红色的茶壶", "武士拿着茶壶"),
    "Japanese": ("侍がお茶を持っている",),
    "Korean": ("찻주전자를 들고 있는 사무라이",),
    "French": ("samuraï à l'épée", "Café"),
    "Spanish": ("niño con lámpara",),
    "German": ("ein Samurai mit Schlüssel",),
    "Polish": ("Łódź świątynia",),
    "Czech": ("čaj a meč říká",),
    "Turkish": ("şövalye çay içiyor ığdır",),
}
WRITTEN_IN = {
    "Russian": ("cp1251", "koi8-r", "cp866"), "Ukrainian": ("cp1251", "koi8-u"), "Greek": ("cp1253",),
    "Hebrew": ("cp1255",), "Arabic": ("cp1256",), "Thai": ("cp874",), "Chinese": ("gbk", "gb18030"),
    "Japanese": ("cp932", "euc_jp"), "Korean": ("cp949",), "French": ("cp1252", "mac-roman"),
    "Spanish": ("cp1252", "mac-roman"), "German": ("cp1252", "cp850"), "Polish": ("cp1250", "iso8859-2"),
    "Czech": ("cp1250", "iso8859-2"), "Turkish": ("cp1254",),
}  # fmt: skip
CASES = [(text, name) for language, texts in SAMPLES.items() for text in texts for name in WRITTEN_IN[language]]


@pytest.mark.parametrize(("text", "encoding"), CASES)
def test_a_code_page_is_read_rightly_or_refused(text: str, encoding: str) -> None:
    try:
        read = decode(text.encode(encoding)).text
    except Undecodable:
        read = text
    assert read == text
    assert decode(text.encode(encoding), encoding=encoding).text == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("самурай с чайником", "cp1251"), ("Самурай держит лампу", "cp1251"), ("самурай с чайником", "koi8-r"),
        ("самурай с чайником", "cp866"), ("object,text\nлампа,ПРИВЕТ\n", "cp1251"), ("Café", "cp1252"),
        ("一个武士手里拿着一把红色的茶壶", "gbk"), ("侍がお茶を持っている", "cp932"),
        ("ein Samurai mit Schlüssel", "cp1252"),
    ],
)  # fmt: skip
def test_what_people_have_is_recognised(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding)).text == text


def test_neighbours_decide_what_a_few_letters_do_not() -> None:
    with pytest.raises(Undecodable, match=r"is not UTF-8 \(byte 0\).*cp1252.*--encoding"):
        decode("samuraï à l'épée".encode("cp1252")[6:])
    assert decode("samuraï à l'épée".encode("cp1252"), near="l'œuvre très réussie").text == "samuraï à l'épée"
    with pytest.raises(Undecodable):
        decode("лампа".encode("cp1251"))
    assert decode("лампа".encode("cp1251"), near="самурай с чайником").text == "лампа"


@pytest.mark.parametrize("name", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", ["самурай с чайником", "a samurai with a lamp", "Café, σαμουράι"])
def test_unicode_needs_no_mark(text: str, name: str) -> None:
    if "-16-" in name and "σ" in text:
        pytest.skip("two alphabets: nothing tells it from another encoding")
    assert decode(text.encode(name)).text == text


def test_marks_are_composed_and_damage_is_refused() -> None:
    assert decode("самураи\u0306".encode()).text == "самурай"
    with pytest.raises(Undecodable, match="is not utf-8 text"):
        decode(b"\xef\xbb\xbf\xff")
    with pytest.raises(Undecodable, match="is not ascii text"):
        decode("é".encode(), encoding="ascii")


@pytest.mark.parametrize("name", ["cp9999", "hex", "rot13", "idna", "\x1b[31m"])
def test_what_is_no_encoding_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match="unknown encoding"):
        known_encoding(name)


def test_a_large_file_is_told_by_a_part_and_read_whole() -> None:
    text = "object,text\n" + "lamp,HI\n" * 200_000 + "самурай с чайником,ПРИВЕТ\n" * 100_000
    assert decode(text.encode("cp1251")).text == text
    assert decode(text.encode("utf-16-le")[:400_000]).text == text[:200_000]
    one_line = "самурай с чайником и лампой " * 50_000
    assert decode(one_line.encode("koi8-r")).text == one_line
    with pytest.raises(Undecodable):
        decode(text.encode("cp1251") + b"\x98")
