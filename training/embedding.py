"""CLIP and DINO: what a picture looks like as a row of numbers, for the test of a LoRA and the check of a data set."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from configs.printable import first_line
from inference.hub import model_folder, require_model

log = logging.getLogger(__name__)
Features = NDArray[np.float32]
Pictures = Sequence[Image.Image]
Embed = Callable[[Pictures], Features]
CLIP, DINO = "openai/clip-vit-base-patch32", "facebook/dinov2-small"


def model_named(scorer: str) -> str:
    """Where the model of `training.scorer` is: a repository or a folder; "" where that names none."""
    return "" if scorer in ("auto", "demo", "pixels") else {"clip": CLIP, "dino": DINO}.get(scorer, scorer)


def embedding_on_disk(scorer: str) -> Embed | None:
    """The features of the model that `training.scorer` means, where it is on this disk already; else None.

    One that is there and cannot be used is told in the log.
    """
    for source in (CLIP, DINO) if scorer == "auto" else (model_named(scorer),):
        folder = model_folder(source) if source else None
        if folder:
            try:
                return ImageModel(str(folder)).features  # by its folder, so that the Hub is never asked
            except (OSError, ValueError) as error:
                reason = first_line(error)
                log.warning("%s cannot be used, pictures are compared by their colours: %s", source, reason)
    return None


class ImageModel:
    """CLIP or DINO from a folder, the Hub's cache, or the Hub."""

    def __init__(self, source: str, token: str = "") -> None:
        """Raises OSError or ValueError, as transformers does, where the model is not to be had."""
        self.name = Path(source).name if Path(source).is_dir() else source
        folder = model_folder(source)
        if folder:
            try:
                self._load(str(folder))
                return
            except OSError:  # half a download
                if Path(source).is_dir():
                    raise
        log.info("%s is not on this disk: asking the Hub for it", source)
        require_model(source, token)
        self._load(source, token=token or None)

    def _load(self, source: str, **where: Any) -> None:
        from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

        self._model: Any = AutoModel.from_pretrained(source, use_safetensors=True, **where).eval()
        self._pictures: Any = AutoImageProcessor.from_pretrained(source, use_fast=False, **where)
        self._words: Any = None
        if hasattr(self._model, "get_text_features"):
            self._words = AutoTokenizer.from_pretrained(source, **where)

    def features(self, images: Pictures) -> Features:
        import torch

        rows = []
        with torch.no_grad():
            for start in range(0, len(images), 16):
                batch = [image.convert("RGB") for image in images[start : start + 16]]
                values = self._pictures(images=batch, return_tensors="pt")
                found = self._model.get_image_features(**values) if self._words else self._model(**values)
                rows.append(pooled(found).float().numpy())
        return unit(np.concatenate(rows))


def pooled(found: Any) -> Any:
    """What transformers returns for a picture or a text, without the tokens that it came from."""
    return found if not hasattr(found, "pooler_output") else found.pooler_output


def unit(rows: Any) -> Features:
    """Rows brought to length 1."""
    values = np.asarray(rows, dtype=np.float32)
    lengths: Features = np.linalg.norm(values, axis=1, keepdims=True)
    return np.asarray(values / np.maximum(lengths, 1e-12), dtype=np.float32)
