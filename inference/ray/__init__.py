"""Drawing on several cards or machines, by Ray actors. Importing this does not load ray."""

from typing import TYPE_CHECKING

from configs.faces import lazily

if TYPE_CHECKING:
    from inference.ray.generator import RayGenerator
else:
    __getattr__, __dir__ = lazily(__name__, {"inference.ray.generator": ["RayGenerator"]})

__all__ = ["RayGenerator"]
