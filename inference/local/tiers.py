"""The names of the ways in which a CUDA card draws; `inference/local/plan.py` says what each does."""

from typing import Literal

Tier = Literal["exact", "fast", "turbo", "small"]
TIERS: tuple[Tier, ...] = ("exact", "fast", "turbo", "small")
