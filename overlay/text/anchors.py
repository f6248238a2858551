"""Whether a font sets the marks of a letter where they belong: above, below or on it, and not on each other.

That a font has a mark says nothing (its cmap lists it); that it has an anchor for this pair (GPOS), or one glyph for
both, shows only in what HarfBuzz makes of them. So the letter is shaped alone and the ink is looked at.
"""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache

import uharfbuzz as hb

from overlay.text.fonts import FontFile, Ink
from overlay.text.scripts import script_of

ASIDE = 0.2
"""Ems that the middle of an anchored mark may lie outside its letter's ink: a holam, a comma above right."""
CENTRED = 0.07
"""Ems between the middles of a letter and of a mark that no anchor has moved, if that is to count as placed."""
ON_EACH_OTHER = 0.45
"""Share of a mark's ink box that another mark may cover: a dagesh near a vowel point covers none, two accents that a
font sets at one height all of it."""
INTO = 0.07
"""Ems that an accent above may reach into its letter's ink box, or one below: italics and flat letters do."""
_ABOVE, _BELOW = 230, 220
"""Canonical combining classes of accents (UAX #44)."""
_MEASURED = frozenset(("Latin", "Cyrillic", "Greek", "Armenian", "Georgian", "Arabic", "Hebrew", "Common"))
"""Scripts that several fonts here have, not all with anchors. Each Indic or South-East Asian script has one font, which
was made for it, and signs that stand beside their letter by right."""
_DOTTED_CIRCLE = 0x25CC


@lru_cache(maxsize=8192)
def places(font: FontFile, grapheme: str) -> bool:
    """True where `font`, which has all characters of `grapheme`, draws its marks at their letter."""
    if len(grapheme) == 1 and ord(grapheme) in font.characters:
        return True
    decomposed = unicodedata.normalize("NFD", grapheme)
    marks = [c for c in decomposed if unicodedata.category(c) in ("Mn", "Me") and not _ignorable(c)]
    if font.colour or not (marks or unicodedata.category(decomposed[-1])[0] == "M"):
        return True
    glyphs = _shaped(font, decomposed)
    circle = font.font.get_nominal_glyph(_DOTTED_CIRCLE)
    if any(g.index in (0, circle) for g in glyphs) and chr(_DOTTED_CIRCLE) not in grapheme:
        return False
    if script_of(decomposed[0]) not in _MEASURED:
        return True
    inked = [g for g in glyphs if g.ink[2] > g.ink[0]]
    body = [g.ink for g in inked if not g.mark]
    loose = [g.ink for g in inked if g.mark]
    if not loose:
        return True
    if not body:
        return False
    left, top = min(b[0] for b in body), min(b[1] for b in body)
    right, bottom = max(b[2] for b in body), max(b[3] for b in body)
    for g in inked:
        middle = (g.ink[0] + g.ink[2]) / 2
        beside = max(left - middle, middle - right) > ASIDE
        if g.mark and (beside if g.anchored else abs(middle - (left + right) / 2) > CENTRED):
            return False
    return _apart(loose) and _clear(loose, marks, top, bottom)


@dataclass(frozen=True)
class _Drawn:
    """A glyph of a letter shaped alone: whether it is a mark, whether an anchor moved it, its ink in ems, y down."""

    index: int
    mark: bool
    anchored: bool
    ink: Ink


def _ignorable(char: str) -> bool:
    return char in "\ufe0e\ufe0f"


def _shaped(font: FontFile, text: str) -> list[_Drawn]:
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(c) for c in text])
    buffer.guess_segment_properties()
    buffer.language = font.language
    hb.shape(font.font, buffer)
    drawn: list[_Drawn] = []
    pen = 0.0
    for info, position in zip(buffer.glyph_infos, buffer.glyph_positions, strict=True):
        x, y = (pen + position.x_offset) * font.unit, -position.y_offset * font.unit
        left, top, right, bottom = font.ink(info.codepoint)
        moved = (position.x_offset, position.y_offset) != (0, 0)
        ink = x + left, y + top, x + right, y + bottom
        drawn.append(_Drawn(info.codepoint, position.x_advance == 0, moved, ink))
        pen += position.x_advance
    return drawn


def _apart(marks: list[Ink]) -> bool:
    """No mark hides most of another."""
    for k, a in enumerate(marks):
        for b in marks[k + 1 :]:
            width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
            least = min((box[2] - box[0]) * (box[3] - box[1]) for box in (a, b))
            if width > 0 and height > 0 and width * height > ON_EACH_OTHER * least:
                return False
    return True


def _clear(marks: list[Ink], characters: list[str], top: float, bottom: float) -> bool:
    """Accents above do not lie in the letter, nor those below; known only where all marks are of one kind."""
    kinds = {unicodedata.combining(c) for c in characters}
    if kinds == {_ABOVE}:
        return all(box[3] <= top + INTO for box in marks)
    if kinds == {_BELOW}:
        return all(box[1] >= bottom - INTO for box in marks)
    return True
