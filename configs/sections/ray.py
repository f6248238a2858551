"""The section `[ray]`: drawing on many cards or boxes."""

from pydantic import Field

from configs.sections import Section


class RaySettings(Section):
    """How many actors draw at once; 0 means one a card, or one a CPU core where there is no card."""

    actors: int = Field(ge=0, le=1024)
