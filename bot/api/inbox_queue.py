"""Stores updates before they are confirmed to Telegram, so that none is lost.

python-telegram-bot confirms an update once `put` of its update queue returns (polling increases the offset, a webhook
responds 200), so `put` commits first, and drops duplicates. Polling returns up to 100 updates at once: `DurableBot`
stores such a batch in one commit before the updater gets it, and `put` then finds it stored. If the store fails, a
TelegramError is raised, after which the updater fetches again; any other exception would stop it.
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

_MOST_OF_ONE = 50  # unanswered messages of one person, chosen by hand: who waits for an answer does not write as many


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
        """Commit a batch. Raises NetworkError (a TelegramError) if the store fails."""
        rows = [(update.update_id, json.dumps(update.to_dict(), ensure_ascii=False)) for update in updates]
        now = self._clock.wall()
        try:
            fresh = await self._database.write("received", lambda c: inbox.store(c, rows, now))
        except StoreError as error:
            log.error("%s: Telegram keeps the updates meanwhile", error)
            raise NetworkError("the updates cannot be stored now") from error
        for update in updates:
            self._stored[update.update_id] = update.update_id in fresh

    async def put(self, item: object) -> None:
        """Store an update, unless `store` did, and queue it if it is new."""
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
        """Queue the unanswered updates of an earlier run; returns their number."""
        waiting = await self._database.read(inbox.waiting)
        for _, payload in waiting:
            update = readable_update(json.loads(payload), bot)
            self._waiting[_person(update)] += 1
            await super().put(update)
        return len(waiting)

    async def _drop(self, update_id: int, user_id: int) -> None:
        """Mark an update as answered without answering it: too many of this person wait already."""
        if user_id not in self._dropping:
            log.warning("person %d has %d unanswered messages: further ones are dropped", user_id, _MOST_OF_ONE)
        self._dropping.add(user_id)
        try:
            await self._database.write("dropped", lambda c: inbox.finish(c, update_id))
        except StoreError as error:
            raise NetworkError("the updates cannot be stored now") from error

    def answered(self, update: Update) -> None:
        """Count an update of this person as answered."""
        person = _person(update)
        self._waiting[person] -= 1
        if self._waiting[person] <= 0:
            del self._waiting[person]
            self._dropping.discard(person)


def readable_update(data: dict[str, Any], bot: "ExtBot[Any]") -> Update:
    """The update, or an empty one with its id if it cannot be parsed, which is then skipped."""
    try:
        return Update.de_json(data, bot)
    except Exception as error:  # noqa: BLE001 - one update that cannot be parsed must not stop the others
        update_id = int(data["update_id"])
        log.error("update %d cannot be read and is skipped: %s: %s", update_id, type(error).__name__, error)
        return Update(update_id)


def _person(item: object) -> int:
    user = item.effective_user if isinstance(item, Update) else None
    return user.id if user is not None else 0


class DurableBot(ExtBot[Any]):
    """A bot whose `get_updates` stores updates before returning them; it parses only the used fields of results."""

    __slots__ = ("answered", "heard", "inbox", "received")

    inbox: InboxQueue
    heard: float
    """Monotonic time of the last successful `get_updates`."""
    answered: float
    """Monotonic time of the last successful call."""
    received: tuple[Update, ...]
    """The updates of the last `getUpdates`."""

    def silent(self) -> float:
        return time.monotonic() - self.answered

    async def get_updates(self, *args: Any, **kwargs: Any) -> tuple[Update, ...]:
        """As in ExtBot, but the updates are stored.

        Raises only TelegramError, after which python-telegram-bot retries with growing pauses. InvalidToken would stop
        polling for good, though a server may refuse the token only for a while; after any other exception it would
        retry without a pause.
        """
        try:
            await super().get_updates(*args, **kwargs)
        except InvalidToken:
            raise NetworkError("Telegram refuses the token at present: was it revoked?") from None
        except TelegramError:
            raise
        except Exception as error:
            raise NetworkError(f"invalid response: {type(error).__name__}: {error}") from error
        object.__setattr__(self, "heard", time.monotonic())
        if self.received:
            await self.inbox.store(self.received)
        return self.received

    async def _post(self, endpoint: str, *args: Any, **kwargs: Any) -> Any:
        """As in ExtBot. Updates are parsed one by one into `received`, so that an invalid one does not lose the others.

        Of a sent message only the used fields are parsed: it contains the message that it replies to, which may contain
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
