"""The status messages: queue position and progress of each job, with as few edits as possible.

A status message is edited at most once in `edit_seconds` (`edit_seconds_group` in groups), only while the limiter is
not busy, only if the text differs, and always with the newest text: edits are not queued. Queue positions are shown
when they have changed a lot, not at every step, so that a long queue costs few calls.
"""

import asyncio
import logging
import sqlite3
import time
from dataclasses import dataclass, field
from typing import Any

from telegram.error import TelegramError
from telegram.ext import ExtBot

from bot.api.errors import Lasts, Verdict, verdict
from bot.api.limiter import PoliteLimiter
from bot.errors import StoreError
from bot.keyboards import keyboard, under_status
from bot.store import Database, jobs, people, queue
from bot.store.awards import ORIGIN
from bot.store.jobs import Job
from bot.texts import texts_for
from bot.words import status_text
from configs.sections.bot import BotSettings

log = logging.getLogger(__name__)

_TICK = 0.2  # s between looks at the progress, chosen by hand: well below `edit_seconds`, so no edit is much delayed
_AFTER_SENT = 1.0
"""Seconds until a message that was never edited may show the second stage: Telegram's limit of one a second."""
_PLACES_EVERY = 2.0  # s between reads of the queue, chosen by hand: a busy queue changes at every drawing


@dataclass
class Progress:
    """The progress of a drawing; written by the drawing thread, read by the status board."""

    job: Job
    done: int = 0
    steps: int = 0
    stage: int = 1
    begun: float = field(default_factory=time.monotonic)
    _first: tuple[int, float] = (0, 0.0)

    def step(self, done: int, steps: int) -> None:
        """`done` of `steps` denoising steps are done."""
        if not self.steps:
            self._first = (done, time.monotonic())
        self.done, self.steps = done, steps

    def seconds_left(self, now: float, usual: float) -> float:
        """Remaining seconds of denoising, from the pace since its first step; 0 after only one step.

        Before the first step the rest of the `usual` seconds of a badge, infinite once they have passed.
        """
        if not self.steps:
            left = usual - (now - self.begun)
            return left if left > 0 else float("inf")
        done, at = self._first
        return (now - at) / (self.done - done) * (self.steps - self.done) if self.done > done else 0.0


@dataclass
class _Shown:
    chat_id: int
    message_id: int
    text: str
    at: float
    place: int = 0
    paused: bool = False
    edited: bool = False
    edit: asyncio.Task[None] | None = None


