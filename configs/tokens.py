"""Tokens and the one address that goes with them: from the environment or `.env`, never from a settings file."""

import logging
from typing import Any

from pydantic import SecretStr, field_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from configs.sections.replicate import safe_address

log = logging.getLogger(__name__)


class _OwnAddress(PydanticBaseSettingsSource):
    """`.env` without its address where the token that would be sent there comes from the environment."""

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        environment: PydanticBaseSettingsSource,
        dotenv: PydanticBaseSettingsSource,
    ) -> None:
        super().__init__(settings_cls)
        self._environment, self._dotenv = environment, dotenv

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._dotenv.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        values = self._dotenv()
        if self._environment().get("replicate_api_token") and values.get("replicate_base_url"):
            log.warning(
                "REPLICATE_BASE_URL of .env is ignored: the token is the environment's, so the address must be too"
            )
            del values["replicate_base_url"]
        return values


class Secrets(BaseSettings):
    """Tokens, from the environment or `.env`; empty where not set. And the one address that is named in no file:

    `REPLICATE_BASE_URL`, the Replicate client's own variable, without `/v1`; "" is Replicate itself. `.env` may name it
    only for a token of its own: the folder that somebody stands in never says where an exported token is sent.
    """

    model_config = SettingsConfigDict(extra="ignore", frozen=True, env_file=".env", env_file_encoding="utf-8")

    telegram_bot_token: SecretStr = SecretStr("")
    replicate_api_token: SecretStr = SecretStr("")
    replicate_base_url: str = ""
    hf_token: SecretStr = SecretStr("")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings, env_settings, _OwnAddress(settings_cls, env_settings, dotenv_settings))

    @field_validator("replicate_base_url")
    @classmethod
    def _token_goes_nowhere_unsafe(cls, value: str) -> str:
        address = value.strip().rstrip("/").removesuffix("/v1")
        return safe_address(address, "the Replicate API") if address else ""
