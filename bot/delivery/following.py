"""What follows a badge once it is in its chat: the gallery, a message that rings, and for an award its person's tag."""

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
"""Characters of a member's tag (core.telegram.org/bots/api#setchatmembertag), which takes no emoji."""


def follow(
    connection: sqlite3.Connection, job: Job, photo_id: str, settings: BotSettings, now: float
) -> list[Outgoing]:
    """The messages that follow `job`, in the transaction that makes it delivered; none where it was so before.

    `photo_id` is Telegram's name for its picture, "" where it gave none.
    """
    present = jobs.get(connection, job.id)
    if present is None or present.state != "drawn":
        return []
    shown = gallery.show(connection, job, photo_id, settings, now)
    if job.origin == ORIGIN:
        return shown + (_tag(connection, job, now) if settings.tag_members else [])
    return shown + _ring(connection, job, settings.ring_after, now)


def _ring(connection: sqlite3.Connection, job: Job, late: float, now: float) -> list[Outgoing]:
    """A short message about a badge that took more than `late` seconds (0: never), since an edit rings no phone.

    None where the badge came as a message of its own, which rings by itself.
    """
    if not late or now - job.created < late or not job.status_id:
        return []
    words = texts_for(job.language)("🔔 Done: your badge is above.")
    reply_to = job.status_id if job.chat_id > 0 else job.reply_to
    message = Message("text", words, thread_id=job.thread_id, reply_to=reply_to)
    return [outbox.put(connection, job.chat_id, job.user_id, message, now)]


def _tag(connection: sqlite3.Connection, job: Job, now: float) -> list[Outgoing]:
    """The banner's text as the member's tag, never cut: only where it fits."""
    tag = " ".join(job.text.split())
    if len(tag.encode("utf-16-le")) // 2 > _LONGEST_TAG or without_emoji(tag) != tag:
        return []
    message = Message("tag", tag, target=job.user_id)
    return [outbox.put(connection, job.chat_id, job.user_id, message, now)]
