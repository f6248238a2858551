"""What a character is made of: a costume in an outfit's colour over a body that all share.

A character stands around its neck at (0, 0), the head above (centre (0, -36), about 40 units in radius), the body
below to y = 84. `behind`, `body` and `hat` draw its own look; face, arms and hands are in `faces`.
"""

from collections.abc import Callable
from dataclasses import dataclass

from training.demo.drawing.pen import Color, Pen

Part = Callable[[Pen, Color], None]

SKIN, WHITE, GOLD, RED, BLACK = (252, 214, 172), (250, 250, 246), (246, 190, 50), (220, 52, 52), (48, 44, 58)
STEEL, BROWN = (176, 190, 206), (126, 78, 44)


@dataclass(frozen=True)
class Character:
    """One kind of character; `outfits` are (word, colour), the first one the usual."""

    name: str
    synonyms: tuple[str, ...]
    outfits: tuple[tuple[str, Color], ...]
    body: Part
    hat: Part
    behind: Part | None = None
    face: str = "open"  # open, mask (ninja), screen (robot), visor (astronaut), beard (wizard, viking)
    glove: Color = SKIN


def shade(color: Color, by: float) -> Color:
    """The colour, darker (by < 1) or lighter."""
    r, g, b = (min(255, max(0, round(c * by))) for c in color)
    return r, g, b


def torso(p: Pen, color: Color, belt: Color = GOLD) -> None:
    """Two feet and a tapered trunk with a belt."""
    for x in (-17, 17):
        p.rect(x - 14, 70, x + 14, 87, shade(color, 0.55), 7)
    p.blob([(-22, -2), (22, -2), (34, 30), (35, 66), (26, 78), (-26, 78), (-35, 66), (-34, 30)], color)
    p.poly([(-35, 46), (35, 46), (35.5, 57), (-35.5, 57)], belt)
