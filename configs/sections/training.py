"""The section `[training]`: what a LoRA run does when the command line does not say otherwise."""

from typing import Annotated, Literal

from pydantic import Field, PrivateAttr, field_validator

from configs.sections import Section


class TrainingSettings(Section):
    """The recipe. Lengths in optimizer steps, sizes in pixels; `alpha` 0 is the rank, `sample_every` 0 is never."""

    backend: Literal["local", "replicate"]
    steps: int = Field(ge=1, le=100_000)
    learning_rate: float = Field(gt=0, le=1, allow_inf_nan=False)
    rank: int = Field(ge=1, le=512)
    alpha: float = Field(ge=0, le=4096, allow_inf_nan=False)
    resolutions: tuple[int, ...] = Field(min_length=1, max_length=8)
    batch: int = Field(ge=1, le=256)
    warmup: int = Field(ge=0, le=100_000)
    decay: float = Field(ge=0, le=1)
    weight_decay: float = Field(ge=0, le=1)
    betas: tuple[float, float]
    ema: float = Field(ge=0, lt=1)
    clip: float = Field(gt=0, le=1000)
    caption_dropout: float = Field(ge=0, le=1)
    preserve: float = Field(ge=0, lt=1)
    preserve_pictures: int = Field(ge=1, le=1000)
    strangers: tuple[str, ...]
    guidance: float = Field(ge=0, le=30)
    flip: bool
    timesteps: Literal["sigmoid", "uniform", "shift"]
    targets: str
    seed: int = Field(ge=0, le=2**32 - 1)
    held_out: int = Field(ge=0, le=16)
    save_every: int = Field(ge=1, le=100_000)
    sample_every: int = Field(ge=0, le=100_000)
    sample_objects: tuple[str, ...]
    log_every: int = Field(ge=1, le=10_000)
    tracker: Literal["none", "tensorboard", "trackio"]
    plan: Literal["auto", "bf16", "checkpointing", "int8", "nf4", "fp32"]
    compile: bool
    device: str
    threads: int = Field(ge=0, le=256)
    captioner: str
    scorer: str
    test_objects: tuple[str, ...]
    test_seeds: int = Field(ge=1, le=64)
    test_scales: tuple[Annotated[float, Field(gt=0, le=4)], ...] = Field(min_length=1)

    _given: frozenset[str] = PrivateAttr(default=frozenset())

    @property
    def given(self) -> frozenset[str]:
        """Fields that the user's own file or the environment set: they override the recipe of a base model."""
        return self._given

    def remember_given(self, names: frozenset[str]) -> None:
        """Note which fields are the user's own. For whoever reads the settings, once."""
        self._given = names

    @field_validator("resolutions")
    @classmethod
    def _sizes_fit_the_model(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        for size in value:
            if not 64 <= size <= 2048 or size % 16:
                raise ValueError("sizes are multiples of 16 from 64 to 2048")
        return tuple(sorted(set(value)))

    @field_validator("betas")
    @classmethod
    def _betas_below_one(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not all(0 <= beta < 1 for beta in value):
            raise ValueError("both lie in 0 to 1, 1 left out")
        return value

    @field_validator("targets")
    @classmethod
    def _targets_are_a_pattern(cls, value: str) -> str:
        import re

        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from error
        return value
