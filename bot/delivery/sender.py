"""Sends what is in the outbox: in order within a chat, chats beside each other, until it is sent or nobody is there.

Texts whose fate is unknown (the answer was lost, the process ended) are sent again: a question twice is better than
none. Media are not: before one is sent that is written down, and where its fate is unknown the person is told so and
can ask for it again. Badges themselves do not come this way (see `delivery.py`), only their status messages.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from telegram import (
    ForceReply,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    MessageEntity,
    ReplyParameters,
    User,
)
from telegram import Message as Sent
from telegram.error import ChatMigrated, TelegramError
from telegram.ext import ExtBot

from bot.api.errors import Verdict, verdict
from bot.clock import Clock
from bot.delivery.pictures import Pictures
from bot.errors import StoreError
from bot.keyboards import keyboard
from bot.operations.logs import record
from bot.store import Database, jobs, outbox, people
from bot.store.outbox import Message, Outgoing
from bot.texts import texts_for

log = logging.getLogger(__name__)

_MEDIA = ("photo", "document", "sticker", "album")
_LONGEST_PAUSE = 5.0


@dataclass(frozen=True)
class Links:
    """Whom the sender tells: a status message exists (job, chat, message id, text), a chat is gone (its drawings)."""

    status_sent: Callable[[int, int, int, str], None]
    chat_gone: Callable[[int, list[int]], None]


class Sender:
    """One lane a chat; a lane lives as long as there is something to send."""

    def __init__(self, bot: "ExtBot[Any]", database: Database, pictures: Pictures, clock: Clock, links: Links) -> None:
        self._bot = bot
        self._database = database
        self._pictures = pictures
        self._clock = clock
        self._links = links
        self._lanes: dict[int, deque[Outgoing]] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}

    def add(self, messages: Sequence[Outgoing]) -> None:
        """Send these, which are in the outbox, after what is already waiting for their chats."""
        for outgoing in messages:
            lane = self._lanes.setdefault(outgoing.chat_id, deque())
            lane.append(outgoing)
            if outgoing.chat_id not in self._tasks:
                task = asyncio.create_task(self._drain(outgoing.chat_id, lane), name=f"sender {outgoing.chat_id}")
                self._tasks[outgoing.chat_id] = task

    async def stop(self, seconds: float) -> None:
        """Let calls under way end, for so many seconds; what is left stays in the outbox for the next start."""
        for lane in self._lanes.values():
            while len(lane) > 1:
                lane.pop()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=seconds)
            for task in late:
                task.cancel()

    async def _drain(self, chat_id: int, lane: deque[Outgoing]) -> None:
        pause = 0.25
        try:
            while lane:
                try:
                    await self._send(lane[0])
                except TelegramError as error:
                    if not await self._recover(lane, error):
                        await asyncio.sleep(pause)
                        pause = min(_LONGEST_PAUSE, pause * 2)
                        continue
                except StoreError as error:
                    log.error("%s", error)
                    await asyncio.sleep(_LONGEST_PAUSE)
                    continue
                except Exception:
                    log.exception("message %d cannot be sent", lane[0].id)
                    await self._give_up(lane[0])
                pause = 0.25
                if lane:
                    lane.popleft()
        finally:
            self._tasks.pop(chat_id, None)
            if not lane:
                self._lanes.pop(chat_id, None)

    async def _send(self, outgoing: Outgoing) -> None:
        message = outgoing.message
        if message.kind in _MEDIA:
            if outgoing.sending:
                await self._say_unsure(outgoing)
                return
            await self._database.write("intent", lambda c: outbox.begin(c, outgoing.id))
        sent = await self._call(outgoing)
        kind, file_id = _file_id(sent)

        def finish(connection: sqlite3.Connection) -> None:
            outbox.done(connection, outgoing, sent.message_id if sent is not None else 0)
            if outgoing.job_id and file_id and kind == message.kind:
                jobs.remember_file(connection, outgoing.job_id, kind, file_id)

        await self._database.write("sent", finish)
        if message.kind == "status" and sent is not None:
            self._links.status_sent(outgoing.job_id, outgoing.chat_id, sent.message_id, message.text)

    async def _call(self, outgoing: Outgoing) -> Sent | None:
        """One call to Telegram; None where there was nothing to send."""
        message, chat = outgoing.message, outgoing.chat_id
        thread = message.thread_id or None
        reply = ReplyParameters(message.reply_to, allow_sending_without_reply=True) if message.reply_to else None
        if message.kind in ("text", "status"):
            text, entities = _mentioning(message)
            return await self._bot.send_message(
                chat, text, entities=entities, message_thread_id=thread, reply_parameters=reply,
                reply_markup=_markup(message),
            )  # fmt: skip
        if message.kind == "delete":
            await self._bot.delete_message(chat, message.target)
            return None
        if message.kind == "photo" and message.files:
            return await self._bot.send_photo(
                chat, message.files[0], caption=message.text, message_thread_id=thread, reply_parameters=reply
            )
        if message.kind == "album" and message.files:
            media = [
                InputMediaPhoto(file, caption=message.text if n == 0 else None) for n, file in enumerate(message.files)
            ]
            album = await self._bot.send_media_group(chat, media, message_thread_id=thread, reply_parameters=reply)
            return album[0]
        data = await self._copy(outgoing)
        if data is None:
            gone = texts_for(await self._language(outgoing))("The picture is no longer here. Make it again: /create")
            return await self._bot.send_message(chat, gone, message_thread_id=thread, reply_parameters=reply)
        if message.kind == "document":
            return await self._bot.send_document(
                chat, data, filename="badge.png", message_thread_id=thread, reply_parameters=reply,
                disable_content_type_detection=True,
            )  # fmt: skip
        return await self._bot.send_sticker(chat, data, message_thread_id=thread, reply_parameters=reply)

    async def _copy(self, outgoing: Outgoing) -> str | bytes | None:
        """The file id of a document or sticker, or its bytes where Telegram does not know it yet."""
        if outgoing.message.files:
            return outgoing.message.files[0]
        job = await self._database.read(lambda c: jobs.get(c, outgoing.job_id))
        if job is None or not job.picture:
            return None
        make = self._pictures.document if outgoing.message.kind == "document" else self._pictures.sticker
        return await asyncio.to_thread(make, job.picture)

    async def _recover(self, lane: deque[Outgoing], error: TelegramError) -> bool:
        """Deal with a failed call; whether the outgoing is done with (else it is tried again)."""
        outgoing, meaning = lane[0], verdict(error)
        media = outgoing.message.kind in _MEDIA
        if isinstance(error, ChatMigrated):
            new = error.new_chat_id
            await self._database.write("moved", lambda c: people.move_chat(c, outgoing.chat_id, new))
            moved = [replace(each, chat_id=new) for each in lane]
            lane.clear()
            self.add(moved)
            return True
        if meaning is Verdict.CHAT_GONE:
            await self.forget_chat(outgoing.chat_id)
            record(outgoing.user_id, "send", f"nobody there: {error}", logging.WARNING)
            lane.clear()
            return True
        if meaning is Verdict.FILE and outgoing.message.files:  # another server or token: send the bytes instead
            lane[0] = replace(outgoing, message=replace(outgoing.message, files=()))
            return False
        if meaning is Verdict.UNKNOWN and media:
            lane[0] = replace(outgoing, sending=True)
            return False
        if meaning in (Verdict.AGAIN, Verdict.UNKNOWN):
            record(outgoing.user_id, "send", f"trying again: {error}", logging.WARNING)
            return False
        record(outgoing.user_id, "send", f"given up: {error}", logging.ERROR)
        await self._give_up(outgoing)
        return True

    async def _give_up(self, outgoing: Outgoing) -> None:
        """A message that can never be sent must not keep the ones behind it waiting."""
        await self._database.write("given up", lambda c: outbox.done(c, outgoing))

    async def forget_chat(self, chat_id: int) -> None:
        """Nobody is there: nothing more is sent there and its badges are not drawn."""

        def forget(connection: sqlite3.Connection) -> list[int]:
            outbox.drop_chat(connection, chat_id)
            return jobs.abandon_chat(connection, chat_id, self._clock.wall())

        drawing = await self._database.write("chat gone", forget)
        self._links.chat_gone(chat_id, drawing)

    async def _language(self, outgoing: Outgoing) -> str:
        row = await self._database.read(
            lambda c: c.execute("SELECT language FROM people WHERE user_id = ?", (outgoing.user_id,)).fetchone()
        )
        return "" if row is None else str(row["language"])

    async def _say_unsure(self, outgoing: Outgoing) -> None:
        """A medium may or may not have arrived: say so instead of sending it twice."""
        _ = texts_for(await self._language(outgoing))
        text = _("I was interrupted while sending. If it did not arrive, ask for it once more.")
        await self._bot.send_message(outgoing.chat_id, text, message_thread_id=outgoing.message.thread_id or None)
        await self._database.write("sent", lambda c: outbox.done(c, outgoing))


def _markup(message: Message) -> InlineKeyboardMarkup | ForceReply | None:
    if message.force_reply:
        return ForceReply(selective=True, input_field_placeholder=message.force_reply[:64])
    return keyboard(message.buttons)


def _file_id(sent: Sent | None) -> tuple[str, str]:
    if sent is not None and sent.document is not None:
        return "document", sent.document.file_id
    if sent is not None and sent.sticker is not None:
        return "sticker", sent.sticker.file_id
    return "", ""


def _mentioning(message: Message) -> tuple[str, list[MessageEntity]]:
    """The text, and where it begins with somebody's name what Telegram needs to know whose."""
    if message.mention is None:
        return message.text, []
    user_id, name = message.mention
    name = name or "…"
    length = len(name.encode("utf-16-le")) // 2  # Telegram counts in UTF-16 units
    person = User(user_id, name, is_bot=False)
    return f"{name}, {message.text}", [MessageEntity(MessageEntity.TEXT_MENTION, 0, length, user=person)]
