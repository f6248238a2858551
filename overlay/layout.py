"""Fits a text into the plate: type size, condensing, letter-spacing, one line or two; pure numbers, no pixels drawn.

Advances grow linearly with the type size, so the best size follows by division, without a search. All lengths
of a `TextLayout` are pixels in the banner's flat plane, whose (0, 0) is the middle of the plate.
"""

from __future__ import annotations

from dataclasses import dataclass

from overlay.errors import InvalidText
from overlay.shaping import Glyph, shape
from overlay.style import BannerStyle

CONDENSE = 0.86
"""Letters are narrowed to this at most before they are made smaller."""


@dataclass(frozen=True)
class PlacedGlyph:
    """A glyph on the plate: origin (s, t), scale of its ems in pixels across and along the line."""

    glyph: Glyph
    s: float
    t: float
    scale_x: float
    scale_y: float


@dataclass(frozen=True)
class TextLayout:
    """Where every glyph goes. `ink` is (left, top, right, bottom) of all ink with its stroke and extrusion."""

    glyphs: tuple[PlacedGlyph, ...]
    lines: tuple[str, ...]
    size: float
    condense: float
    plate_width: float
    ink: tuple[float, float, float, float]


def lay_out(text: str, style: BannerStyle, u: float, picture_width: int) -> TextLayout:
    """The layout of an already cleaned text on a plate of `style` in a picture `picture_width` pixels wide."""
    room = picture_width - 2 * (style.side_room + style.padding) * u
    glyphs = shape(text)
    size, condense = _fit(glyphs, style, room, style.largest_type * u)
    words = text.split(" ")
    lines = (text,)
    if size < style.comfortable_type * u and len(text) > 6 and len(words) > 1:
        best = min(
            ((" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))),
            key=lambda pair: max(_width(shape(part)) for part in pair),
        )
        two = [_fit(shape(part), style, room, 62 * u) for part in best]
        if min(s for s, _ in two) > 1.12 * size:
            lines, size, condense = best, min(s for s, _ in two), min(c for _, c in two)
    if size < style.smallest_type * u:
        raise InvalidText("the banner text is too wide for the plate: shorten it")
    placed: list[PlacedGlyph] = []
    cap = 0.7 * size
    pitch = 1.0 * size
    first = cap / 2 - pitch * (len(lines) - 1) / 2
    widest = 0.0
    for row, line in enumerate(lines):
        shaped = shape(line)
        width = _width(shaped) * size * condense
        widest = max(widest, width)
        for g in shaped:
            placed.append(
                PlacedGlyph(g, -width / 2 + g.x * size * condense, first + row * pitch + g.y * size, size * condense, size)
            )
    step = style.width_step * u
    plate = min(max(widest + 2 * style.padding * u, style.least_width * u), picture_width - 2 * style.side_room * u)
    plate = min(-(-plate // step) * step, picture_width - 2 * style.side_room * u)
    return TextLayout(tuple(placed), lines, size, condense, plate, (-widest / 2, -cap, widest / 2, cap))


def _width(glyphs: list[Glyph]) -> float:
    return sum(g.advance for g in glyphs)


def _fit(glyphs: list[Glyph], style: BannerStyle, room: float, largest: float) -> tuple[float, float]:
    """(type size, condensing) at which the line fills the room, at most `largest`."""
    width, edge = _width(glyphs), 2 * style.lettering.stroke_width
    size = min(largest, room / (CONDENSE * width + edge))
    return size, min(1.0, (room / size - edge) / width)
