"""Setting values in the text of a TOML file, with everything else left as it is: comments, order, line ends.

Where a key's line is, is guessed; each guess is read again, and only one that changes these values alone is taken.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

_VALUE = r"""("(?:[^"\\]|\\.)*"|'[^']*'|[^\s#"'\[{][^\s#]*)"""


class CannotEdit(Exception):
    """The text is not TOML, or holds a value in a place that cannot be found; the message is for the end of a line."""


def with_values(text: str, values: Mapping[tuple[str, str], str]) -> str:
    """`text` with each (section, key) set to its string. Raises CannotEdit."""
    wanted = _parsed(text)
    if wanted is None:
        raise CannotEdit("it is not valid TOML")
    for (section, key), value in values.items():
        table = wanted.setdefault(section, {})
        if isinstance(table, dict):
            table[key] = value
        line = f"{key} = {quoted(value)}"
        found = (each for each in _attempts(text, section, key, quoted(value)) if _parsed(each) == wanted)
        changed = next(found, None)
        if changed is None:
            raise CannotEdit(f"write {line} under [{section}] there yourself")
        text = changed
    return text


def quoted(value: str) -> str:
    """`value` as a TOML string."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _attempts(text: str, section: str, key: str, value: str) -> Iterator[str]:
    """Texts that may have the value in its place: in the key's line, below the section's, or added."""
    end = "\r\n" if "\r\n" in text else "\n"
    for name in (_name(key), rf"{_name(section)}\s*\.\s*{_name(key)}"):
        for found in re.finditer(rf"^([ \t]*{name}[ \t]*=[ \t]*){_VALUE}", text, re.MULTILINE):
            yield text[: found.start(2)] + value + text[found.end(2) :]
    for header in re.finditer(rf"^[ \t]*\[[ \t]*{_name(section)}[ \t]*\][^\n]*(\n|$)", text, re.MULTILINE):
        before = text[: header.end()]
        yield f"{before}{'' if before.endswith(chr(10)) else end}{key} = {value}{end}{text[header.end() :]}"
    gap = "" if not text else end if text.endswith("\n") else end + end
    yield f"{text}{gap}[{section}]{end}{key} = {value}{end}"
    first = re.search(r"^(?![ \t]*(#|\r?$))", text, re.MULTILINE)
    at = first.start() if first else len(text)
    yield f"{text[:at]}{section}.{key} = {value}{end}{text[at:]}"


def _name(key: str) -> str:
    return rf"""(?:{re.escape(key)}|"{re.escape(key)}"|'{re.escape(key)}')"""


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
