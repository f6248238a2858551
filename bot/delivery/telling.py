"""How one job's last word is said, and what has been tried for it."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from telegram import ReplyParameters

from bot.delivery.attempts import Attempts
from bot.keyboards import Rows, under_failure
from bot.store import jobs, outbox
from bot.store.jobs import Job
from bot.store.outbox import Message, Outgoing
from bot.texts import texts_for
from bot.words import failure


@dataclass(frozen=True)
class Surroundings:
    """Whom a delivery asks: for a new drawing of a picture that is gone, and for how long no call has succeeded.

    A badge that took more than `ring_after` seconds (0: never) is followed by a message, since an edit rings no phone.
    """

    redraw: Callable[[], None]
    silent: Callable[[], float]
    ring_after: float = 0.0


@dataclass
class Telling:
    """What has been tried for one job's last word."""

    attempts: Attempts = field(default_factory=Attempts)
    anew: bool = False
    """The status message cannot be edited: the last word comes as a message of its own."""
    without_topic: bool = False

    def where(self, job: Job) -> dict[str, Any]:
        """Where a message of its own goes."""
        reply = ReplyParameters(job.reply_to, allow_sending_without_reply=True) if job.reply_to else None
        thread = None if self.without_topic else job.thread_id or None
        return {"message_thread_id": thread, "reply_parameters": reply}


def last_words(job: Job) -> tuple[str, Rows]:
    """Text and keyboard for a job that ended without a badge, or whose badge nobody has approved yet."""
    _ = texts_for(job.language)
    if job.state == "reviewing":
        return _("🔎 Your badge is drawn. It comes here once an admin has approved it."), ()
    if job.state == "canceled":
        return _("✖️ Canceled"), ()
    return failure(_, job.error), under_failure(_, job.id, job.error)


def ring(connection: sqlite3.Connection, job: Job, late: float, now: float) -> list[Outgoing]:
    """A short message about a badge that took more than `late` seconds, as it is delivered; 0 is never.

    None where the badge came as a message of its own, which rings by itself, or was delivered before.
    """
    present = jobs.get(connection, job.id)
    if not late or now - job.created < late or not job.status_id or present is None or present.state != "drawn":
        return []
    words = texts_for(job.language)("🔔 Done: your badge is above.")
    reply_to = job.status_id if job.chat_id > 0 else job.reply_to
    message = Message("text", words, thread_id=job.thread_id, reply_to=reply_to)
    return [outbox.put(connection, job.chat_id, job.user_id, message, now)]