class StatusBoard:
    """Edits all status messages whose job is unfinished."""

    def __init__(
        self, bot: "ExtBot[Any]", limiter: PoliteLimiter, database: Database, settings: BotSettings, parallel: int
    ) -> None:
        self._bot = bot
        self._limiter = limiter
        self._database = database
        self._settings = settings
        self._parallel = parallel
        self._shown: dict[int, _Shown] = {}
        self.progress: dict[int, Progress] = {}
        self.queue_moved = True
        self._usual = float("inf")
        """Mean seconds of the last badges, infinite until first read."""
        self._restarted: set[int] = set()
        self._ended: set[int] = set()

    def sent(self, job_id: int, chat_id: int, message_id: int, text: str) -> None:
        """A status message was sent."""
        if job_id not in self._ended:
            self._shown[job_id] = _Shown(chat_id, message_id, text, time.monotonic())

    def restore(self, job: Job) -> None:
        """A status message of an earlier run; the person is told that the badge kept its place."""
        self._shown[job.id] = _Shown(job.chat_id, job.status_id, "", 0.0)
        self._restarted.add(job.id)

    async def finish(self, job_id: int) -> None:
        """Stop editing this message; waits for a running edit, so that the badge comes last."""
        self.progress.pop(job_id, None)
        self._ended.add(job_id)
        shown = self._shown.pop(job_id, None)
        if shown is not None and shown.edit is not None:
            await asyncio.wait([shown.edit])

    def forget(self, job_id: int) -> None:
        """Drop all state of a finished job."""
        self._ended.discard(job_id)
        self._restarted.discard(job_id)

    def show_now(self, job_id: int) -> None:
        """Show a drawing's second stage, if an edit is allowed now."""
        progress = self.progress.get(job_id)
        if progress is not None:
            self._show_progress(job_id, progress)

    async def run(self) -> None:
        places_at = 0.0
        while True:
            await asyncio.sleep(_TICK)
            for job_id, progress in list(self.progress.items()):
                self._show_progress(job_id, progress)
            if self.queue_moved and time.monotonic() - places_at >= _PLACES_EVERY and self._shown:
                self.queue_moved = False
                places_at = time.monotonic()
                try:
                    await self._show_places()
                except StoreError as error:
                    log.error("%s", error)

    def _show_progress(self, job_id: int, progress: Progress) -> None:
        shown = self._shown.get(job_id)
        if shown is None:
            return
        now = time.monotonic()
        if progress.stage == 1 and progress.seconds_left(now, self._usual) < 1.5 * self._interval(shown.chat_id):
            return  # the second stage is so near that the edit is saved for it
        if progress.stage == 2 and self._settings.review_chat:
            return  # a moment later this message will say that the badge waits for its review
        text = status_text(
            texts_for(progress.job.language), done=progress.done, steps=progress.steps, stage=progress.stage,
            restarted=job_id in self._restarted,
        )  # fmt: skip
        self._edit(job_id, shown, text, now)

    async def _show_places(self) -> None:
        def look(c: sqlite3.Connection) -> tuple[dict[int, int], int, float, bool]:
            return queue.places(c), queue.drawing(c), queue.seconds_a_badge(c), bool(people.fact(c, "paused"))

        places, drawing, seconds, paused = await self._database.read(look)
        now, self._usual = time.monotonic(), seconds
        for job_id, place in places.items():
            shown = self._shown.get(job_id)
            if shown is None or job_id in self.progress:
                continue
            ahead = queue.ahead_of(place, drawing, self._parallel)
            if shown.place and paused == shown.paused and not _worth_saying(shown.place, place):
                continue
            wait = ahead * seconds / self._parallel
            if wait < 1.5 * self._interval(shown.chat_id) and paused == shown.paused and shown.text:
                continue  # its turn is so near that the edit is saved for the drawing
            job = await self._job(job_id)
            if job is None:
                continue
            text = status_text(
                texts_for(job.language), place=ahead, seconds=wait, paused=paused,
                restarted=job_id in self._restarted,
            )  # fmt: skip
            if self._edit(job_id, shown, text, now):
                shown.place, shown.paused = place, paused
            else:
                self.queue_moved = True

    async def _job(self, job_id: int) -> Job | None:
        return await self._database.read(lambda c: jobs.get(c, job_id))

    def _interval(self, chat_id: int) -> float:
        return self._settings.edit_seconds if chat_id > 0 else self._settings.edit_seconds_group

    def _edit(self, job_id: int, shown: _Shown, text: str, now: float) -> bool:
        """Start an edit if it is allowed now; True if it was started or the text is unchanged."""
        if text == shown.text:
            return True
        if shown.edit is not None and not shown.edit.done():
            return False
        progress = self.progress.get(job_id)
        cancelable = progress is None or progress.stage == 1
        pause = self._interval(shown.chat_id)
        if not cancelable and not shown.edited:
            pause = min(pause, _AFTER_SENT)
        if now - shown.at < pause or self._limiter.busy(shown.chat_id):
            return False
        shown.text, shown.at, shown.edited = text, now, True
        shown.edit = asyncio.create_task(self._call(job_id, shown, cancelable))
        return True

    async def _call(self, job_id: int, shown: _Shown, cancelable: bool) -> None:
        job = None
        try:
            if cancelable:
                job = await self._job(job_id)
            own = job is not None and job.origin != ORIGIN  # an award cannot be canceled by the person who receives it
            rows = under_status(texts_for(job.language), job_id) if job is not None and own else ()
            await self._bot.edit_message_text(
                shown.text, chat_id=shown.chat_id, message_id=shown.message_id, reply_markup=keyboard(rows)
            )
        except TelegramError as error:
            meaning = verdict(error)
            if meaning is not Verdict.NOTHING:
                log.info("an edit of a status message was dropped: %s", error)
                if meaning.lasts is Lasts.FOR_GOOD:  # the delivery handles a message that cannot be edited
                    self._shown.pop(job_id, None)
        except StoreError as error:
            log.error("%s", error)


def _worth_saying(before: int, now: int) -> bool:
    """Whether to show a new queue position: each of the last three, else whenever it has halved."""
    return now != before and (now <= 3 or now * 2 <= before)
