"""A character of one's own: a table `[presets.NAME]`, used as `--preset NAME`."""

from pydantic import Field, field_validator

from configs.sections import Section
from configs.sections.render import has_one_object


class PresetSettings(Section):
    """What it changes of `[prompt]`, `[local]` and `[banner]`; what is left out stays as it is there.

    `lora` is looked for beside the file that names it, and then as `local.lora` is. The bot calls the character by
    `title` (and `title_ru`, to people who read Russian), or by its name, and suggests these things to hold, or its own.
    """

    trigger: str | None = None
    base: str | None = None
    style: str | None = None
    lora: str | None = None
    lora_scale: float | None = Field(default=None, ge=-4, le=4)
    banner: str | None = None
    title: str = Field(default="", max_length=40)
    title_ru: str = Field(default="", max_length=40)
    suggestions: tuple[str, ...] = ()
    suggestions_ru: tuple[str, ...] = ()

    @field_validator("base")
    @classmethod
    def _has_one_object(cls, value: str | None) -> str | None:
        return value if value is None else has_one_object(value)
