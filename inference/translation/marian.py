"""Russian to English by a Marian model (Junczys-Dowmunt et al. 2018), such as Helsinki-NLP/opus-mt-ru-en.

Used where its files are on this machine already, or where the settings allow fetching them. torch and transformers are
imported only once such files are found.
"""

import logging
import re
import threading
import warnings
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

from safetensors import SafetensorError

from configs.printable import first_line
from inference.hub import cached_file

log = logging.getLogger(__name__)

_opening = threading.Lock()
_MAX_NEW_TOKENS = 48
_DAMAGED = (SafetensorError, UnpicklingError)
_LEADING = re.compile(r"^(?:(?:with|by|a|an|the|some)\s+)+", re.IGNORECASE)


class Marian:
    """One loaded model. Calls from several threads queue up."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer = tokenizer
        self._model = model
        self._lock = threading.Lock()

    def translate(self, text: str) -> str:
        """The English for `text` without articles at its start; "" where what the model says is no use."""
        import torch

        with self._lock, torch.inference_mode():
            given = self._tokenizer([text], return_tensors="pt")
            ids = self._model.generate(**given, max_new_tokens=_MAX_NEW_TOKENS, num_beams=4, do_sample=False)
            said = self._tokenizer.decode(ids[0], skip_special_tokens=True)
        return tidy(said, text)


def tidy(said: str, source: str) -> str:
    """A model's sentence as the name of a thing; "" for an echo, a loop, or a text far longer than `source`.

    >>> tidy("With a katana.", "катаной"), tidy("The the the the", "кот"), tidy("катана", "катана")
    ('katana', '', '')
    """
    words = _LEADING.sub("", said.strip().rstrip(".!?;,…").strip())
    if words[1:2].islower() or len(words) == 1:
        words = words[:1].lower() + words[1:]
    parts = said.lower().split()
    if not parts or not re.search(r"[A-Za-z]{2}", words) or not words.isascii():
        return ""
    if len(parts) > 2 * len(source.split()) + 4 or max(map(parts.count, parts)) > 2:
        return ""
    return words


def open_marian(name: str, download: bool) -> Marian | None:
    """The model `name` (a folder, or a Hub repository), loaded once a process; None where it is not available.

    A model that is there but cannot be used is logged. `download` lets a repository be fetched.
    """
    with _opening:
        return _open(name, download)


@cache
def _open(name: str, download: bool) -> Marian | None:
    folder = Path(name)
    if not name or not (folder.is_dir() or download or cached_file(name, "config.json")):
        return None
    try:
        from transformers import MarianMTModel, MarianTokenizer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Recommended: pip install sacremoses")
            for local in (True, False) if download and not folder.is_dir() else (True,):
                try:
                    tokenizer = MarianTokenizer.from_pretrained(name, local_files_only=local)
                    model = MarianMTModel.from_pretrained(name, local_files_only=local)
                    break
                except OSError:
                    if not local or not download:
                        raise
    except (OSError, ValueError, ImportError, LookupError, AssertionError, RuntimeError, *_DAMAGED) as error:
        reason = first_line(error)
        log.warning("the translation model %s cannot be used, the glossary translates: %s", name, reason)
        return None
    model.train(False)
    return Marian(tokenizer, model)
