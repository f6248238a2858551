"""Text, buttons and attempts of a job's delivery."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from telegram import ReplyParameters

from bot.delivery.attempts import Attempts
from bot.keyboards import Rows, under_award, under_badge, under_choice, under_failure
from bot.store import awards
from bot.store.choices import offered
from bot.store.jobs import Job
from bot.store.outbox import Message
from bot.texts import texts_for
from bot.words import award_caption, caption, failure, status_text
from configs.sections.bot import BotSettings


@dataclass(frozen=True)
class Surroundings:
    """Callbacks of a delivery: `redraw` wakes the workers, `silent` gives the seconds since any call succeeded."""

    redraw: Callable[[], None]
    silent: Callable[[], float]
    settings: BotSettings


@dataclass
class Telling:
    """The attempts to deliver one job's result."""

    attempts: Attempts = field(default_factory=Attempts)
    anew: bool = False
    """The status message cannot be edited: the result is sent as a new message."""
    without_topic: bool = False

    def where(self, job: Job) -> dict[str, Any]:
        """Topic and reply parameters of a new message."""
        reply = ReplyParameters(job.reply_to, allow_sending_without_reply=True) if job.reply_to else None
        thread = None if self.without_topic else job.thread_id or None
        return {"message_thread_id": thread, "reply_parameters": reply}


@dataclass(frozen=True)
class Face:
    """Caption and buttons of a badge."""

    caption: str
    rows: Rows


def face(connection: sqlite3.Connection, job: Job, settings: BotSettings) -> Face:
    """Caption and buttons of a badge at its delivery."""
    _ = texts_for(job.language)
    many = offered(job)
    if many:
        return Face(_("Which one? Press its number. The others stay in /history."), under_choice(job.id, many))
    award = awards.get(connection, job.id) if job.origin == awards.ORIGIN else None
    if award is not None:
        return Face(award_caption(_, award, job), under_award(_, job.id, settings))
    return Face(caption(_), under_badge(_, job.id, settings))


def opening(connection: sqlite3.Connection, job: Job) -> Message:
    """A new status message for a drawn badge without one; for an award it mentions the member, which notifies them."""
    award = awards.get(connection, job.id) if job.origin == awards.ORIGIN else None
    return Message(
        "status", status_text(texts_for(job.language), stage=2), thread_id=job.thread_id, reply_to=job.reply_to,
        mention=(job.user_id, award.name) if award is not None else None,
    )  # fmt: skip


def last_words(job: Job) -> tuple[str, Rows]:
    """Text and buttons for a job that ended without a badge, or whose badge is waiting for review."""
    _ = texts_for(job.language)
    if job.state == "reviewing":
        return _("🔎 Your badge is drawn. It will appear here once an admin approves it."), ()
    if job.state == "canceled":
        return _("✖️ Canceled"), ()
    return failure(_, job.error), under_failure(_, job.id, job.error)
