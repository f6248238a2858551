"""A banner style of one's own: a table `[themes.NAME]`, used as `--style NAME`."""

from typing import Literal

from pydantic import Field, field_validator

from configs.sections import Section


class ThemeColors(Section):
    """Colours as #RRGGBB or by name; "" leaves the base style's own."""

    plate: str = ""
    edge: str = ""
    text: str = ""
    stroke: str = ""
    ring: str = ""


class ThemeSettings(Section):
    """What it changes of the built-in style `base`. `font` is a .ttf or .otf file, `logo` a PNG.

    Relative paths are looked for beside the file that names them.
    """

    base: str = "ribbon"
    colors: ThemeColors = Field(default_factory=ThemeColors)
    font: str = ""
    logo: str = ""
    logo_place: Literal["plate", "ring"] = "plate"
    caption: str = "{text}"

    @field_validator("caption")
    @classmethod
    def _has_one_text(cls, value: str) -> str:
        if value.count("{text}") != 1:
            raise ValueError("must contain {text} exactly once")
        return value
