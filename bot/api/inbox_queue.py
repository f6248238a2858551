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
from collections import Counter
from collections.abc import Sequence
from typing import Any

from telegram import Update
from telegram.error import InvalidToken, NetworkError, TelegramError
from telegram.ext import ExtBot

from bot.clock import Clock
from bot.errors import StoreError
from bot.store import Database, inbox

log = logging.getLogger(__name__)

_MOST_OF_ONE = 50
"""Unanswered messages of one person; nobody writes so many who waits for an answer."""


class InboxQueue(asyncio.Queue[object]):
    """python-telegram-bot's update queue, on disk."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__()
        self._database = database
        self._clock = clock
        self._stored: dict[int, bool] = {}
        self._waiting: Counter[int] = Counter()
        self._dropping: set[int] = set()

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
            person = _person(item)
            if self._waiting[person] >= _MOST_OF_ONE and person:
                await self._drop(item.update_id, person)
                return
            self._waiting[person] += 1
        await super().put(item)

    async def restore(self, bot: "ExtBot[Any]") -> int:
        """Queue what an earlier run stored and did not answer; how many."""
        waiting = await self._database.read(inbox.waiting)
        for _, payload in waiting:
            update = readable_update(json.loads(payload), bot)
            self._waiting[_person(update)] += 1
            await super().put(update)
        return len(waiting)

    async def _drop(self, update_id: int, user_id: int) -> None:
        """Very many messages of this person wait: nothing is gained by answering one more, and others would wait."""
        if user_id not in self._dropping:
            log.warning("person %d has %d unanswered messages: no more are taken", user_id, _MOST_OF_ONE)
        self._dropping.add(user_id)
        try:
            await self._database.write("dropped", lambda c: inbox.finish(c, update_id))
        except StoreError as error:
            raise NetworkError("the store cannot take updates now") from error

    def answered(self, update: Update) -> None:
        """One fewer waits of this person."""
        person = _person(update)
        self._waiting[person] -= 1
        if self._waiting[person] <= 0:
            del self._waiting[person]
            self._dropping.discard(person)


def readable_update(data: dict[str, Any], bot: "ExtBot[Any]") -> Update:
    """The update, or an empty one with its id where it cannot be read: that is answered by stepping over it."""
    try:
        return Update.de_json(data, bot)
    except Exception as error:  # noqa: BLE001 - whatever python-telegram-bot stumbles over, the next one must be read
        update_id = int(data["update_id"])
        log.error("update %d cannot be read and is left out: %s: %s", update_id, type(error).__name__, error)
        return Update(update_id)


def _person(item: object) -> int:
    user = item.effective_user if isinstance(item, Update) else None
    return user.id if user is not None else 0


class DurableBot(ExtBot[Any]):
    """A bot whose `get_updates` returns updates only after they are stored, and reads of answers only what is used."""

    __slots__ = ("answered", "heard", "inbox", "received")

    inbox: InboxQueue
    heard: float
    """When Telegram last answered `get_updates`, by the monotonic clock."""
    answered: float
    """When any call last succeeded."""
    received: tuple[Update, ...]
    """What the last `getUpdates` brought."""

    def silent(self) -> float:
        """Seconds since any call succeeded."""
        return time.monotonic() - self.answered

    async def get_updates(self, *args: Any, **kwargs: Any) -> tuple[Update, ...]:
        """As in ExtBot, and on the disk.

        Raises TelegramError alone, which python-telegram-bot answers with growing pauses: it gives polling up for good
        where the token is refused, which may pass, and asks on without any pause after every other error.
        """
        try:
            await super().get_updates(*args, **kwargs)
        except InvalidToken:
            raise NetworkError("Telegram refuses the token at present: was it revoked?") from None
        except TelegramError:
            raise
        except Exception as error:
            raise NetworkError(f"no proper answer: {type(error).__name__}: {error}") from error
        object.__setattr__(self, "heard", time.monotonic())
        if self.received:
            await self.inbox.store(self.received)
        return self.received

    async def _post(self, endpoint: str, *args: Any, **kwargs: Any) -> Any:
        """As in ExtBot. Updates are read one by one into `received`, so that one that cannot be read hides no other.

        Of a message that was sent only what is used is read: it repeats the one that it replies to, which may hold
        anything.
        """
        result = await super()._post(endpoint, *args, **kwargs)
        object.__setattr__(self, "answered", time.monotonic())
        if endpoint == "getUpdates":
            object.__setattr__(self, "received", tuple(readable_update(each, self) for each in result))
            return []
        if endpoint.startswith(("send", "edit")):
            return [_used(each) for each in result] if isinstance(result, list) else _used(result)
        return result


_USED = frozenset({"message_id", "date", "chat", "photo", "document", "sticker"})


def _used(message: Any) -> Any:
    return {key: value for key, value in message.items() if key in _USED} if isinstance(message, dict) else message
