"""Encoded pictures and captions on disk, named by content: an encoder runs once for each, and never in the loop.

A name is the SHA-256 over everything that determines the tensors (picture bytes, size, mirrored; prompt and length;
the base's identity; dtype). Pictures and captions meet only in the caller's table by picture, so a latent can never be
read with another picture's caption, in whatever order anything was encoded. Files are written aside and renamed.
"""

import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors.torch import load_file, save_file

from inference.files import written_aside
from inference.local.encoders import pass_through
from inference.models.family import Text, Tokens
from training.dataset.pictures import upright
from training.errors import TrainingFailed
from training.local.base import Base, free
from training.local.device import memory_of
from training.local.material.buckets import cover_box
from training.local.memory_plan import GIB, RESERVE

log = logging.getLogger(__name__)


class Cache:
    """The encoded forms in `folder`, made where missing."""

    def __init__(self, folder: Path, base: Base, device: torch.device, dtype: torch.dtype) -> None:
        self._folder, self._base, self._device, self._dtype = folder, base, device, dtype

    @property
    def identity(self) -> str:
        """What the cached values depend on besides picture and caption."""
        return f"{self._base.identity}/{self._base.profile.max_sequence_length}/{self._dtype}"

    def pictures(
        self, wanted: Iterable[tuple[Path, str, tuple[int, int], bool]], on_each: Callable[[], None] = lambda: None
    ) -> list[Tokens]:
        """Tokens for each (path, sha256, size, mirrored), on the CPU. Loads the VAE only where something is missing."""
        wanted = list(wanted)
        files = [self._file("picture-srgb", sha256, size, flip) for _, sha256, size, flip in wanted]
        vae: Any = None
        for (path, _, size, flip), file in zip(wanted, files, strict=True):
            if not file.exists():
                vae = vae or self._vae()
                self._encode_picture(vae, path, size, flip, file)
            on_each()
        del vae
        free()
        return [_tokens(file) for file in files]

    def texts(self, prompts: Iterable[str], on_each: Callable[[], None] = lambda: None) -> dict[str, Text]:
        """Each prompt encoded, on the CPU. Loads the encoders only where something is missing."""
        files = {prompt: self._file("text", prompt) for prompt in prompts}
        encoders: Any = None
        for prompt, file in files.items():
            if not file.exists():
                if encoders is None:
                    encoders = _placed(self._base.load_encoders(self._dtype), self._device)
                text = self._base.encode(encoders, prompt)
                pooled = {} if text.pooled is None else {"pooled": text.pooled}
                _save({"embeds": text.embeds, **pooled}, file)
            on_each()
        del encoders
        free()
        return {prompt: _text(file) for prompt, file in files.items()}

    def _vae(self) -> Any:
        # FLUX.1's VAE overflows in fp16 and blurs in bf16; encoding happens once, so it is done in fp32.
        return self._base.load_vae(torch.float32).to(self._device).requires_grad_(False)

    def _encode_picture(self, vae: Any, path: Path, size: tuple[int, int], flip: bool, file: Path) -> None:
        pixels = _pixels(path, size, flip).to(self._device)
        with torch.no_grad():
            posterior = vae.encode(pixels).latent_dist
        tokens = self._base.family.to_tokens(vae, posterior.mean, posterior.std)
        grid = torch.tensor([tokens.rows, tokens.columns])
        _save({"mean": tokens.mean, "std": tokens.std, "grid": grid}, file)

    def _file(self, kind: str, *parts: object) -> Path:
        name = hashlib.sha256(repr((kind, self.identity, parts)).encode("utf-8", "surrogatepass")).hexdigest()
        return self._folder / f"{kind}-{name[:32]}.safetensors"


def _placed(encoders: Any, device: torch.device) -> Any:
    """The encoders on `device`; layer by layer where the card has no room for all, as klein's Qwen3 on 8 GB."""
    parts = [part for part in encoders.components.values() if isinstance(part, torch.nn.Module)]
    size = sum(w.numel() * w.element_size() for part in parts for w in part.parameters())
    if _fit(size, device):
        return encoders.to(device)
    log.info("the text encoders pass through the card layer by layer: %.1f GB are too much for it", size / GIB)
    for part in parts:
        pass_through(part, device)
    return encoders


def _fit(size: int, device: torch.device) -> bool:
    """Whether `size` bytes of encoders can stay on `device`, a tenth for their values and CUDA's share added."""
    return device.type != "cuda" or size * 1.1 + RESERVE / 2 <= memory_of(device)[0]


def _pixels(path: Path, size: tuple[int, int], flip: bool) -> torch.Tensor:
    """1 x 3 x height x width in -1..1."""
    image = upright(path)
    box = cover_box(*image.size, size)
    image = image.resize(size, Image.Resampling.LANCZOS, box=box, reducing_gap=3.0)
    if flip:
        image = ImageOps.mirror(image)
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1).float().div(127.5).sub(1).unsqueeze(0)


def _save(tensors: dict[str, torch.Tensor], file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_aside(file) as aside:
            save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, aside)
    except OSError as error:
        raise TrainingFailed(f"cannot write {file}: {error.strerror or error}") from error


def _tokens(file: Path) -> Tokens:
    tensors = load_file(file)
    rows, columns = tensors["grid"].tolist()
    return Tokens(tensors["mean"], tensors["std"], rows, columns)


def _text(file: Path) -> Text:
    tensors = load_file(file)
    return Text(tensors["embeds"], tensors.get("pooled"))
