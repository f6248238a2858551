"""Drawing through Replicate, one prediction a portrait. Importing this connects to nothing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.replicate.generator import ReplicateGenerator

__all__ = ["ReplicateGenerator"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from inference.replicate import generator

    return getattr(generator, name)
