"""Drawing with Replicate, one prediction per portrait. Importing this package opens no connection."""

from typing import TYPE_CHECKING

from configs.faces import lazily

if TYPE_CHECKING:
    from inference.replicate.generator import ReplicateGenerator
else:
    __getattr__, __dir__ = lazily(__name__, {"inference.replicate.generator": ["ReplicateGenerator"]})

__all__ = ["ReplicateGenerator"]
