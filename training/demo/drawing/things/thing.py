"""One kind of thing to hold: how it is named, drawn and gripped.

A thing is drawn around (0, 0) and fills about 100 units (of the picture's 256) in its longer direction. Functions that
draw one register themselves with `@thing`; `things.THINGS` is the whole list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from training.demo.drawing.pen import INK, Canvas, Pen, Point
from training.demo.drawing.things import emoji
from training.demo.drawing.things.colour import Fill, Pixels, Tint, main_fill, natural_name
from training.demo.drawing.vocabulary import VocabularyRow, colours

Draw = Callable[[Pen], None]
_NOTHING = (1, 254, 3)  # a background that no thing has


@dataclass(frozen=True)
class Drawable:
    """One object: its names in prompts, how to draw it, where it is held from the left, and its size."""

    name: str
    synonyms: tuple[str, ...]
    kind: str
    draw: Draw
    left_grip: Point | None
    size: float
    emoji: str = ""
    pose: str = ""

    def grip(self, mirrored: bool) -> Point:
        """Where the hand holds it, in the units of the pen that draws it."""
        return self.left_grip or emoji.grip(self.emoji, self.pose, mirrored)

    @property
    def fill(self) -> Fill:
        """Its main fill."""
        return _fill(self)[0]

    @property
    def natural(self) -> str | None:
        """The colour word of its main fill, if it clearly has one."""
        return _fill(self)[1]

    @property
    def half_width(self) -> float:
        """Half of its width in canvas units, outline left out."""
        return _half_width(self)

    def tint(self, colour: str) -> Tint:
        """What gives it the colour of that name."""
        return Tint(self.fill, colours()[colour].rgb)


@cache
def _fill(thing: Drawable) -> tuple[Fill, str | None]:
    pixels = emoji.pixels_of(thing.emoji, thing.pose) if thing.emoji else _drawn(thing)
    fill = main_fill(pixels)
    return fill, natural_name(fill, pixels)


@cache
def _half_width(thing: Drawable) -> float:
    if thing.emoji:
        return emoji.size_of(thing.emoji, thing.pose)[0] / 2 * thing.size
    pen = Pen(Canvas(64, 1, _NOTHING), 128, 128, scale=thing.size)
    thing.draw(pen)
    left, _, right, _ = pen.extent
    return (right - left) / 2


def _drawn(thing: Drawable) -> Pixels:
    """The pixels of its fills, N x 3."""
    canvas = Canvas(256, 1, _NOTHING)
    thing.draw(Pen(canvas, 128, 128))
    pixels: Pixels = np.asarray(canvas.image).reshape(-1, 3)
    drawn: Pixels = pixels[(pixels != _NOTHING).any(1) & (pixels != INK).any(1)]
    return drawn


_HAND_DRAWN: dict[str, tuple[Draw, Point, float]] = {}


def thing(name: str, *, grip: Point, size: float = 1.06) -> Callable[[Draw], Draw]:
    """Registers a drawing function under a name of the vocabulary."""

    def register(draw: Draw) -> Draw:
        _HAND_DRAWN[name] = (draw, grip, size)
        return draw

    return register


def thing_of(row: VocabularyRow) -> Drawable:
    """The thing of a row: its emoji, or the function registered under its name."""
    if row.emoji:
        draw: Draw = partial(emoji.paint, emoji=row.emoji, pose=row.pose)
        return Drawable(row.name, row.synonyms, row.kind, draw, None, 1.03, row.emoji, row.pose)
    draw, grip, size = _HAND_DRAWN[row.name]
    return Drawable(row.name, row.synonyms, row.kind, draw, grip, size)
