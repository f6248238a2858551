"""What each step trains on: a pure function of (seed, step), so that going on after a kill is exact by construction.

An epoch is every (picture, size) once, shuffled. All random choices of a step come from its own number; there is no
state to lose. Sigmas are logit-normal (Esser et al. 2024, https://arxiv.org/abs/2403.03206, 3.1), shifted
by the picture's size, or uniform; within a batch they are spread evenly over the distribution.
"""

import hashlib
import math
import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import NormalDist


@dataclass(frozen=True)
class Item:
    """One picture of one step. `prior` >= 0 takes that picture of the base's own instead."""

    picture: int
    size: int
    flip: bool
    dropped: bool
    sigma: float
    noise_seed: int
    prior: int = -1


@dataclass(frozen=True)
class Sampler:
    """`sizes[i]` is how many sizes picture i has; `priors` how many pictures of the base's own there are.

    `lengths[picture, size]` are image tokens, and `prior_length` those of a prior, for timesteps "shift".
    """

    sizes: tuple[int, ...]
    batch: int
    seed: int
    timesteps: str = "sigmoid"
    flip: bool = False
    caption_dropout: float = 0.0
    preserve: float = 0.0
    priors: int = 0
    lengths: Mapping[tuple[int, int], int] = field(default_factory=dict)
    prior_length: int = 0

    def step(self, step: int) -> list[Item]:
        """The `batch` items of step `step`, counted from 0."""
        return [self._item(step, place) for place in range(self.batch)]

    def _item(self, step: int, place: int) -> Item:
        picture, size = self._variant(step * self.batch + place)
        rng = random.Random(f"{self.seed}/step/{step}/{place}")
        even = random.Random(f"{self.seed}/spread/{step}").random()
        share = ((place + even) / self.batch + rng.random() / self.batch) % 1.0
        flip = rng.random() < 0.5
        dropped = rng.random() < self.caption_dropout
        prior = rng.randrange(self.priors) if self.priors and rng.random() < self.preserve else -1
        length = self.prior_length if prior >= 0 else self.lengths.get((picture, size), 0)
        sigma = self._sigma(min(max(share, 1e-5), 1 - 1e-5), length)
        return Item(
            picture, size, self.flip and flip, dropped, sigma, noise_seed(self.seed, "step", step, place), prior
        )

    def _variant(self, number: int) -> tuple[int, int]:
        variants = [(picture, size) for picture, count in enumerate(self.sizes) for size in range(count)]
        epoch, place = divmod(number, len(variants))
        random.Random(f"{self.seed}/epoch/{epoch}").shuffle(variants)
        return variants[place]

    def _sigma(self, share: float, length: int) -> float:
        if self.timesteps == "uniform":
            return share
        shift = _shift(length) if self.timesteps == "shift" else 0.0
        return 1 / (1 + math.exp(-NormalDist().inv_cdf(share) - shift))


def _shift(length: int) -> float:
    """How far FLUX's own sampler moves noise levels, on the logistic scale: 0.5 at 256 tokens, 1.15 at 4096."""
    return 0.5 + (1.15 - 0.5) * (length - 256) / (4096 - 256)


def noise_seed(*parts: object) -> int:
    """A 63-bit seed from any values."""
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:8], "big") >> 1
