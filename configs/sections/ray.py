"""The section `[ray]`: drawing on many cards or boxes."""

from pydantic import Field, field_validator

from configs.sections import Section


class RaySettings(Section):
    """Which Ray is joined, how many actors draw in it, and when one counts as lost."""

    address: str
    actors: int = Field(ge=0, le=1024)
    restarts: int = Field(ge=-1, le=1_000_000)
    retries: int = Field(ge=0, le=1000)
    patience_s: float = Field(ge=1, le=86_400)

    @field_validator("address")
    @classmethod
    def _no_ray_client(cls, value: str) -> str:
        if value.startswith("ray://"):
            raise ValueError("must be HOST:PORT or auto; ray:// (Ray Client) gives no progress back")
        return value
