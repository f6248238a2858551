"""Delivers the result of a job: edits its status message into the badge, or into the reason why there is none.

`editMessageMedia` is idempotent, so after a crash between Telegram's response and our commit it is simply repeated. If
the status message was deleted, a new one is sent first and then edited, so even then no badge is sent twice. Only if
editing is impossible (a server that cannot edit texts into photos) is the badge sent as a new message; that intent is
stored first, and after a crash in between the person is asked whether it arrived.
"""

import asyncio
import logging
import sqlite3
import time
from typing import Any

from telegram import InputMediaPhoto
from telegram import Message as Sent
from telegram.error import ChatMigrated, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.api.errors import Verdict, verdict
from bot.api.limiter import LAST_WORD, UPLOAD, PoliteLimiter
from bot.clock import Clock
from bot.delivery.following import follow
from bot.delivery.pictures import Pictures
from bot.delivery.sender import Sender
from bot.delivery.status import StatusBoard
from bot.delivery.telling import Face, Surroundings, Telling, face, last_words, opening
from bot.errors import StoreError
from bot.keyboards import Rows, copies, keyboard
from bot.operations.logs import record
from bot.store import Database, choices, jobs, outbox, people
from bot.store.jobs import Job
from bot.store.outbox import Outgoing
from bot.texts import texts_for

log = logging.getLogger(__name__)

_STORE_PAUSE = 5.0  # s, chosen by hand: what cannot be stored now waits, and nothing is lost meanwhile
_TOLD = ("drawn", "reviewing", "failed", "canceled")
_UPLOADS = 8  # at a time, chosen by hand: a third of the 24 connections (`api.client`), the others are for texts


