"""The last word about a job: the status message becomes the badge, or says why there is none.

Turning the status message into the photo (`editMessageMedia`) can be repeated without harm, so a crash between
Telegram's yes and our commit repeats it. Where the status message is gone, a new one is sent first and then turned
into the badge, so even then no badge is doubled. Only on servers that do not turn texts into photos is the badge
sent as a message of its own; that intent is stored first, and after a crash the person is asked instead.
"""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from typing import Any

from telegram import InputMediaPhoto
from telegram import Message as Sent
from telegram.error import ChatMigrated, TelegramError
from telegram.ext import ExtBot

from bot.api.errors import Verdict, verdict
from bot.api.limiter import LAST_WORD
from bot.clock import Clock
from bot.delivery.pictures import Pictures
from bot.delivery.sender import Sender
from bot.delivery.status import StatusBoard
from bot.errors import StoreError
from bot.keyboards import Rows, copies, keyboard, under_badge, under_failure
from bot.operations.logs import record
from bot.store import Database, jobs, outbox, people
from bot.store.jobs import Job
from bot.store.outbox import Message, Outgoing
from bot.texts import texts_for
from bot.words import caption, failure, status_text

log = logging.getLogger(__name__)

_LONGEST_PAUSE = 5.0
_UPLOADS = 8


