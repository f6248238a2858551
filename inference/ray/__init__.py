"""Drawing on several cards or machines, by Ray actors. Importing this does not load ray."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.ray.generator import RayGenerator

__all__ = ["RayGenerator"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from inference.ray import generator

    return getattr(generator, name)
