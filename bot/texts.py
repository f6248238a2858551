"""The messages of the bot by language: gettext catalogues (`locale/<language>.po`).

English is the source language and needs no catalogue. A `.po` file is compiled in memory, so that no binary `.mo` file
can be out of date.
"""

import gettext
import io
import struct
from ast import literal_eval
from functools import cache
from pathlib import Path

LANGUAGES = ("en", "ru")
_FOLDER = Path(__file__).with_name("locale")


class Texts:
    """The messages of one language: call it with an English message and its values to get the translation."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._catalogue = gettext.NullTranslations()
        if language != "en":
            self._catalogue = gettext.GNUTranslations(io.BytesIO(compile_po(catalogue_file(language))))

    def __call__(self, sentence: str, **values: object) -> str:
        said = self._catalogue.gettext(sentence)
        return said.format(**values) if values else said

    def many(self, one: str, several: str, n: int, **values: object) -> str:
        """The plural form for `n`: 1 badge, 2 badges; 1 бейдж, 2 бейджа, 5 бейджей."""
        return self._catalogue.ngettext(one, several, n).format(n=n, **values)


@cache
def texts_for(language_code: str) -> Texts:
    """The texts for a Telegram language code such as `ru`, `ru-RU` or "" (English if it has no catalogue)."""
    language = language_code.lower().split("-")[0]
    return Texts(language if language in LANGUAGES else "en")


def catalogue_file(language: str) -> str:
    """The text of a language's catalogue."""
    return (_FOLDER / f"{language}.po").read_text(encoding="utf-8")


def read_po(text: str) -> dict[str, str]:
    """Messages of a `.po` file, msgid to msgstr; "" is the catalogue's header.

    A message with plural forms has the key "one\\0several", and its forms are joined by "\\0", as in a `.mo` file.
    """
    messages: dict[str, str] = {}
    sentence: list[str] = []
    said: list[str] = []
    current = sentence
    for line in [*text.splitlines(), 'msgid ""']:
        keyword, _, quoted = line.strip().partition(" ")
        if keyword.startswith('"'):
            current[-1] += literal_eval(line.strip())
        elif keyword.startswith("msg"):
            if keyword == "msgid" and said:
                messages["\0".join(sentence)] = "\0".join(said)
                sentence, said = [], []
            current = sentence if keyword.startswith("msgid") else said
            current.append(literal_eval(quoted))
    return messages


def compile_po(text: str) -> bytes:
    """A `.po` file as the binary `.mo` that `gettext` reads (GNU gettext manual, "The Format of GNU MO Files")."""
    pairs = sorted((sentence.encode(), said.encode()) for sentence, said in read_po(text).items() if said)
    start = 28
    strings = start + 16 * len(pairs)
    tables: list[bytes] = []
    data = b""
    for column in (0, 1):
        for pair in pairs:
            tables.append(struct.pack("<II", len(pair[column]), strings + len(data)))
            data += pair[column] + b"\0"
    header = struct.pack("<7I", 0x950412DE, 0, len(pairs), start, start + 8 * len(pairs), 0, strings)
    return header + b"".join(tables) + data
