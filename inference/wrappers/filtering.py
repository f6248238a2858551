"""A generator that keeps back portraits which an image classifier takes for unwanted (nudity, violence).

Any model of transformers' image classification serves, such as Falconsai/nsfw_image_detection: a score is the sum of
the probabilities of the labels that are unwanted. The model is loaded at the first portrait, from a folder, the Hub's
cache or the Hub.
"""

import logging
import threading
from collections.abc import Sequence
from typing import Any

from PIL import Image

from configs.printable import first_line
from inference.errors import OperatorNeeded, PictureRefused
from inference.generator import Generator, Wrapper
from inference.hub import model_folder, require_model
from inference.types import Portrait, PortraitRequest, StepCallback

log = logging.getLogger(__name__)


class PictureFilter:
    """Scores pictures. `labels` are the unwanted ones, in whatever case; `source` a folder or a repository."""

    def __init__(self, source: str, labels: Sequence[str], token: str = "") -> None:
        self._source, self._token = source, token
        self._labels = frozenset(label.casefold() for label in labels)
        self._lock = threading.Lock()
        self._loaded: tuple[Any, Any, list[int]] | None = None

    def score(self, image: Image.Image) -> float:
        """How probably the picture is unwanted, from 0 to 1. Raises OperatorNeeded where the model is not available."""
        import torch

        model, processor, unwanted = self._model()
        with torch.inference_mode():
            values = processor(images=image.convert("RGB"), return_tensors="pt")
            probabilities = model(**values).logits[0].float().softmax(dim=-1)
        return float(probabilities[unwanted].sum())

    def _model(self) -> tuple[Any, Any, list[int]]:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded

    def _load(self) -> tuple[Any, Any, list[int]]:
        from transformers import AutoImageProcessor, AutoModelForImageClassification
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        folder = model_folder(self._source)
        try:
            if folder is None:
                log.info("%s is not on this disk: asking the Hub for it", self._source)
                require_model(self._source, self._token)
            source = str(folder or self._source)
            more = {} if folder else {"token": self._token or None}
            model = AutoModelForImageClassification.from_pretrained(source, use_safetensors=True, **more).eval()
            processor = AutoImageProcessor.from_pretrained(source, use_fast=False, **more)
        except (OSError, ValueError) as error:
            said = first_line(error).rstrip(".")
            raise OperatorNeeded(f"the picture filter {self._source} is not available: {said}") from error
        names = {int(number): str(name) for number, name in model.config.id2label.items()}
        unwanted = [number for number, name in names.items() if name.casefold() in self._labels]
        if not unwanted:
            known = ", ".join(names.values())
            raise OperatorNeeded(f"the picture filter {self._source} knows none of bot.picture_labels, but {known}")
        return model, processor, unwanted


class FilteredGenerator(Wrapper):
    """Like the generator behind it, but a portrait with a score of `threshold` or more is not handed on."""

    def __init__(self, inner: Generator, pictures: PictureFilter, threshold: float) -> None:
        super().__init__(inner)
        self._pictures, self._threshold = pictures, threshold

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        """As `Generator.generate`; raises PictureRefused besides."""
        portrait = self.inner.generate(request, on_step)
        score = self._pictures.score(portrait.image)
        if score >= self._threshold:
            raise PictureRefused(f"the picture filter gives this portrait {score:.2f}, {self._threshold} is refused")
        return portrait
