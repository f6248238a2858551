"""Drawing on this machine by a diffusers pipeline. Importing this loads no model library."""

from typing import TYPE_CHECKING

from configs.faces import lazily

if TYPE_CHECKING:
    from inference.local.generator import LocalGenerator
else:
    __getattr__, __dir__ = lazily(__name__, {"inference.local.generator": ["LocalGenerator"]})

__all__ = ["LocalGenerator"]
