"""All things that a character can hold, by name, in the order of the vocabulary's table."""

from training.demo.drawing.things import everyday, tools, treasures
from training.demo.drawing.things.thing import Drawable, thing_of
from training.demo.drawing.vocabulary import rows

__all__ = ["THINGS", "Drawable"]

_MODULES = (everyday, tools, treasures)  # importing them registers what they draw
THINGS: dict[str, Drawable] = {row.name: thing_of(row) for row in rows().values()}
