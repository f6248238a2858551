"""The Bot API client of this bot: token, timeouts, connections, webhook secret."""

import hashlib
import hmac
import logging
import re
import time

from telegram.error import TelegramError

from bot.api.http import AioRequest
from bot.api.inbox_queue import DurableBot, InboxQueue
from bot.api.limiter import PoliteLimiter
from bot.errors import StartError
from configs.sections.bot import BotSettings
from configs.settings import Settings

log = logging.getLogger(__name__)

_CONNECTIONS = 24
"""Chosen by hand for Telegram's 30 calls a second beside 8 slow uploads (`delivery`); each call goes through the list
of open connections, so more of them cost time."""


def bot_token(settings: Settings) -> str:
    """The bot token, checked for its format only. Raises StartError."""
    token = settings.secrets.telegram_bot_token.get_secret_value()
    if not token:
        raise StartError("TELEGRAM_BOT_TOKEN is not set: get a token from @BotFather and put it into .env")
    if not re.fullmatch(r"[0-9]+:[A-Za-z0-9_-]+", token):
        raise StartError(
            "TELEGRAM_BOT_TOKEN is not a token of @BotFather (digits, a colon, letters): copy all of it, without quotes"
        )
    return token


def webhook_secret(token: str) -> str:
    """The secret token that Telegram sends with each webhook request, derived from the bot token."""
    return hmac.new(token.encode(), b"badge bot webhook", hashlib.sha256).hexdigest()


def polling_failed(error: TelegramError) -> None:
    """Log a polling error in one line; python-telegram-bot retries by itself."""
    log.warning("no updates from Telegram: %s", error)


def telegram_client(bot: BotSettings, token: str, limiter: PoliteLimiter, queue: InboxQueue) -> DurableBot:
    """The Bot API client, with timeouts that fit uploads."""
    request = AioRequest(_CONNECTIONS, read=bot.send_timeout, upload=bot.upload_timeout, wait=bot.upload_timeout)
    polling = AioRequest(2, read=30.0, upload=30.0, wait=10.0)
    client = DurableBot(
        token, bot.base_url, bot.base_file_url, request=request, get_updates_request=polling, rate_limiter=limiter,
        local_mode=bot.local_mode,
    )  # fmt: skip
    object.__setattr__(client, "inbox", queue)  # python-telegram-bot's objects are frozen
    object.__setattr__(client, "heard", time.monotonic())
    object.__setattr__(client, "answered", time.monotonic())
    return client
