"""One typed, frozen section of the settings a file; their values and comments stand in `configs/badge.toml`."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """Base of every section: frozen, and refusing keys that it does not know.

    Fields have no defaults in code: `configs/badge.toml` is the one place where defaults are written.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)
