"""How one job's last word is said, and what has been tried for it."""

from dataclasses import dataclass, field
from typing import Any

from telegram import ReplyParameters

from bot.delivery.attempts import Attempts
from bot.keyboards import Rows, under_failure
from bot.store.jobs import Job
from bot.texts import texts_for
from bot.words import failure


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
    """Text and keyboard for a job that ended without a badge."""
    _ = texts_for(job.language)
    if job.state == "canceled":
        return _("✖️ Canceled"), ()
    return failure(_, job.error), under_failure(_, job.id, job.error)
