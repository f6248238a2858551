"""Fits a text into the plate: type size, condensing, letter-spacing, one line or two. Numbers only, nothing drawn.

Advances grow linearly with the type size, so the best size follows by division, without a search. All lengths
of a `TextLayout` are in u (1/1024 of the picture's side) in the banner's flat plane, whose (0, 0) is the middle
of the plate: the layout of a text depends on the text and the style alone, and a print of 4096 pixels has the
same breaks and proportions as a chat picture.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from overlay.errors import TextTooLong, printable
from overlay.style import BannerStyle
from overlay.text.bidi import paragraph_level
from overlay.text.breaks import Where, best_break
from overlay.text.clean import graphemes
from overlay.text.fonts import Ink, own_font
from overlay.text.shaping import Glyph, Line, shape_line

CONDENSE = 0.86
"""Letters are narrowed to this at most before they are made smaller."""
TRACKING = 0.02
"""Least letter-spacing in ems, room for the dark strokes of neighbours."""
SHORT_TRACKING = (0.10, 0.03, 9)
"""Letter-spacing of a word of two letters, and of one of nine; longer ones have the least."""
GAIN = 1.12
"""Two lines must be this much larger than one."""
CAPS = 0.70
"""Height of the capitals that the line is centred by, in ems."""


@dataclass(frozen=True, slots=True)
class PlacedGlyph:
    """A glyph on the plate: its origin (s, t) and the size of its em across and down, in u."""

    glyph: Glyph
    s: float
    t: float
    em_x: float
    em_y: float
    row: int


@dataclass(frozen=True)
class TextLayout:
    """Where every glyph goes, in u."""

    glyphs: tuple[PlacedGlyph, ...]
    lines: tuple[str, ...]
    baselines: tuple[float, ...]
    size: float
    condense: float
    tracking: float
    plate_width: float
    plate_height: float
    ink: Ink
    """(left, top, right, bottom) of all ink, stroke and extrusion included."""


@dataclass(frozen=True)
class _Fit:
    """The largest size at which some lines go into the plate."""

    lines: tuple[Line, ...]
    inks: tuple[Ink, ...]
    pitch: float
    size: float
    condense: float
    tracking: float


@lru_cache(maxsize=512)
def lay_out(text: str, style: BannerStyle) -> TextLayout:
    """The layout of an already cleaned text in `style`.

    Raises InvalidText where a character cannot be drawn, or the text would need letters below the style's least.
    """
    base = paragraph_level(text)
    own = own_font(style.font) if style.font else None
    whole = shape_line(text, base, own)
    fit = _fit((whole,), style, style.height)
    height = style.height
    if fit.size < style.comfortable_type and len(graphemes(text)) > 6:
        tries: tuple[tuple[Where, float], ...] = (
            ("between words", style.comfortable_type),
            ("inside words", style.readable_type),
            ("anywhere", style.smallest_type),
        )
        for where, enough in tries:
            broken = best_break(whole, where) if fit.size < enough else None
            if broken is not None:
                two = _fit(tuple(shape_line(part, base, own) for part in broken), style, style.two_line_height)
                if two.size > GAIN * fit.size:
                    fit, height = two, style.two_line_height
    if fit.size < style.smallest_type - 1e-6:
        raise TextTooLong(f"the banner text {printable(text)} is too wide for the banner: shorten it")
    return _place(fit, style, height)


def _ink(line: Line) -> Ink:
    """The ink of a line in ems, uncondensed and without letter-spacing."""
    pen, boxes = 0.0, []
    for glyph in line.glyphs:
        left, top, right, bottom = glyph.font.ink(glyph.index)
        if right > left:
            x = pen + glyph.dx
            boxes.append((x + left, glyph.dy + top, x + right, glyph.dy + bottom))
        pen += glyph.advance
    return _union(boxes)


def _union(boxes: Sequence[Ink]) -> Ink:
    if not boxes:
        return 0.0, 0.0, 0.0, 0.0
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def _fit(lines: tuple[Line, ...], style: BannerStyle, height: float) -> _Fit:
    """The size, condensing and letter-spacing at which all lines fit, by division."""
    look = style.lettering
    room = style.text_room
    stroke = 2 * look.stroke_width
    inks = tuple(_ink(line) for line in lines)
    # What may be condensed, and what may not (emoji, ink that hangs over the advances, the stroke).
    soft = [line.letters + TRACKING * line.gaps for line in lines]
    hard = [
        line.emoji + max(0.0, -ink[0]) + max(0.0, ink[2] - line.advance) + stroke
        for line, ink in zip(lines, inks, strict=True)
    ]
    pitch = 0.0
    if len(lines) == 2:
        pitch = max(1.0, inks[0][3] - inks[1][1] + stroke + 0.5 * look.extrude)
    tall = max(-inks[0][1], CAPS) + pitch + max(0.0, inks[-1][3]) + stroke + look.extrude
    size = min(style.largest_type, (height - 2 * style.inset) / tall)
    size = min(size, *(room / (CONDENSE * s + h) for s, h in zip(soft, hard, strict=True)))
    condense = min(1.0, *((room / size - h) / s if s else 1.0 for s, h in zip(soft, hard, strict=True)))
    tracking = TRACKING
    if len(lines) == 1 and condense >= 1.0 and 0 < lines[0].gaps < SHORT_TRACKING[2]:
        wide, narrow, most = SHORT_TRACKING
        wanted = wide + (narrow - wide) * (lines[0].gaps - 1) / (most - 2)
        tracking = max(TRACKING, min(wanted, (room / size - hard[0] - lines[0].letters) / lines[0].gaps))
    return _Fit(lines, inks, pitch, size, condense, tracking)


def _place(fit: _Fit, style: BannerStyle, height: float) -> TextLayout:
    """Put every glyph on the plate: lines centred by their ink, the block centred by its capitals."""
    size, look = fit.size, style.lettering
    edge, depth = look.stroke_width * size, look.extrude * size
    top, bottom = fit.inks[0][1], fit.pitch + fit.inks[-1][3]
    # Capitals are centred by eye, whatever hangs below or rises above them, as far as the plate has room.
    caps = 0.75 * (fit.pitch - CAPS) / 2 + 0.25 * (top + bottom) / 2 if _has_capitals(fit.lines) else (top + bottom) / 2
    first = -caps * size - depth / 2
    limit = height / 2 - style.inset
    first = min(max(first, -limit + edge - top * size), limit - edge - depth - bottom * size)
    placed: list[PlacedGlyph] = []
    boxes: list[Ink] = []
    for row, line in enumerate(fit.lines):
        row_glyphs, row_boxes = _place_line(line, fit, first + row * fit.pitch * size, row)
        left, _, right, _ = _union(row_boxes)
        shift = style.logo_room / 2 - (left + right) / 2
        placed += [PlacedGlyph(g.glyph, g.s + shift, g.t, g.em_x, g.em_y, row) for g in row_glyphs]
        boxes += [(a + shift - edge, b - edge, c + shift + edge, d + edge + depth) for a, b, c, d in row_boxes]
    ink = _union(boxes)
    width = max(ink[2] - ink[0] + 2 * style.padding + style.logo_room, style.least_width)
    width = min(math.ceil(width / style.width_step) * style.width_step, style.plate_room)
    baselines = tuple(first + row * fit.pitch * size for row in range(len(fit.lines)))
    return TextLayout(
        tuple(placed),
        tuple(line.text for line in fit.lines),
        baselines,
        size,
        fit.condense,
        fit.tracking,
        width,
        height,
        ink,
    )


def _place_line(line: Line, fit: _Fit, baseline: float, row: int) -> tuple[list[PlacedGlyph], list[Ink]]:
    """The glyphs of a line from s = 0 on, and their ink boxes, both in u."""
    size, pen = fit.size, 0.0
    placed: list[PlacedGlyph] = []
    boxes: list[Ink] = []
    for glyph in line.glyphs:
        em_x = size if glyph.font.colour else size * fit.condense
        s, t = pen + glyph.dx * em_x, baseline + glyph.dy * size
        placed.append(PlacedGlyph(glyph, s, t, em_x, size, row))
        left, top, right, bottom = glyph.font.ink(glyph.index)
        if right > left:
            boxes.append((s + left * em_x, t + top * size, s + right * em_x, t + bottom * size))
        pen += glyph.advance * em_x + (fit.tracking * size * fit.condense if glyph.spaced else 0.0)
    return placed, boxes


def _has_capitals(lines: Sequence[Line]) -> bool:
    """True where some letter has two cases, so that the line reads as standing on a baseline."""
    return any(c.lower() != c.upper() for line in lines for c in line.text)
