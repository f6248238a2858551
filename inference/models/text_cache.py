"""Prompts as the text encoders see them, remembered in memory and on disk, so that a prompt is encoded once ever.

A file a prompt, named by the SHA-256 of everything that determines the numbers: encoder revision, dtype, length,
prompt, and the LoRA where it changes the encoders. Files are written aside and renamed, so several processes may
share a folder; one that cannot be read is made again.
"""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import RenderFailed
from inference.files import PRIVATE, private_folder, shrink_folder, write_atomically

if TYPE_CHECKING:
    import torch

    Tensors = Mapping[str, torch.Tensor]

log = logging.getLogger(__name__)

# Two to eight megabytes each for a full-size model, and on the card.
PROMPTS_KEPT = 32


class TextCache:
    """Tensors by key: the last few in memory, all of them in `folder`, where one is given."""

    def __init__(self, folder: Path | None, limit: int = 2_000_000_000) -> None:
        """`limit` in bytes; beyond it the least recently used files are deleted. An unusable folder is logged once."""
        self._folder = folder
        self._limit = limit
        self._memory: OrderedDict[str, Tensors] = OrderedDict()

    @staticmethod
    def key(revision: str, dtype: str, length: int, prompt: str, lora: str) -> str:
        """The name of a prompt's tensors: 64 hex digits. `lora` is "" where no LoRA touches the encoders."""
        return hashlib.sha256(
            repr((revision, dtype, length, prompt, lora)).encode("utf-8", "surrogatepass")
        ).hexdigest()

    def get(self, key: str) -> "Tensors | None":
        """The tensors, on the CPU or wherever `put` had them, or None."""
        known = self._memory.get(key) or self._read(key)
        if known is not None:
            self._remember(key, known)
        return known

    def put(self, key: str, tensors: "Tensors") -> None:
        """Remember `tensors`; the same object comes back while it is in memory."""
        self._remember(key, tensors)
        if self._folder is None:
            return
        from safetensors.torch import save

        try:
            private_folder(self._folder)
            data = save({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()})
            write_atomically(self._path(key), data, PRIVATE)
            self._shrink()
        except (OSError, RenderFailed) as error:
            log.warning("prompts are not kept on disk: %s", error)
            self._folder = None

    def replace(self, key: str, tensors: "Tensors") -> None:
        """Let memory hold these tensors, which are the same ones moved to another device."""
        self._remember(key, tensors)

    def forget(self) -> None:
        """Empty the memory; files stay."""
        self._memory.clear()

    def _remember(self, key: str, tensors: "Tensors") -> None:
        self._memory[key] = tensors
        self._memory.move_to_end(key)
        while len(self._memory) > PROMPTS_KEPT:
            self._memory.popitem(last=False)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{key}.safetensors"

    def _read(self, key: str) -> "Tensors | None":
        if self._folder is None:
            return None
        from safetensors import SafetensorError
        from safetensors.torch import load

        path = self._path(key)
        try:
            tensors: Tensors = load(path.read_bytes())
            path.touch()
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError) as error:
            log.warning("a remembered prompt cannot be read and is encoded again: %s", error)
            return None
        return tensors

    def _shrink(self) -> None:
        assert self._folder is not None
        shrink_folder(self._folder, "*.safetensors", self._limit)
