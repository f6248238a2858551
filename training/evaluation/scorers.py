"""Who judges portraits: a model that gives features, and perhaps knows objects and the look; named in reports.

    demo     the demo's own classifier: characters, objects and the aidbox look
    clip     CLIP: features, and objects by words
    dino     DINOv2: features
    pixels   colours and layout at 16 x 16, where no model is to be had
    PATH     a CLIP or DINO model in a folder

`auto` takes `demo` for the demo FLUX, else CLIP from this disk or the Hub, else DINO, else `pixels`, and says which.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from configs.printable import first_line
from training.embedding import CLIP, DINO, Features, ImageModel, Pictures, model_named, pooled, unit
from training.errors import InvalidJob

log = logging.getLogger(__name__)
_CHOICES = "auto, demo, clip, dino, pixels, or a model's folder"


class Scorer(Protocol):
    """Judges pictures."""

    @property
    def name(self) -> str:
        """What the report calls it."""
        ...

    def features(self, images: Pictures) -> Features:
        """N x D, of unit length: the product of two rows is how alike two pictures look."""
        ...

    def holds(self, images: Pictures, asked: Sequence[str], candidates: Sequence[str]) -> list[bool] | None:
        """Whether each picture shows its asked object rather than another candidate; None where it cannot tell."""
        ...

    def has_look(self, images: Pictures) -> list[bool] | None:
        """Whether each picture shows the very character of the training set; None where it cannot tell."""
        ...


def open_scorer(kind: str, profile: str, token: str = "") -> Scorer:
    """The scorer called `kind` (see above). Raises InvalidJob where it is not to be had."""
    if kind == "demo" or (kind == "auto" and profile == "demo"):
        return DemoScorer()
    if kind == "pixels":
        return PixelScorer()
    if kind != "auto":
        source = model_named(kind)
        if "/" not in source and not Path(source).is_dir():
            raise InvalidJob(f"no such scorer: {kind!r}; choose {_CHOICES}")
        try:
            return ModelScorer(source, token)
        except (OSError, ValueError) as error:
            said = first_line(error).rstrip(".")
            problem = f"the scorer {kind!r} is not available: {said}"
            raise InvalidJob(f"{problem}; choose {_CHOICES}") from error
    for name in (CLIP, DINO):
        try:
            return ModelScorer(name, token)
        except (OSError, ValueError):
            continue
    log.warning("neither %s nor %s is on this disk or to be had: judged by colours and layout only", CLIP, DINO)
    return PixelScorer()


class DemoScorer:
    """The classifier that was trained on the illustrator's pictures; knows the demo's objects and characters only."""

    name = "demo classifier"

    def __init__(self) -> None:
        from training.demo import classifier

        self._look = classifier.AIDBOX
        self._scorer = classifier.load()
        self._known = frozenset(self._scorer.objects)

    def features(self, images: Pictures) -> Features:
        return np.asarray(self._scorer.features(images).numpy(), dtype=np.float32)

    def holds(self, images: Pictures, asked: Sequence[str], candidates: Sequence[str]) -> list[bool] | None:
        if not self._known.issuperset(asked):
            return None
        return [v.object == thing for v, thing in zip(self._scorer.classify(images), asked, strict=True)]

    def has_look(self, images: Pictures) -> list[bool] | None:
        return [verdict.character == self._look for verdict in self._scorer.classify(images)]


class PixelScorer:
    """Colours and their places at 16 x 16, centred: crude, but always there."""

    name = "pixels (colours and layout only)"

    def features(self, images: Pictures) -> Features:
        small = [np.asarray(i.convert("RGB").resize((16, 16), Image.Resampling.BOX), np.float32) for i in images]
        flat = np.stack(small).reshape(len(small), -1) / 127.5 - 1
        return unit(flat)

    def holds(self, images: Pictures, asked: Sequence[str], candidates: Sequence[str]) -> list[bool] | None:
        return None

    def has_look(self, images: Pictures) -> list[bool] | None:
        return None


class ModelScorer(ImageModel):
    """CLIP or DINO from a folder, the Hub's cache, or the Hub."""

    def holds(self, images: Pictures, asked: Sequence[str], candidates: Sequence[str]) -> list[bool] | None:
        import torch

        if self._words is None:
            return None
        things = sorted({*asked, *candidates})
        words = self._words(
            [f"a cartoon samurai holding {thing}" for thing in things], padding=True, return_tensors="pt"
        )
        with torch.no_grad():
            texts = unit(pooled(self._model.get_text_features(**words)).float().numpy())
        best = (self.features(images) @ texts.T).argmax(axis=1)
        return [things[int(index)] == thing for index, thing in zip(best, asked, strict=True)]

    def has_look(self, images: Pictures) -> list[bool] | None:
        return None
