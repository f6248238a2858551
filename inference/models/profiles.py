"""Profiles: one base model each, read from `configs/profiles/NAME.toml`.

A profile says where the weights are (a Hub repository, or a folder in this package for the demo), which pipeline
class draws, and the values that belong to the model: steps, guidance, size, text length, licence, LoRA family.
"""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError, model_validator

from configs.names import unknown_name
from configs.printable import first_line
from configs.profiles import PROFILES, names_in
from configs.sections import Section
from inference.errors import InvalidRequest

PACKAGE = Path(__file__).resolve().parents[2]
FOLDER = PROFILES


class TrainingDefaults(Section):
    """What training takes for this base where the user sets nothing; None is `[training]` of configs/badge.toml."""

    steps: int | None = Field(default=None, ge=1)
    learning_rate: float | None = Field(default=None, gt=0, le=1)
    timesteps: Literal["sigmoid", "uniform", "shift"] | None = None


class Profile(Section):
    """One base model. Sizes in pixels, `max_sequence_length` in tokens of the long text encoder; `lowercase` where
    the text encoders know small letters only; `vocabulary` is a table in this package with all things that it can draw
    (`inference/translation/vocabulary.py`), "" where it draws anything."""

    name: str
    title: str
    repo: str = ""
    revision: str = ""
    folder: str = ""
    pipeline: str
    family: Literal["flux1", "flux2", "z-image"]
    size: Literal["", "flux1", "flux2-klein-4b", "flux2-klein-9b", "z-image"] = ""
    steps: int = Field(ge=1, le=200)
    guidance: float = Field(ge=0, le=30)
    width: int = Field(ge=64, le=2048, multiple_of=16)
    height: int = Field(ge=64, le=2048, multiple_of=16)
    max_sequence_length: int = Field(ge=8, le=512)
    licence: str
    non_commercial: bool = False
    gated: bool = False
    multilingual: bool = False
    lowercase: bool = False
    lora: str = ""
    vocabulary: str = ""
    training_base: str = ""
    recipe: TrainingDefaults = TrainingDefaults()

    @model_validator(mode="after")
    def _one_source(self) -> "Profile":
        if bool(self.repo) == bool(self.folder):
            raise ValueError("needs exactly one of repo and folder")
        if bool(self.repo) != bool(self.size):
            raise ValueError("needs a size with a repo, and none with a folder")
        return self

    @property
    def guided(self) -> bool:
        """Whether each step runs twice, with the prompt and with an empty one (classifier-free guidance).

        FLUX.1's guidance is an input of its distilled model; FLUX.2 guides for real above 1, Z-Image above 0.
        """
        return self.guidance > {"flux1": float("inf"), "flux2": 1, "z-image": 0}[self.family]

    @property
    def source(self) -> str:
        """What `from_pretrained` is given: the repository, or the absolute folder in this package."""
        return self.repo or str(PACKAGE / self.folder)

    @property
    def default_lora(self) -> Path | None:
        """The LoRA that ships with this profile, where there is one."""
        return PACKAGE / self.lora if self.lora else None

    @property
    def vocabulary_file(self) -> Path | None:
        """The table of all that this profile can draw; None where it draws anything."""
        return PACKAGE / self.vocabulary if self.vocabulary else None


def profile_names() -> list[str]:
    """All profile names, sorted."""
    return names_in(FOLDER)


@cache
def load_profile(name: str) -> Profile:
    """The profile called `name`. Raises InvalidRequest with the nearest names where there is none."""
    if name not in profile_names():
        raise InvalidRequest(unknown_name("profile", name, profile_names()))
    path = FOLDER / f"{name}.toml"
    try:
        return Profile(name=name, **tomllib.loads(path.read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise InvalidRequest(f"profile file {path} cannot be used: {first_line(error)}") from error


def base_profile(name: str) -> Profile:
    """The profile whose weights are trained on: a distilled model names its undistilled base."""
    profile = load_profile(name)
    if profile.training_base and profile.training_base != name:
        return load_profile(profile.training_base)
    return profile
