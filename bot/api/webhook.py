"""Telegram's webhook: a listener that reads no body without the right secret token.

python-telegram-bot's own webhook reads bodies of up to 100 MB, on any number of connections, before it checks the
secret.
"""

import hmac
import json
import logging
import re
from urllib.parse import urlsplit

from telegram.error import TelegramError
from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders

from bot.api.inbox_queue import DurableBot, InboxQueue, readable_update
from configs.sections.bot import BotSettings
from inference.listener import Bounds, bounded, listen, posts

log = logging.getLogger(__name__)

_MAX_BODY = 2**20  # bytes, chosen by hand: an update is a few KB; Telegram documents no maximum
_HEADER = "X-Telegram-Bot-Api-Secret-Token"


def webhook(settings: BotSettings, secret: str, bot: DurableBot, queue: InboxQueue) -> HTTPServer:
    """Listen for Telegram's requests; stop it with `stop()`. Raises OSError if the port is in use."""

    def allowed(headers: HTTPHeaders) -> int:
        given = headers.get(_HEADER, "")
        return 0 if hmac.compare_digest(given.encode("utf-8", "replace"), secret.encode()) else 403

    async def answer(headers: HTTPHeaders, body: bytes) -> int:
        try:
            data = json.loads(body)
            update = readable_update(data, bot)
        except (ValueError, TypeError, KeyError):
            log.warning("the webhook received a body that is not an update")
            return 400
        try:
            await queue.put(update)
        except TelegramError:  # it could not be stored: Telegram sends it again
            return 503
        return 200

    path = urlsplit(settings.webhook_url).path or "/"
    server = bounded(posts(re.escape(path), allowed, answer), Bounds(_MAX_BODY, connections=64))
    listen(server, settings.webhook_listen, settings.webhook_port)
    return server
