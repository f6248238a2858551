"""What can be wrong with a banner, and whose fault it is.

    BannerError
    |-- InvalidText     the person can correct the text (empty, nothing to draw)
    |   |-- TextTooLong     more characters than fit, or too wide for the banner
    |   `-- NotDrawable     no font here has these characters
    |-- InvalidImage    the portrait is not a picture we can read (junk, truncated, too many pixels)
    |-- InvalidTheme    a style of one's own: a wrong colour, font or logo
    |   `-- InvalidFont     the file is no font that can be drawn with
    |-- UnknownStyle    no style has that name; the message offers the nearest ones

Messages are one plain line for the person who typed the text: what was wrong, which value, what to do.
They never hold control characters, so they are safe to print and to log.
"""

import difflib
import unicodedata
from collections.abc import Iterable


class BannerError(ValueError):
    """The root of the tree: anything that keeps a banner from being drawn."""


class InvalidText(BannerError):
    """The text cannot be put on a banner; another text can."""


class TextTooLong(InvalidText):
    """The text has more characters than fit, or is too wide; a shorter one can be put on a banner."""


class NotDrawable(InvalidText):
    """No font here draws `characters` (each once, at most five, without those that cannot be shown)."""

    def __init__(self, problem: str, characters: Iterable[str]) -> None:
        """`problem` is what precedes the characters' names in the message."""
        found = list(dict.fromkeys(characters))
        super().__init__(f"{problem} {name_characters(found)}: leave it out")
        self.characters = " ".join(c for c in found[:5] if c.isprintable() and not c.isspace())


class InvalidImage(BannerError):
    """The image cannot be used as a portrait."""


class InvalidTheme(BannerError):
    """A style of the user's own cannot be drawn; the message says which value and why."""


class InvalidFont(InvalidTheme):
    """The file is not a font that HarfBuzz can draw with."""


class UnknownStyle(BannerError):
    """No banner style has this name."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        valid = sorted(known)
        near = difflib.get_close_matches(str(name).lower(), valid, n=2)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        super().__init__(f"unknown banner style {printable(str(name))}: {hint}valid styles: {', '.join(valid)}")


def printable(text: str, limit: int = 40) -> str:
    """`text` quoted for a message: cut to `limit` characters, anything unprintable as U+XXXX."""
    cut = text[:limit]
    shown = "".join(c if c.isprintable() else f"<U+{ord(c):04X}>" for c in cut)
    return f'"{shown}{"..." if len(text) > limit else ""}"'


def name_characters(characters: Iterable[str], limit: int = 5) -> str:
    """A list such as `侍 U+4F8D (CJK UNIFIED IDEOGRAPH-4F8D), U+0530` for messages; at most `limit`, then a count."""
    unique = list(dict.fromkeys(characters))
    named = []
    for char in unique[:limit]:
        shown = f"{char} " if char.isprintable() and not unicodedata.combining(char) else ""
        name = unicodedata.name(char, "")
        named.append(f"{shown}U+{ord(char):04X}" + (f" ({name})" if name else ""))
    more = len(unique) - limit
    return ", ".join(named) + (f" and {more} more" if more > 0 else "")