class Delivery:
    """One task a job that is drawn, failed or canceled and not yet told."""

    def __init__(
        self,
        bot: "ExtBot[Any]",
        database: Database,
        pictures: Pictures,
        board: StatusBoard,
        clock: Clock,
        redraw: Callable[[], None],
    ) -> None:
        self._bot = bot
        self._database = database
        self._pictures = pictures
        self._board = board
        self._clock = clock
        self._redraw = redraw
        self.sender: Sender | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._status_sent: dict[int, asyncio.Event] = {}
        self._uploads = asyncio.Semaphore(_UPLOADS)

    def tell(self, job_id: int) -> None:
        """Say the last word about this job, once its status message exists."""
        if job_id not in self._tasks:
            self._tasks[job_id] = asyncio.create_task(self._tell(job_id), name=f"delivery {job_id}")

    def status_sent(self, job_id: int) -> None:
        """The job's status message exists now."""
        event = self._status_sent.get(job_id)
        if event is not None:
            event.set()

    async def stop(self, seconds: float) -> None:
        """Let deliveries under way end; the rest is done after the next start."""
        waiting = [task for job, task in self._tasks.items() if job in self._status_sent]
        for task in waiting:
            task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=seconds)
            for task in late:
                task.cancel()

    async def _tell(self, job_id: int) -> None:
        pause = 0.25
        try:
            while True:
                try:
                    if await self._try(job_id):
                        return
                except StoreError as error:
                    log.error("%s", error)
                except Exception:
                    log.exception("job %d cannot be told about; trying again", job_id)
                    pause = _LONGEST_PAUSE
                await asyncio.sleep(pause)
                pause = min(_LONGEST_PAUSE, pause * 2)
        finally:
            self._tasks.pop(job_id, None)
            self._board.forget(job_id)

    async def _try(self, job_id: int) -> bool:
        """One attempt; whether everything is said."""
        job = await self._with_status(job_id)
        if job is None or job.told or job.state not in ("drawn", "failed", "canceled"):
            return True
        if not job.status_id:
            return False
        await self._board.finish(job_id)
        started = time.monotonic()
        try:
            if job.state != "drawn":
                await self._say(job, *_last_words(job))
            elif job.sending:
                await self._ask(job)
            else:
                return await self._give(job, started)
        except TelegramError as error:
            return await self._recover(job, error)
        await self._database.write("told", lambda c: jobs.told(c, job.id))
        record(job.user_id, "badge", f"job {job.id} {job.state} {job.error}".strip())
        return True

    async def _with_status(self, job_id: int) -> Job | None:
        """The job once it has a status message; where that was lost, a new one is sent."""

        def look(connection: sqlite3.Connection) -> tuple[Job | None, Outgoing | None]:
            job = jobs.get(connection, job_id)
            if job is None or job.status_id or job.told or outbox.asked_for(connection, job_id, "status"):
                return job, None
            message = Message(
                "status", status_text(texts_for(job.language), stage=2), thread_id=job.thread_id, reply_to=job.reply_to
            )
            return job, outbox.put(connection, job.chat_id, job.user_id, message, self._clock.wall(), job_id)

        event = self._status_sent.setdefault(job_id, asyncio.Event())
        try:
            job, outgoing = await self._database.write("new status", look)
            if outgoing is not None and self.sender is not None:
                self.sender.add([outgoing])
            if job is None or job.status_id or job.told:
                return job
            await event.wait()
        finally:
            self._status_sent.pop(job_id, None)
        return await self._database.read(lambda c: jobs.get(c, job_id))

    async def _give(self, job: Job, started: float) -> bool:
        """Turn the status message into the badge."""
        photo = await asyncio.to_thread(self._pictures.photo, job.picture, job.picture_size)
        if photo is None:
            log.warning("the picture of job %d is gone or damaged: drawing it again", job.id)
            await self._database.write("redraw", lambda c: jobs.redraw(c, job.id))
            self._redraw()
            return True
        _ = texts_for(job.language)
        buttons = keyboard(under_badge(_, job.id))
        async with self._uploads:
            try:
                media = InputMediaPhoto(photo, caption=caption(_), filename="badge.jpg")
                sent = await self._bot.edit_message_media(
                    media, chat_id=job.chat_id, message_id=job.status_id, reply_markup=buttons
                )
            except TelegramError as error:
                if verdict(error) is not Verdict.NO_MEDIA:
                    raise
                await self._database.write("photo intent", lambda c: jobs.about_to_send(c, job.id))
                sent = await self._bot.send_photo(
                    job.chat_id,
                    photo,
                    caption=caption(_),
                    reply_markup=buttons,
                    message_thread_id=job.thread_id or None,
                )
        await self._delivered(job, sent, time.monotonic() - started)
        return True

    async def _delivered(self, job: Job, sent: Sent | bool, seconds: float) -> None:
        photo = sent.photo[-1].file_id if isinstance(sent, Sent) and sent.photo else job.photo_id
        await self._database.write("delivered", lambda c: jobs.delivered(c, job.id, photo, seconds))
        record(
            job.user_id, "badge",
            f"job {job.id} delivered: portrait {job.draw_seconds:.2f} s, banner {job.banner_seconds:.2f} s,"
            f" sent {seconds:.2f} s",
        )  # fmt: skip

    async def _say(self, job: Job, text: str, rows: Rows) -> None:
        await self._bot.edit_message_text(
            text, chat_id=job.chat_id, message_id=job.status_id, reply_markup=keyboard(rows), rate_limit_args=LAST_WORD
        )

    async def _ask(self, job: Job) -> None:
        """A badge may or may not have arrived as a message of its own: let the person say."""
        _ = texts_for(job.language)
        text = _("I was interrupted while sending your badge. If it did not arrive, take it here:")
        await self._say(job, text, (copies(_, job.id),))
        await self._database.write("delivered", lambda c: jobs.delivered(c, job.id, "", 0.0))

    async def _recover(self, job: Job, error: TelegramError) -> bool:
        """Deal with a failed call; whether nothing is left to do."""
        meaning = verdict(error)
        if meaning is Verdict.NOTHING:
            if job.state == "drawn":
                await self._delivered(job, True, 0.0)
            else:
                await self._database.write("told", lambda c: jobs.told(c, job.id))
            return True
        if isinstance(error, ChatMigrated):
            new = error.new_chat_id
            await self._database.write("moved", lambda c: people.move_chat(c, job.chat_id, new))
            return False
        if meaning is Verdict.CHAT_GONE:
            record(job.user_id, "badge", f"job {job.id} cannot be delivered, nobody there: {error}", logging.WARNING)
            if self.sender is not None:
                await self.sender.forget_chat(job.chat_id)
            return True
        if meaning is Verdict.GONE:
            if job.state == "canceled":
                await self._database.write("told", lambda c: jobs.told(c, job.id))
                return True
            await self._database.write("status lost", lambda c: jobs.lost_status(c, job.id))
            return False
        if meaning in (Verdict.AGAIN, Verdict.UNKNOWN):
            record(job.user_id, "badge", f"job {job.id}: trying again: {error}", logging.WARNING)
            return False
        record(job.user_id, "badge", f"job {job.id} cannot be delivered: {error}", logging.ERROR)
        if job.state == "drawn":
            await self._database.write("refused", lambda c: jobs.refused(c, job.id))
            return False
        await self._database.write("told", lambda c: jobs.told(c, job.id))
        return True


def _last_words(job: Job) -> tuple[str, Rows]:
    """Text and keyboard for a job that ended without a badge."""
    _ = texts_for(job.language)
    if job.state == "canceled":
        return _("✖️ Canceled"), ()
    return failure(_, job.error), under_failure(_, job.id, job.error)
