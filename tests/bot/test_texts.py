"""The catalogues: every sentence that the bot can say is translated, with the same names in braces."""

import ast
import re
import string
from ast import literal_eval

from bot.texts import LANGUAGES, catalogue_file, read_po, texts_for
from bot.words import span
from tests.bot.running import ROOT


def sentences() -> set[str]:
    """All sentences in the bot's sources: the first arguments of calls of a `Texts`."""
    found = set()
    for file in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or not node.args or not isinstance(node.args[0], ast.Constant):
                continue
            function = ast.unparse(node.func)
            if re.fullmatch(r"_|.*\._|texts_for\(.*\)", function):
                found.add(str(node.args[0].value))
            elif re.fullmatch(r"(_|.*\._)\.many", function):
                found.add("\0".join(literal_eval(each) for each in node.args[:2]))
    return found


def names(sentence: str) -> set[str | None]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None}


def test_every_sentence_is_translated_and_nothing_is_left_over() -> None:
    catalogue = {sentence: said for sentence, said in read_po(catalogue_file("ru")).items() if sentence}
    assert len(sentences()) > 50
    assert sentences() - set(catalogue) == set()
    assert set(catalogue) - sentences() == set()
    assert [sentence for sentence, said in catalogue.items() if not said] == []


def test_translations_keep_the_names_in_braces() -> None:
    for sentence, said in read_po(catalogue_file("ru")).items():
        for form in said.split("\0") if sentence else ():
            assert names(form) == names(sentence), sentence


def test_numbers_have_their_forms() -> None:
    sentences = ("You already have {n} badge waiting. Let me finish it first, or /cancel it.",
                 "You already have {n} badges waiting. Let me finish them first, or /cancel them.")  # fmt: skip
    russian = {1: "бейдж.", 2: "бейджа.", 5: "бейджей.", 11: "бейджей.", 12: "бейджей.", 21: "бейдж.", 22: "бейджа."}
    for number, word in russian.items():
        assert f"уже {number} {word}" in texts_for("ru").many(*sentences, number)
    assert "have 1 badge waiting" in texts_for("en").many(*sentences, 1)
    assert "have 2 badges waiting" in texts_for("en").many(*sentences, 2)
    assert (span(texts_for("ru"), 61), span(texts_for("ru"), 121)) == ("65 с", "3 мин")
    assert span(texts_for("en"), 23.5 * 3600) == "24 h"


def test_languages_by_code() -> None:
    assert LANGUAGES == ("en", "ru")
    assert texts_for("ru-RU")("🔁 Again") == "🔁 Ещё раз"
    assert texts_for("")("🔁 Again") == texts_for("de")("🔁 Again") == "🔁 Again"
    assert texts_for("ru")("{n} min", n=3) == "3 мин"
