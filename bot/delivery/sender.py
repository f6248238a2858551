"""Sends the outbox: in order within a chat, chats concurrently, until each message is sent or given up.

A text that may or may not have been sent (response lost, process killed) is sent again: a question twice is better than
none. Media are not: the attempt is stored first, and after a crash the person is told and can ask for it again. Badges
are delivered elsewhere (`delivery.py`); the sender sends their status messages.

`api.errors` classifies failed calls, `attempts` limits the retries. A status message that cannot be sent ends its job.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from telegram.error import ChatMigrated, TelegramError

from bot.api.errors import Verdict, verdict
from bot.clock import Clock
from bot.delivery.attempts import Attempts
from bot.delivery.calls import MEDIA, Calls, Done
from bot.errors import StoreError
from bot.operations.logs import record
from bot.store import Database, jobs, outbox, people
from bot.store.outbox import Message, Outgoing
from bot.texts import Texts

log = logging.getLogger(__name__)

_STORE_PAUSE = 5.0  # s, as in `delivery`
_EDITS = ("delete", "illustrate", "relabel", "tag", "pack", "unpack")
"""Kinds that change something instead of sending a message, so they cannot be retried as a plain text."""


def _interrupted(_: Texts) -> str:
    return _("I was interrupted while sending. If it did not arrive, ask for it again.")


def _not_here(_: Texts) -> str:
    return _("This chat does not allow that kind of message. Write to me in private, I can send it there.")


def _not_taken(_: Texts) -> str:
    return _("Telegram does not accept this picture. Make another one: /create")


@dataclass(frozen=True)
class Links:
    """Callbacks: a status message was sent (job, chat, message id, text) or given up (job); jobs whose drawing can be
    stopped; and the seconds since any call succeeded."""

    status_sent: Callable[[int, int, int, str], None]
    status_lost: Callable[[int], None]
    abandoned: Callable[[list[int]], None]
    silent: Callable[[], float]


class Sender:
    """One queue ("lane") and task per chat, as long as there is something to send."""

    def __init__(self, calls: Calls, database: Database, clock: Clock, links: Links) -> None:
        self._calls = calls
        self._database = database
        self._clock = clock
        self._links = links
        self._lanes: dict[int, deque[Outgoing]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def add(self, messages: Sequence[Outgoing]) -> None:
        """Send these messages of the outbox, after those already queued for their chats."""
        for outgoing in messages:
            lane = self._lanes.setdefault(outgoing.chat_id, deque())
            lane.append(outgoing)
            if outgoing.chat_id not in self._tasks:
                task = asyncio.create_task(self._drain(outgoing.chat_id, lane), name=f"sender {outgoing.chat_id}")
                self._tasks[outgoing.chat_id] = task

    async def stop(self, seconds: float) -> None:
        """Let running calls finish within `seconds`; the rest stays in the outbox for the next start."""
        for lane in self._lanes.values():
            while len(lane) > 1:
                lane.pop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=seconds)
            for task in late:
                task.cancel()

    async def forget_chat(self, chat_id: int) -> None:
        """The chat is unreachable: drop its messages and end its jobs."""
        await self._forget(chat_id, None)

    async def forget_topic(self, chat_id: int, thread_id: int) -> None:
        """A topic is closed or deleted: drop its messages and end its jobs."""
        await self._forget(chat_id, thread_id)

    async def _drain(self, chat_id: int, lane: deque[Outgoing]) -> None:
        attempts = Attempts()
        try:
            while lane:
                first = lane[0]
                try:
                    await self._send(first)
                except TelegramError as error:
                    if not await self._recover(lane, error, attempts):
                        await asyncio.sleep(attempts.next_pause())
                        continue
                except StoreError as error:
                    log.error("%s", error)
                    await asyncio.sleep(_STORE_PAUSE)
                    continue
                except Exception:  # a bug with one message must not block those behind it
                    log.exception("message %d cannot be sent", first.id)
                    await self._give_up(first)
                attempts = Attempts()
                if lane and lane[0].id == first.id:
                    lane.popleft()
        finally:
            self._tasks.pop(chat_id, None)
            if not lane:
                self._lanes.pop(chat_id, None)

    async def _send(self, outgoing: Outgoing) -> None:
        message = outgoing.message
        if message.kind in MEDIA:
            if outgoing.sending:
                outgoing = await self._instead(outgoing, _interrupted)
                await self._sent(outgoing, await self._calls.make(outgoing))
                return
            await self._database.write("intent", lambda c: outbox.begin(c, outgoing.id))
        await self._sent(outgoing, await self._calls.make(outgoing))

    async def _sent(self, outgoing: Outgoing, done: Done) -> None:
        def finish(connection: sqlite3.Connection) -> list[Outgoing]:
            following = outbox.done(connection, outgoing, done.message_id)
            for each in done.files:
                jobs.remember_file(connection, each.job_id, each.kind, each.file_id)
            if done.fact is not None:
                people.set_fact(connection, *done.fact)
            if done.says:
                text = Message("text", done.says, outgoing.message.thread_id, outgoing.message.reply_to)
                following.append(outbox.put(connection, outgoing.chat_id, outgoing.user_id, text, self._clock.wall()))
            return following

        self.add(await self._database.write("sent", finish))
        if outgoing.message.kind == "status" and done.message_id:
            self._links.status_sent(outgoing.job_id, outgoing.chat_id, done.message_id, outgoing.message.text)

    async def _recover(self, lane: deque[Outgoing], error: TelegramError, attempts: Attempts) -> bool:
        """Handle a failed call; True if the first message is finished, False to try it again."""
        outgoing, meaning = lane[0], verdict(error)
        message, media = outgoing.message, outgoing.message.kind in MEDIA
        another = attempts.another(meaning, self._links.silent())
        if isinstance(error, ChatMigrated):
            await self._move(lane, error.new_chat_id)
        elif meaning is Verdict.CHAT_GONE:
            record(outgoing.user_id, "send", f"chat unreachable: {error}", logging.WARNING)
            await self.forget_chat(outgoing.chat_id)
        elif meaning is Verdict.TOPIC_GONE:
            if another and message.thread_id:  # a reply reaches the topic without its id
                without = replace(message, thread_id=0)
                lane[0] = replace(outgoing, message=without, thread_id=message.thread_id)
                return False
            record(outgoing.user_id, "send", f"{meaning.words}: {error}", logging.WARNING)
            await self.forget_topic(outgoing.chat_id, outgoing.thread_id or message.thread_id)
        elif meaning is Verdict.NOTHING:  # the message has that picture or caption already
            await self._sent(outgoing, Done())
        elif message.kind == "illustrate" and meaning in (Verdict.GONE, Verdict.NO_MEDIA):
            lane[0] = replace(outgoing, message=replace(message, kind="photo", target=0))
            return False
        elif meaning is Verdict.FILE and message.files:  # file id of another server or token: upload instead
            files = await self._calls.unstored(message) if another else ()
            lane[0] = replace(outgoing, message=replace(message, files=files))
            return False
        elif meaning is Verdict.UNKNOWN and media:
            lane[0] = replace(outgoing, sending=True)
            return False
        elif meaning.again and another:
            record(outgoing.user_id, "send", f"trying again: {error}", logging.WARNING)
            return False
        elif media:
            record(outgoing.user_id, "send", f"{meaning.words}: {error}", logging.WARNING)
            lane[0] = await self._instead(outgoing, _not_here if meaning is Verdict.NOT_HERE else _not_taken)
            return False
        elif meaning is Verdict.REFUSED and another and message.kind not in _EDITS:
            record(outgoing.user_id, "send", f"trying again without reply and buttons: {error}", logging.WARNING)
            lane[0] = replace(outgoing, message=Message(message.kind, message.text, asks=message.asks))
            return False
        else:
            record(outgoing.user_id, "send", f"given up: {error}", logging.ERROR)
            await self._give_up(outgoing)
        return True

    async def _move(self, lane: deque[Outgoing], new: int) -> None:
        old = lane[0].chat_id
        log.warning("%s", await self._database.write("moved", lambda c: people.move_chat(c, old, new)))
        moved = [replace(each, chat_id=new) for each in lane]
        lane.clear()
        self.add(moved)

    async def _give_up(self, outgoing: Outgoing) -> None:
        """Drop a message that cannot be sent; if it is a status message, end its job."""
        status = outgoing.message.kind == "status"

        def give_up(connection: sqlite3.Connection) -> None:
            outbox.done(connection, outgoing)
            if status:
                jobs.unreachable(connection, outgoing.job_id, self._clock.wall())

        await self._database.write("given up", give_up)
        if status:
            self._links.abandoned([outgoing.job_id])
            self._links.status_lost(outgoing.job_id)

    async def _forget(self, chat_id: int, thread_id: int | None) -> None:
        def forget(connection: sqlite3.Connection) -> list[int]:
            outbox.drop(connection, chat_id, thread_id)
            return jobs.abandon(connection, chat_id, thread_id, self._clock.wall())

        ended = await self._database.write("chat gone", forget)
        lane = self._lanes.get(chat_id, deque())
        kept = [each for each in lane if thread_id not in (None, each.message.thread_id, each.thread_id)]
        lane.clear()
        lane.extend(kept)
        self._links.abandoned(ended)
        for job_id in ended:
            self._links.status_lost(job_id)

    async def _instead(self, outgoing: Outgoing, say: Callable[[Texts], str]) -> Outgoing:
        """A text instead of media that cannot be sent, or may have been sent before a crash."""
        _ = await self._calls.language(outgoing.user_id)
        message = outgoing.message
        words = message.text if message.kind == "welcome" else say(_)
        text = Message("text", words, thread_id=message.thread_id, reply_to=message.reply_to)
        return replace(outgoing, message=text, sending=False)
