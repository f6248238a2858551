"""Text that others wrote, made safe to print: no control characters, no lost halves, nothing that turns the line round.

A terminal obeys what stands in a caption, a file's name or a message: an escape sequence moves the cursor, a carriage
return or U+202E hides what was said. Every such character is shown as its code instead.
"""

import unicodedata

# Bidi_Control of the Unicode Character Database (PropList.txt), less the two marks U+200E and U+200F and U+061C, which
# only place themselves: the others reorder text that is not their own.
BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_BYTES = range(0xDC80, 0xDD00)
"""Where Python keeps a byte of a file's name that is no UTF-8 (PEP 383)."""


def is_control(char: str) -> bool:
    """Whether `char` may command a terminal or a reader rather than be read: controls, bidi controls, lone surrogates,
    line and paragraph separators, invisible tags."""
    return (
        unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
        or char in BIDI_CONTROLS
        or 0xE0000 <= ord(char) < 0xE0020
    )


def printable(text: str) -> str:
    r"""`text` with every control character shown as `\x1b` or `\u202e`; white space becomes single spaces.

    >>> printable("a\x1b[31m\r\nb")
    'a\\x1b[31m b'
    """
    if text.isprintable():
        return text
    return "".join(_shown(char) if is_control(char) else char for char in " ".join(text.split()))


def first_line(error: BaseException) -> str:
    """What an error says, in one line: the first of its message that is not blank, or else its type."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__


def printable_lines(text: str) -> str:
    """As `printable`, line by line: line feeds and indents stay."""
    if text.isprintable():
        return text
    return "".join(_shown(char) if is_control(char) and char not in "\n\t" else char for char in text)


def without_controls(text: str) -> str:
    """`text` without control characters; line feeds and tabs stay."""
    return text if text.isprintable() else "".join(c for c in text if c in "\n\t" or not is_control(c))


def _shown(char: str) -> str:
    code = ord(char)
    if code in _BYTES:
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
