"""Drawing on this machine by a diffusers pipeline. Importing this loads no model library."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inference.local.generator import LocalGenerator

__all__ = ["LocalGenerator"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from inference.local import generator

    return getattr(generator, name)
