"""Text to glyphs, in ems."""

from __future__ import annotations

from dataclasses import dataclass

import uharfbuzz as hb

from overlay.errors import InvalidText, name_characters
from overlay.fonts import FONTS, FontFile


@dataclass(frozen=True)
class Glyph:
    """One shaped glyph in ems at type size 1: pen position on the line (before letter-spacing), advance, ink."""

    font: FontFile
    index: int
    x: float
    y: float
    advance: float
    cluster: int
    """Index of its first character in the text."""


def shape(text: str) -> list[Glyph]:
    """The glyphs of one line from left to right."""
    font = FONTS[0]
    missing = [c for c in text if ord(c) not in font.characters]
    if missing:
        raise InvalidText(f"no font here can draw {name_characters(missing)}: leave it out")
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(c) for c in text])
    buffer.guess_segment_properties()
    hb.shape(font.font, buffer)
    glyphs, pen = [], 0.0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        advance = position.x_advance * font.unit
        glyphs.append(
            Glyph(font, info.codepoint, pen + position.x_offset * font.unit, -position.y_offset * font.unit, advance, info.cluster)
        )
        pen += advance
    return glyphs
