"""Text to glyphs: fonts, directions and HarfBuzz. Everything is in ems of a type size of 1, y pointing down.

A line is cut into runs of one font, one script and one direction; runs are shaped in logical order and then put
in visual order (UAX #9, L2). A glyph that the font lacks, or that would leave no ink, is an error and never a gap.
"""

from dataclasses import dataclass
from functools import lru_cache

import uharfbuzz as hb

from overlay.errors import NotDrawable
from overlay.text.bidi import levels, visual_order
from overlay.text.clean import graphemes
from overlay.text.fallback import choose_fonts
from overlay.text.fonts import FontFile
from overlay.text.scripts import JOINED, scripts_of

_JOINERS = "\u200c\u200d\ufe0e\ufe0f"


@dataclass(frozen=True, slots=True)
class Glyph:
    """One shaped glyph: offset from its pen position, advance, and the character it came from."""

    font: FontFile
    index: int
    dx: float
    dy: float
    advance: float
    cluster: int
    """Index in the line of the first character it stands for."""
    spaced: bool
    """May be letter-spaced from the glyph after it."""


@dataclass(frozen=True)
class Line:
    """The glyphs of one line from left to right, and its total advances: of letters, and of emoji."""

    text: str
    glyphs: tuple[Glyph, ...]
    letters: float
    emoji: float
    gaps: int
    """Places where letter-spacing may be added."""

    @property
    def advance(self) -> float:
        """Width in ems without condensing or letter-spacing."""
        return self.letters + self.emoji


@lru_cache(maxsize=512)
def shape_line(text: str, base: int | None = None, own: FontFile | None = None) -> Line:
    """Shape one line of cleaned text; `base` is its paragraph's level (0 left to right, 1 right to left).

    `own` is a font that is asked before all others.

    Raises InvalidText naming characters that cannot be drawn."""
    clusters = graphemes(text)
    fonts = [font for font, g in zip(choose_fonts(clusters, own), clusters, strict=True) for _ in g]
    scripts = scripts_of(text)
    directions = levels(text, base)
    kinds = [
        (font, "" if font.colour else script, level)
        for font, script, level in zip(fonts, scripts, directions, strict=True)
    ]
    starts = [i for i in range(len(text)) if i == 0 or kinds[i] != kinds[i - 1]]
    runs = list(zip(starts, [*starts[1:], len(text)], strict=True))
    shaped = [_shape_run(text, start, end, fonts[start], scripts[start], directions[start]) for start, end in runs]
    glyphs = [glyph for run in visual_order([directions[start] for start, _ in runs]) for glyph in shaped[run]]
    _require_ink(text, glyphs)
    if glyphs and glyphs[-1].spaced:
        last = glyphs[-1]
        glyphs[-1] = Glyph(last.font, last.index, last.dx, last.dy, last.advance, last.cluster, False)
    return Line(
        text,
        tuple(glyphs),
        sum(g.advance for g in glyphs if not g.font.colour),
        sum(g.advance for g in glyphs if g.font.colour),
        sum(g.spaced for g in glyphs),
    )


def _shape_run(text: str, start: int, end: int, font: FontFile, script: str, level: int) -> list[Glyph]:
    """The glyphs of one run from left to right."""
    buffer = hb.Buffer()
    buffer.add_codepoints([ord(c) for c in text[start:end]])
    buffer.guess_segment_properties()
    buffer.direction = "rtl" if level % 2 else "ltr"
    buffer.language = font.language
    hb.shape(font.font, buffer)
    infos, positions = buffer.glyph_infos, buffer.glyph_positions
    lacking = sorted({start + info.cluster for info in infos if info.codepoint == 0})
    if lacking:
        raise NotDrawable("no font here can draw", (text[i] for i in lacking))
    unit = font.unit
    joined = script in JOINED
    glyphs = []
    for k, (info, position) in enumerate(zip(infos, positions, strict=True)):
        ends_cluster = k + 1 == len(infos) or infos[k + 1].cluster != info.cluster
        glyphs.append(
            Glyph(
                font,
                info.codepoint,
                position.x_offset * unit,
                -position.y_offset * unit - font.rise,
                position.x_advance * unit,
                start + info.cluster,
                ends_cluster and not joined,
            )
        )
    return glyphs


def _require_ink(text: str, glyphs: list[Glyph]) -> None:
    """Every character but white space must leave ink, alone or within its cluster."""
    inked = {g.cluster for g in glyphs if g.font.ink(g.index) != (0.0, 0.0, 0.0, 0.0)}
    blank = {g.cluster for g in glyphs} - inked
    invisible = [text[i] for i in sorted(blank) if not text[i].isspace() and text[i] not in _JOINERS]
    if invisible:
        raise NotDrawable("nothing visible can be drawn for", invisible)
