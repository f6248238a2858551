"""Latents of the store's drawings, encoded as the drawings arrive."""

from pathlib import Path

import torch
from torch import Tensor

from training.demo.model import Vae
from training.demo.model.loop import save_atomic
from training.demo.model.store import Store
from training.demo.model.vae import encode

_STEP = 512  # drawings encoded between two training steps at most


class Latents:
    """N x 16 x 16 x 16 in bf16 on the store's device; `shift` and `scale` bring them to mean 0 and deviation 1."""

    def __init__(self, store: Store, vae: Vae, scale: tuple[float, float] | None = None) -> None:
        self._store, self._vae, self._count = store, vae, 0
        self._latents = torch.zeros(store.capacity, 16, 16, 16, dtype=torch.bfloat16, device=store.device)
        first = store.count
        for start in range(0, first, 2048):
            self._encode(min(first, start + 2048))
        some = self._latents[: min(first, 3000)].float()
        self.shift, self.scale = scale or (float(some.mean()), float(1 / some.std()))

    def ready(self) -> int:
        """How many rows are encoded, after some more of what arrived."""
        if self._store.count >= self._count + _STEP or self._store.count == self._store.capacity:
            self._encode(min(self._store.count, self._count + _STEP))
        return self._count

    def scaled(self, index: Tensor) -> Tensor:
        """Rows as tokens, B x 64 x 64."""
        return pack((self._latents[index].float() - self.shift) * self.scale)

    def save(self, path: Path) -> None:
        """Keeps the two numbers."""
        save_atomic((self.shift, self.scale), path)

    def _encode(self, until: int) -> None:
        if until > self._count:
            self._latents[self._count : until] = encode(self._vae, self._store.pictures[self._count : until])
            self._count = until


def pack(latents: Tensor) -> Tensor:
    """N x 16 x 16 x 16 latents to N x 64 x 64 tokens, in FluxPipeline's order."""
    n, c, h, w = latents.shape
    return latents.view(n, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(n, h * w // 4, c * 4)
