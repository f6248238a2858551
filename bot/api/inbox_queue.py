"""Where updates are stored before Telegram may forget them.

python-telegram-bot counts an update as read once `put` of its update queue returns (polling moves the offset on, a
webhook answers 200), so `put` commits first, and drops what was seen before. Polling brings up to 100 updates at
once: `DurableBot` stores such a batch in one commit before the updater sees it, and `put` then finds it stored.
A failing store raises TelegramError, after which the updater fetches again; anything else would end it.
"""

import asyncio
import json
import logging
import time
from collections.abc import Sequence
from typing import Any

from telegram import Update
from telegram.error import NetworkError
from telegram.ext import ExtBot

from bot.clock import Clock
from bot.errors import StoreError
from bot.store import Database, inbox

log = logging.getLogger(__name__)


class InboxQueue(asyncio.Queue[object]):
    """python-telegram-bot's update queue, on disk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__()
        self._database = database
        self._clock = clock
        self._stored: dict[int, bool] = {}

    async def store(self, updates: Sequence[Update]) -> None:
        """Commit a batch. Raises NetworkError (a TelegramError) where the store cannot take it."""
        rows = [(update.update_id, json.dumps(update.to_dict(), ensure_ascii=False)) for update in updates]
        now = self._clock.wall()
        try:
            fresh = await self._database.write("received", lambda c: inbox.store(c, rows, now))
        except StoreError as error:
            log.error("%s: Telegram keeps the updates meanwhile", error)
            raise NetworkError("the store cannot take updates now") from error
        for update in updates:
            self._stored[update.update_id] = update.update_id in fresh

    async def put(self, item: object) -> None:
        """Store an update, unless `store` has, and queue it if it is new."""
        if isinstance(item, Update):
            if item.update_id not in self._stored:
                await self.store([item])
            if not self._stored.pop(item.update_id):
                return
        await super().put(item)

    async def restore(self, bot: "ExtBot[None]") -> int:
        """Queue what an earlier run stored and did not answer; how many."""
        waiting = await self._database.read(inbox.waiting)
        for payload in waiting:
            await super().put(Update.de_json(json.loads(payload), bot))
        return len(waiting)


class DurableBot(ExtBot[Any]):
    """A bot whose `get_updates` returns updates only after they are stored."""

    __slots__ = ("heard", "inbox")

    inbox: InboxQueue
    heard: float
    """When Telegram last answered, by the monotonic clock."""

    async def get_updates(self, *args: Any, **kwargs: Any) -> tuple[Update, ...]:
        """As in ExtBot, and on the disk."""
        updates = await super().get_updates(*args, **kwargs)
        object.__setattr__(self, "heard", time.monotonic())
        if updates:
            await self.inbox.store(updates)
        return updates
