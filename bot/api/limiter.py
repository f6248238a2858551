"""Rate limits: calls per second in total, a pace for each chat, and `retry_after` of 429 responses.

Telegram's limits are about 30 messages a second in total, one a second in a private chat (short bursts pass) and 20 a
minute in a group. They are not guaranteed, so `retry_after` decides: it halts the chat of that call and no other.
Photos go before messages, and messages before edits. An edit that gets a 429 is dropped by raising RetryAfter at once:
by the time it could be repeated there is a newer text.
"""

import asyncio
import heapq
import itertools
import logging
import time
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

from telegram.error import RetryAfter
from telegram.ext import BaseRateLimiter

log = logging.getLogger(__name__)

_PHOTOS = frozenset({"editMessageMedia", "sendPhoto", "sendDocument", "sendSticker", "sendMediaGroup"})
_EDITS = frozenset({"editMessageText", "editMessageCaption", "editMessageReplyMarkup", "sendChatAction"})
_FREE = frozenset({"answerCallbackQuery"})
_QUESTIONS = frozenset({"getChatMember", "getChat"})
"""These send nothing, so the pace for messages does not apply: with it, of 50 people who came at once each after the
first 20 waited 3 s longer than the one before. They wait only while the chat is halted by a `retry_after`."""
PHOTO, MESSAGE, EDIT = 0, 1, 2  # priorities, lower first
LAST_WORD = "last word"
"""`rate_limit_args` of an edit that must not be dropped."""
UPLOAD = "upload"
"""`rate_limit_args` of an upload: RetryAfter is raised, so that the caller can release its slot and wait in `clear`."""

Answer = bool | dict[str, Any] | list[dict[str, Any]]


class Bucket:
    """A token bucket: `burst` calls at once, `rate` a second in the long run."""

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self.rate, self.burst = rate, burst
        self._level, self._at = burst, now

    def level(self, now: float) -> float:
        """Number of calls that may be made now."""
        self._level = min(self.burst, self._level + (now - self._at) * self.rate)
        self._at = now
        return self._level

    def wait(self, now: float) -> float:
        """Take one token; returns the seconds to wait before the call. Waits add up, so calls keep their order."""
        self.level(now)
        self._level -= 1
        return max(0.0, -self._level / self.rate)


class _Chat:
    def __init__(self, chat_id: int, now: float) -> None:
        self.halted_until = 0.0
        self.bucket = Bucket(1.0, 5, now) if chat_id > 0 else Bucket(20 / 60, 20, now)


class PoliteLimiter(BaseRateLimiter[Any]):
    """The rate limiter passed to python-telegram-bot. `clock` is monotonic, in seconds."""

    def __init__(self, per_second: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._all = Bucket(per_second, per_second, clock())
        self._per_second = per_second
        self._chats: dict[int, _Chat] = {}
        self._queue: list[tuple[int, int, asyncio.Future[None]]] = []
        self._count = itertools.count()
        self._pump: asyncio.Task[None] | None = None

    async def initialize(self) -> None:
        """Do nothing: required by the base class."""

    async def shutdown(self) -> None:
        """Cancel all waiting calls."""
        if self._pump is not None:
            self._pump.cancel()
        for _, _, future in self._queue:
            future.cancel()
        self._queue.clear()

    def busy(self, chat_id: int) -> bool:
        """Whether an edit in this chat should not be tried now."""
        now = self._clock()
        chat = self._chats.get(chat_id)
        halted = chat is not None and chat.halted_until > now
        return halted or bool(self._queue) or self._all.level(now) < self._per_second / 3

    async def clear(self, chat_id: int) -> None:
        """Wait while this chat is halted by a `retry_after`; to be called before taking a slot that others need."""
        while (halt := self._chat(chat_id).halted_until - self._clock()) > 0:
            await asyncio.sleep(halt)

    async def process_request(
        self,
        callback: Callable[..., Coroutine[Any, Any, Answer]],
        args: Any,
        kwargs: dict[str, Any],
        endpoint: str,
        data: dict[str, Any],
        rate_limit_args: Any,
    ) -> Answer:
        """Call `callback` when the limits allow; again after a RetryAfter, unless it is an edit."""
        chat_id = data.get("chat_id")
        if endpoint in _FREE or not isinstance(chat_id, int):
            return await callback(*args, **kwargs)
        edit = endpoint in _EDITS and rate_limit_args != LAST_WORD
        priority = PHOTO if endpoint in _PHOTOS else EDIT if edit else MESSAGE
        while True:
            chat = self._chat(chat_id)
            if endpoint in _QUESTIONS:
                await self.clear(chat_id)
            else:
                await self._wait_for_chat(chat, priority)
                await self._wait_for_all(priority)
            try:
                return await callback(*args, **kwargs)
            except RetryAfter as error:
                said = error.retry_after
                seconds = said.total_seconds() if isinstance(said, timedelta) else float(said)
                chat.halted_until = max(chat.halted_until, self._clock() + seconds)
                log.info("retry_after %.0f s in chat %d (%s)", seconds, chat_id, endpoint)
                if priority == EDIT or rate_limit_args == UPLOAD:
                    raise

    def _chat(self, chat_id: int) -> _Chat:
        now = self._clock()
        if len(self._chats) > 10_000:
            idle = [key for key, chat in self._chats.items() if chat.halted_until < now and chat.bucket.level(now) >= 5]
            for key in idle:
                del self._chats[key]
        return self._chats.setdefault(chat_id, _Chat(chat_id, now))

    async def _wait_for_chat(self, chat: _Chat, priority: int) -> None:
        if priority != EDIT:
            pause = chat.bucket.wait(self._clock())
            if pause and priority == MESSAGE:
                await asyncio.sleep(pause)
        while (halt := chat.halted_until - self._clock()) > 0:
            await asyncio.sleep(halt)

    async def _wait_for_all(self, priority: int) -> None:
        now = self._clock()
        if not self._queue and self._all.level(now) >= 1:
            self._all.wait(now)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._queue, (priority, next(self._count), turn))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._release(), name="limiter")
        await turn

    async def _release(self) -> None:
        """Release waiting calls in order of priority, as the calls per second allow."""
        while self._queue:
            pause = self._all.wait(self._clock())
            if pause:
                await asyncio.sleep(pause)
            if self._queue:
                turn = heapq.heappop(self._queue)[2]
                if not turn.done():
                    turn.set_result(None)
