"""What follows a delivered badge: the gallery post, a notification if it was late, for an award the member's tag."""

import sqlite3

from bot.community import gallery
from bot.store import jobs, outbox
from bot.store.awards import ORIGIN
from bot.store.jobs import Job
from bot.store.outbox import Message, Outgoing
from bot.texts import texts_for
from configs.sections.bot import BotSettings
from inference.translation.scripts import without_emoji

_LONGEST_TAG = 16
"""Characters of a member's tag, without emoji (core.telegram.org/bots/api#setchatmembertag)."""


def follow(
    connection: sqlite3.Connection, job: Job, photo_id: str, settings: BotSettings, now: float
) -> list[Outgoing]:
    """The messages that follow `job`, in the transaction that marks it as delivered; none if it was so before.

    `photo_id` is the file id of its picture, "" if Telegram returned none.
    """
    present = jobs.get(connection, job.id)
    if present is None or present.state != "drawn":
        return []
    shown = gallery.show(connection, job, photo_id, settings, now)
    if job.origin == ORIGIN:
        return shown + (_tag(connection, job, now) if settings.tag_members else [])
    return shown + _ring(connection, job, settings.ring_after, now)


def _ring(connection: sqlite3.Connection, job: Job, late: float, now: float) -> list[Outgoing]:
    """A short message if the badge took more than `late` seconds (0: never), since an edit causes no notification.

    None if the badge was sent as a new message, which notifies by itself.
    """
    if not late or now - job.created < late or not job.status_id:
        return []
    words = texts_for(job.language)("🔔 Done: your badge is above.")
    reply_to = job.status_id if job.chat_id > 0 else job.reply_to
    message = Message("text", words, thread_id=job.thread_id, reply_to=reply_to)
    return [outbox.put(connection, job.chat_id, job.user_id, message, now)]


def _tag(connection: sqlite3.Connection, job: Job, now: float) -> list[Outgoing]:
    """The banner text as the member's tag, if it fits; it is never cut."""
    tag = " ".join(job.text.split())
    if len(tag.encode("utf-16-le")) // 2 > _LONGEST_TAG or without_emoji(tag) != tag:
        return []
    message = Message("tag", tag, target=job.user_id)
    return [outbox.put(connection, job.chat_id, job.user_id, message, now)]
