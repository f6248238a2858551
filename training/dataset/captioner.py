"""What a picture seems to show, by a captioning model of the owner's: a first guess for the naming page, never more.

Taken only where the model is on this disk already (a folder, or the Hub's cache), and never fetched. BLIP completes a
sentence that was begun, so it is asked exactly for what is held. Source:
https://huggingface.co/docs/transformers/model_doc/blip.
"""

import logging
import re
from threading import Lock
from typing import Any

from PIL import Image

from configs.printable import first_line, without_controls
from inference.hub import model_folder

log = logging.getLogger(__name__)
BEGUN = "a cartoon character holding"
_WORDS = 12
"""Tokens after `BEGUN`, by hand: the object comes first, and what follows it is cut off anyway."""
_ENDS = re.compile(r"[.,;:!?]| (?:and|with|while|in|on|standing|wearing)\b")


def held(sentence: str) -> str:
    """The object in what a model wrote after "holding", "" where it says nothing that is one.

    >>> held("a red lantern in front of a tree"), held("a sword sword sword"), held("a")
    ('red lantern', '', '')
    """
    words = re.sub(
        r"^(?:up |onto )?(?:an? |the |his |her |its )?", "", _ENDS.split(without_controls(sentence).strip())[0].strip()
    )
    parts = words.split()
    if not parts or len(set(parts)) < len(parts) or len(parts) > 5 or not re.search("[a-z]{3}", words):
        return ""
    return words


class Captioner:
    """A BLIP, loaded once a process with its first picture."""

    def __init__(self, source: str) -> None:
        self.name = source
        self._folder = model_folder(source) if source else None
        self._one = Lock()
        self._model: Any = None

    @property
    def ready(self) -> bool:
        """Whether the model is on this disk, and could be loaded if that was tried."""
        return self._folder is not None

    def guess(self, image: Image.Image) -> str:
        """What the character seems to hold, "" where the model does not tell."""
        with self._one:
            if self._folder is None or not self._load():
                return ""
            import torch

            values = self._processor(images=image.convert("RGB"), text=BEGUN, return_tensors="pt")
            with torch.no_grad():
                found = self._model.generate(**values, max_new_tokens=_WORDS)
            text = str(self._processor.decode(found[0], skip_special_tokens=True))
        return held(text.lower().removeprefix(BEGUN))

    def _load(self) -> bool:
        if self._model is not None:
            return True
        try:
            from transformers import AutoProcessor, BlipForConditionalGeneration

            self._processor: Any = AutoProcessor.from_pretrained(self._folder)
            self._model = BlipForConditionalGeneration.from_pretrained(self._folder, use_safetensors=True).eval()
        except (OSError, ValueError, ImportError, LookupError, RuntimeError, TypeError, AttributeError) as error:
            reason = first_line(error)
            log.warning("the captioning model %s cannot be used, nothing is guessed: %s", self.name, reason)
            self._folder = None
            return False
        return True
