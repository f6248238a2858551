"""The section `[bot]`: the Telegram bot."""

from pydantic import Field, field_validator

from configs.sections import Section


class WelcomeSettings(Section):
    """How /start greets; "" and [] mean the words and the picture that ship."""

    name: str
    name_ru: str
    sentence: str = Field(max_length=1024)
    sentence_ru: str = Field(max_length=1024)
    examples: tuple[str, ...]


class BotSettings(Section):
    """Where Telegram is, who may ask how often, and how the bot behaves. 0 means "no limit" for every limit."""

    base_url: str
    base_file_url: str
    local_mode: bool
    webhook_url: str
    webhook_listen: str
    webhook_port: int = Field(ge=1, le=65535)

    users: tuple[int, ...]
    chats: tuple[int, ...]
    admins: tuple[int, ...]
    members_of: tuple[int, ...]
    ask_admins: bool
    blocked_words: dict[str, str]
    picture_filter: str
    picture_labels: tuple[str, ...]
    picture_threshold: float = Field(gt=0, le=1)
    review_chat: int
    review_hours: float = Field(ge=0, le=24 * 365)
    tag_members: bool
    gallery_chat: int
    sticker_owner: int = Field(ge=0)

    waiting_per_person: int = Field(ge=1, le=1000)
    badges_per_hour: int = Field(ge=0)
    badges_per_day: int = Field(ge=0)
    badges_per_chat_hour: int = Field(ge=0)
    queue_limit: int = Field(ge=1, le=100_000)
    share_portraits: bool
    choices: int = Field(ge=0, le=4)

    messages_per_second: int = Field(ge=1, le=1000)
    edit_seconds: float = Field(ge=0.1, le=60)
    edit_seconds_group: float = Field(ge=0.1, le=60)
    send_timeout: float = Field(ge=1, le=600)
    upload_timeout: float = Field(ge=1, le=3600)

    lease_seconds: float = Field(ge=1, le=3600)
    attempts: int = Field(ge=1, le=100)
    keep_days: int = Field(ge=1, le=3650)
    suggestions: tuple[str, ...]
    suggestions_ru: tuple[str, ...]
    ring_after: float = Field(ge=0)
    welcome: WelcomeSettings

    log_file: str
    log_megabytes: int = Field(ge=1, le=1024)
    log_files: int = Field(ge=1, le=100)
    log_level: str
    ops_listen: str
    ops_port: int = Field(ge=0, le=65535)

    @field_validator("choices")
    @classmethod
    def _several(cls, value: int) -> int:
        if value == 1:
            raise ValueError("must be 0 (none), 2, 3 or 4: one alone leaves no choice")
        return value

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.upper() not in ("DEBUG", "INFO", "WARNING", "ERROR"):
            raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
        return value.upper()

    @field_validator("webhook_url")
    @classmethod
    def _https(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise ValueError("must begin with https:// (Telegram calls nothing else)")
        return value
