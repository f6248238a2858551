"""The section `[replicate]`: drawing and training through Replicate, its limits, its money."""

import datetime
import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, field_validator

from configs.sections import Section

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_MODEL = re.compile(rf"(deployments/{_NAME}/{_NAME}|(?!deployments/){_NAME}/{_NAME}(:[A-Za-z0-9]+)?)?")
LOOPBACK = ("127.0.0.1", "localhost", "::1")

Scalar = bool | int | float | str
Seconds = Annotated[float, Field(gt=0, le=86_400)]
Dollars = Annotated[float, Field(ge=0, le=1_000_000)]


def safe_address(value: str, what: str) -> str:
    """`value` if it is an https address, or plain http on this machine. Raises ValueError otherwise."""
    parts = urlsplit(value)
    if parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)):
        return value
    raise ValueError(f"{what} must be an https address (plain http only on 127.0.0.1 or localhost)")


def _listed(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


class ReplicateSettings(Section):
    """Replicate's side; what each key means stands in `configs/badge.toml`."""

    model: str
    # What the model is asked for.
    base_model: Literal["", "dev", "schnell"]
    steps: int = Field(ge=0, le=200)
    guidance: float = Field(ge=-1, le=30)
    lora_scale: float = Field(ge=-4, le=4)
    aspect_ratio: str
    width: int = Field(ge=0, le=4096)
    height: int = Field(ge=0, le=4096)
    megapixels: str
    num_outputs: int = Field(ge=1, le=4)
    output_format: Literal["png", "webp", "jpg"]
    output_quality: int = Field(ge=-1, le=100)
    go_fast: bool
    disable_safety_checker: bool
    extra_inputs: dict[str, Scalar]
    # Waiting.
    deadline_s: Seconds
    wait_s: int = Field(ge=0, le=60)
    poll_min_s: Seconds
    poll_max_s: Seconds
    webhook_url: str
    webhook_listen: str
    webhook_poll_s: Seconds
    newest_version_s: float = Field(ge=0)
    # HTTP.
    connect_timeout_s: Seconds
    read_timeout_s: Seconds
    attempts: int = Field(ge=1, le=20)
    retry_min_s: Seconds
    retry_max_s: Seconds
    download_hosts: Annotated[tuple[str, ...] | str, BeforeValidator(_listed)]
    max_image_mb: int = Field(ge=1, le=1000)
    # Quota and money.
    requests_per_minute: int = Field(ge=0)
    requests_per_month: int = Field(ge=0)
    budget_day_usd: Dollars
    budget_month_usd: Dollars
    usd_per_second: Dollars
    usd_per_image: Dollars
    training_usd_per_second: Dollars
    rates_date: datetime.date
    estimate_badge_usd: Dollars
    estimate_training_usd: Dollars
    # Training.
    destination: str
    trainer: str
    hardware: str
    trainer_inputs: dict[str, Scalar]
    training_deadline_s: Seconds
    training_poll_s: Seconds
    max_archive_mb: int = Field(ge=1, le=100_000)

    @field_validator("model")
    @classmethod
    def _is_a_model(cls, value: str) -> str:
        if not _MODEL.fullmatch(value):
            raise ValueError("must be owner/name, owner/name:version or deployments/owner/name")
        return value

    @field_validator("destination", "trainer")
    @classmethod
    def _is_owner_and_name(cls, value: str) -> str:
        if not _MODEL.fullmatch(value) or value.startswith("deployments/"):
            raise ValueError("must be owner/name")
        return value

    @field_validator("webhook_url")
    @classmethod
    def _is_safe(cls, value: str) -> str:
        return safe_address(value, "the webhook address") if value else value

    @field_validator("webhook_listen")
    @classmethod
    def _is_host_and_port(cls, value: str) -> str:
        if not re.fullmatch(r"[\w.:\[\]-]+:\d{1,5}", value) or int(value.rpartition(":")[2]) > 65535:
            raise ValueError("must be host:port, for example 127.0.0.1:8790")
        return value

    @property
    def hosts(self) -> tuple[str, ...]:
        """`download_hosts`, each in lower case."""
        listed = self.download_hosts
        return tuple(host.lower() for host in ((listed,) if isinstance(listed, str) else listed))
