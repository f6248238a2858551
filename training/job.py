"""`TrainingJob`: everything that determines a LoRA, checked when it is made.

Both trainers take one. Values come from `[training]` in the settings and from the command line; `recipe()` is the part
that determines the weights, and is what a checkpoint and a LoRA's header carry.
"""

import re
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from configs.sections.render import PromptSettings
from configs.sections.training import TrainingSettings
from inference.errors import RenderError
from inference.models.profiles import base_profile
from training.errors import InvalidJob

_NOT_RECIPE = {
    "data",
    "out",
    "resume",
    "pay_again",
    "export",
    "destination",
    "data_url",
    "tracker",
    "threads",
    "plan",
    "compile",
    "device",
}

_NOT_JOB = ("backend", "captioner", "scorer", "test_objects", "test_seeds", "test_scales")


class TrainingJob(BaseModel):
    """One LoRA to train. Lengths in optimizer steps, sizes in pixels, `batch` in pictures a step over all processes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path
    out: Path
    profile: str
    trigger: str
    base_prompt: str
    style_words: str
    resume: bool = False
    pay_again: bool = False
    export: tuple[str, ...] = ()
    destination: str = ""
    data_url: str = ""

    steps: int
    learning_rate: float
    rank: int
    alpha: float
    resolutions: tuple[int, ...]
    batch: int
    warmup: int
    decay: float
    weight_decay: float
    betas: tuple[float, float]
    ema: float
    clip: float
    caption_dropout: float
    preserve: float
    preserve_pictures: int
    strangers: tuple[str, ...]
    guidance: float
    flip: bool
    timesteps: str
    targets: str
    seed: int
    held_out: int
    save_every: int
    sample_every: int
    sample_objects: tuple[str, ...]
    log_every: int
    tracker: str
    plan: str
    compile: bool
    device: str
    threads: int

    @field_validator("trigger")
    @classmethod
    def _trigger_is_a_word(cls, value: str) -> str:
        if not re.fullmatch(r"\S{2,64}", value):
            raise ValueError("the trigger is one word of 2 to 64 characters, such as aidbox_samurai_style")
        return value

    @property
    def lora_path(self) -> Path:
        """Where the finished LoRA lies: the file that the bot is given."""
        return self.out / "lora.safetensors"

    def recipe(self) -> dict[str, Any]:
        """The values that determine the weights, as JSON types; where files lie and how fast it goes are left out."""
        return self.model_dump(mode="json", exclude=_NOT_RECIPE)


def make_job(
    settings: TrainingSettings,
    prompt: PromptSettings,
    *,
    data: Path,
    out: Path,
    profile: str,
    own_recipe: bool = True,
    **given: Any,
) -> TrainingJob:
    """A job from the settings' sections, with the command line's values (None is "not given") over them.

    Over the settings' defaults, but under what the user set, goes the recipe of the base that `profile` is trained on;
    not without `own_recipe`, for a trainer elsewhere that has a base of its own.

    `learning_rate`, `steps`, `rank`, `resolutions` out of range raise InvalidJob with the range, as settings do.
    """
    chosen = {key: value for key, value in given.items() if value is not None}
    fields = TrainingSettings.model_fields
    published = _recipe_of(profile) if own_recipe else {}
    recipe = {key: value for key, value in published.items() if key not in settings.given}
    values = settings.model_dump() | recipe | {key: value for key, value in chosen.items() if key in fields}
    try:
        checked = TrainingSettings.model_validate(values).model_dump()
        for name in _NOT_JOB:
            checked.pop(name)
        checked["alpha"] = checked["alpha"] or float(checked["rank"])
        rest = {key: value for key, value in chosen.items() if key not in fields}
        named = {"trigger": prompt.trigger, "base_prompt": prompt.base, "style_words": prompt.style}
        return TrainingJob(data=data, out=out, profile=profile, **(named | rest | checked))
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(str(part) for part in first["loc"][:1])
        problem = first["msg"].removeprefix("Value error, ")
        raise InvalidJob(f"{name} = {first['input']!r}: {problem[0].lower()}{problem[1:]}") from error


def _recipe_of(name: str) -> dict[str, Any]:
    """The published recipe of the base; none for a profile that does not exist, which is said where it is loaded."""
    try:
        return base_profile(name).recipe.model_dump(exclude_none=True)
    except RenderError:
        return {}
