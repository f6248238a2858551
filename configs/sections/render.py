"""What is drawn and by whom: the sections `[prompt]`, `[banner]`, `[generator]` and `[local]`."""

from typing import Literal

from pydantic import Field, field_validator

from configs.sections import Section


def has_one_object(value: str) -> str:
    """`value`, where an object has one place in it. Raises ValueError."""
    if value.count("{object}") != 1:
        raise ValueError("must contain {object} exactly once")
    return value


class PromptSettings(Section):
    """The three parts of the prompt. `base` holds `{object}` exactly once."""

    trigger: str
    base: str
    style: str

    @field_validator("base")
    @classmethod
    def _has_one_object(cls, value: str) -> str:
        return has_one_object(value)


class BannerSettings(Section):
    """The banner's default style and the badge's side in pixels."""

    style: str
    size: int = Field(ge=128, le=4096)


class GeneratorSettings(Section):
    """Which generator draws, and whether a failing card may hand over to Replicate."""

    kind: Literal["auto", "local", "replicate", "demo", "ray"]
    profile: str
    fallback_to_replicate: bool
    portrait_cache_mb: int = Field(ge=0, le=1_000_000)


class LocalSettings(Section):
    """The local generator. 0 and "" stand for "the profile's own value"."""

    lora: str
    lora_scale: float = Field(ge=-4, le=4)
    steps: int = Field(ge=0, le=200)
    guidance: float = Field(ge=-1, le=30)
    device: str
    threads: int = Field(ge=0, le=256)
    tier: Literal["exact", "fast", "turbo", "small"]
    compile: bool
    memory_gb: float = Field(ge=0, le=10_000)
