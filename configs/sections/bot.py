"""The section `[bot]`: the Telegram bot."""

from configs.sections import Section


class BotSettings(Section):
    """Where the Bot API is. Both are roots to which the token is appended, as python-telegram-bot does."""

    base_url: str
    base_file_url: str
