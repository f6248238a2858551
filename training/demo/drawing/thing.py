"""One kind of thing to hold: how it is named, drawn and gripped.

A thing is drawn around (0, 0) and fills about 100 units (of the picture's 256) in its longer direction; `grip` is
where the hand holds it. Drawing functions register themselves with `@thing`; `things.THINGS` is the whole list.
"""

from collections.abc import Callable
from dataclasses import dataclass

from training.demo.drawing.pen import Pen, Point

Draw = Callable[[Pen], None]


@dataclass(frozen=True)
class Thing:
    """One object: its name in prompts, other words for it, and how to draw and hold it."""

    name: str
    synonyms: tuple[str, ...]
    draw: Draw
    grip: Point
    size: float = 1.06


REGISTRY: dict[str, Thing] = {}


def thing(name: str, *synonyms: str, grip: Point, size: float = 1.06) -> Callable[[Draw], Draw]:
    """Registers a drawing function under `name`."""

    def register(draw: Draw) -> Draw:
        REGISTRY[name] = Thing(name, synonyms, draw, grip, size)
        return draw

    return register
