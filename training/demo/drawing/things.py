"""All things that a character can hold, by name. The order is that of the classifier's and the labels' classes."""

from training.demo.drawing import things_everyday, things_tools, things_treasures
from training.demo.drawing.thing import REGISTRY, Thing

__all__ = ["THINGS", "Thing"]

_MODULES = (things_everyday, things_tools, things_treasures)  # importing them fills the registry
THINGS: dict[str, Thing] = dict(REGISTRY)