class Delivery:
    """Runs one task per job whose result has not been delivered yet."""

    def __init__(
        self,
        bot: "ExtBot[Any]",
        limiter: PoliteLimiter,
        database: Database,
        pictures: Pictures,
        board: StatusBoard,
        clock: Clock,
        surroundings: Surroundings,
    ) -> None:
        self._bot = bot
        self._limiter = limiter
        self._database = database
        self._pictures = pictures
        self._board = board
        self._clock = clock
        self._surroundings = surroundings
        self.sender: Sender | None = None
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._status_sent: dict[int, asyncio.Event] = {}
        self._uploads = asyncio.Semaphore(_UPLOADS)

    def tell(self, job_id: int) -> None:
        """Deliver this job's result, once its status message exists."""
        if job_id in self._tasks:
            self._again.add(job_id)  # the task may have read the job before it changed
        else:
            self._tasks[job_id] = asyncio.create_task(self._tell(job_id), name=f"delivery {job_id}")

    def status_sent(self, job_id: int) -> None:
        """The job's status message exists now, or was given up."""
        event = self._status_sent.get(job_id)
        if event is not None:
            event.set()

    async def stop(self, seconds: float) -> None:
        """Let running deliveries finish; the others are resumed at the next start."""
        waiting = [task for job, task in self._tasks.items() if job in self._status_sent]
        for task in waiting:
            task.cancel()
        if self._tasks:
            _, late = await asyncio.wait(self._tasks.values(), timeout=seconds)
            for task in late:
                task.cancel()

    async def _tell(self, job_id: int) -> None:
        telling = Telling()
        try:
            while True:
                try:
                    if await self._try(job_id, telling):
                        return
                    pause = telling.attempts.next_pause()
                except StoreError as error:
                    log.error("%s", error)
                    pause = _STORE_PAUSE
                except Exception:  # a bug with one badge must not stop the delivery of others
                    log.exception("job %d cannot be delivered", job_id)
                    if not telling.attempts.another(Verdict.REFUSED, 0.0):
                        await self._give_up(job_id)
                    pause = telling.attempts.next_pause()
                await asyncio.sleep(pause)
        finally:
            self._tasks.pop(job_id, None)
            self._board.forget(job_id)
            if job_id in self._again:
                self._again.discard(job_id)
                self.tell(job_id)

    async def _try(self, job_id: int, telling: Telling) -> bool:
        """One attempt; whether nothing is left to do."""
        job = await self._with_status(job_id, telling)
        if job is None or job.told or job.state not in _TOLD:
            return True
        if not job.status_id and not telling.anew:
            return False
        await self._board.finish(job_id)
        started = time.monotonic()
        try:
            if job.state != "drawn":
                await self._say(job, telling, *last_words(job))
                if job.state == "reviewing":
                    return True
            elif job.sending:
                await self._ask(job, telling)
            else:
                return await self._give(job, telling, started)
        except TelegramError as error:
            return await self._recover(job, telling, error)
        await self._database.write("told", lambda c: jobs.told(c, job.id))
        record(job.user_id, "badge", f"job {job.id} {job.state} {job.error}".strip())
        return True

    async def _with_status(self, job_id: int, telling: Telling) -> Job | None:
        """The job once it has a status message; if that was deleted, send a new one."""

        def look(connection: sqlite3.Connection) -> tuple[Job | None, Outgoing | None]:
            job = jobs.get(connection, job_id)
            if job is None or telling.anew or job.status_id or job.told:
                return job, None
            if outbox.asked_for(connection, job_id, "status"):
                return job, None
            message = opening(connection, job)
            return job, outbox.put(connection, job.chat_id, job.user_id, message, self._clock.wall(), job_id)

        event = self._status_sent.setdefault(job_id, asyncio.Event())
        try:
            job, outgoing = await self._database.write("new status", look)
            if outgoing is not None and self.sender is not None:
                self.sender.add([outgoing])
            if job is None or job.status_id or job.told or telling.anew:
                return job
            await event.wait()
        finally:
            self._status_sent.pop(job_id, None)
        return await self._database.read(lambda c: jobs.get(c, job_id))

    async def _give(self, job: Job, telling: Telling, started: float) -> bool:
        """Edit the status message into the badge; if it cannot be edited, send the badge as a new message."""
        shown = await self._database.read(lambda c: face(c, job, self._surroundings.settings))
        while True:
            await self._limiter.clear(job.chat_id)  # before taking an upload slot, which others need
            async with self._uploads:
                photo = await asyncio.to_thread(self._pictures.photo, job.picture, job.picture_size)
                if photo is None:
                    log.warning("the picture of job %d is missing or damaged: drawing it again", job.id)
                    await self._database.write("redraw", lambda c: jobs.redraw(c, job.id))
                    self._surroundings.redraw()
                    return True
                try:
                    sent = await self._upload(job, telling, photo, shown)
                    break
                except RetryAfter:
                    continue
                except TelegramError as error:
                    if verdict(error) is not Verdict.NO_MEDIA or telling.anew:
                        raise
                    telling.anew = True
        await self._delivered(job, sent, time.monotonic() - started)
        return True

    async def _upload(self, job: Job, telling: Telling, photo: bytes, shown: Face) -> Sent | bool:
        buttons = keyboard(shown.rows)
        if not telling.anew:
            media = InputMediaPhoto(photo, caption=shown.caption, filename="badge.jpg")
            return await self._bot.edit_message_media(
                media, chat_id=job.chat_id, message_id=job.status_id, reply_markup=buttons, rate_limit_args=UPLOAD
            )
        await self._database.write("photo intent", lambda c: jobs.about_to_send(c, job.id))
        return await self._bot.send_photo(
            job.chat_id, photo, caption=shown.caption, reply_markup=buttons, rate_limit_args=UPLOAD,
            **telling.where(job),
        )  # fmt: skip

    async def _delivered(self, job: Job, sent: Sent | bool, seconds: float) -> None:
        photo = sent.photo[-1].file_id if isinstance(sent, Sent) and sent.photo else job.photo_id
        following: list[Outgoing] = []

        def deliver(connection: sqlite3.Connection) -> None:
            following[:] = follow(connection, job, photo, self._surroundings.settings, self._clock.wall())
            jobs.delivered(connection, job.id, photo, seconds)
            choices.deliver(connection, job)

        await self._database.write("delivered", deliver)
        if self.sender is not None:
            self.sender.add(following)
        record(
            job.user_id, "badge",
            f"job {job.id} delivered: portrait {job.draw_seconds:.2f} s, banner {job.banner_seconds:.2f} s,"
            f" sent {seconds:.2f} s",
        )  # fmt: skip

    async def _say(self, job: Job, telling: Telling, text: str, rows: Rows) -> None:
        buttons = keyboard(rows)
        if telling.anew:
            await self._bot.send_message(job.chat_id, text, reply_markup=buttons, **telling.where(job))
        else:
            await self._bot.edit_message_text(
                text, chat_id=job.chat_id, message_id=job.status_id, reply_markup=buttons, rate_limit_args=LAST_WORD
            )

    async def _ask(self, job: Job, telling: Telling) -> None:
        """After a crash while sending a new message: it may have arrived, so offer the file instead of repeating it."""
        _ = texts_for(job.language)
        text = _("I was interrupted while sending your badge. If it did not arrive, get it here:")
        await self._say(job, telling, text, (copies(_, job.id),))
        await self._database.write("delivered", lambda c: jobs.delivered(c, job.id, "", 0.0))

    async def _recover(self, job: Job, telling: Telling, error: TelegramError) -> bool:
        """Handle a failed call; whether nothing is left to do."""
        meaning = verdict(error)
        another = telling.attempts.another(meaning, self._surroundings.silent())
        if isinstance(error, ChatMigrated):
            new = error.new_chat_id
            log.warning("%s", await self._database.write("moved", lambda c: people.move_chat(c, job.chat_id, new)))
            return False
        if meaning is Verdict.NOTHING:
            if job.state == "drawn":
                await self._delivered(job, True, 0.0)
            elif job.state != "reviewing":
                await self._database.write("told", lambda c: jobs.told(c, job.id))
            return True
        record(job.user_id, "badge", f"job {job.id}: {meaning.words}: {error}", logging.WARNING)
        if job.state == "drawn" and telling.anew and meaning is not Verdict.UNKNOWN:
            await self._database.write("photo not sent", lambda c: jobs.not_sent(c, job.id))
        if meaning is Verdict.CHAT_GONE and self.sender is not None:
            await self.sender.forget_chat(job.chat_id)
            return True
        if meaning is Verdict.TOPIC_GONE and self.sender is not None:
            if another and job.state != "canceled":
                telling.anew = telling.without_topic = True
                return False
            await self.sender.forget_topic(job.chat_id, job.thread_id)
            return True
        if meaning is Verdict.GONE:
            return await self._status_gone(job, telling, another)
        if meaning.again and another:
            return False
        if job.state == "reviewing":  # only a status text failed; the badge is delivered later
            return True
        if job.state == "drawn":
            reason = "photos" if meaning is Verdict.NOT_HERE else "sending"
            await self._database.write("refused", lambda c: jobs.refused(c, job.id, reason))
            telling.anew = telling.anew and not job.status_id
            return False
        if another and not telling.anew and job.state != "canceled":
            telling.anew = True
            return False
        await self._give_up(job.id)
        return True

    async def _status_gone(self, job: Job, telling: Telling, another: bool) -> bool:
        """The status message cannot be edited: send a new one; if that fails too, send the result as a new message."""
        if job.state == "canceled":
            await self._database.write("told", lambda c: jobs.told(c, job.id))
            return True
        if telling.anew:
            await self._give_up(job.id)
            return True
        await self._database.write("status lost", lambda c: jobs.lost_status(c, job.id))
        if telling.attempts.failures[Verdict.GONE] > 1 or not another:
            telling.anew = True
        return False

    async def _give_up(self, job_id: int) -> None:
        """End a job whose result cannot be delivered."""
        log.error("job %d: its result cannot be delivered, given up", job_id)
        await self._database.write("given up", lambda c: jobs.unreachable(c, job_id, self._clock.wall()))
