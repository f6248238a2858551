"""Review: every badge is shown in the chat `bot.review_chat` first, and delivered once somebody there approves it.

Reviews begin where a job's picture is stored, which every job passes: a new text, another style or a second attempt is
a job of its own and is reviewed too. Everybody in that chat may decide.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable

from bot.clock import Clock
from bot.dialogue.turn import Turn
from bot.errors import StoreError
from bot.keyboards import under_review
from bot.store import Database, jobs, members, outbox, people, posts, reviews
from bot.store.jobs import Job
from bot.store.members import Known
from bot.store.outbox import Message, Outgoing
from bot.texts import Texts, texts_for
from bot.words import badge_words, person_words
from configs.sections.bot import BotSettings

log = logging.getLogger(__name__)

KIND = "review"
HOUR = 3600.0


def hold(connection: sqlite3.Connection, job_id: int, settings: BotSettings, now: float) -> list[Outgoing]:
    """Begin the review of a drawn badge, if there is a review chat; returns the post for the reviewers."""
    if not settings.review_chat or not reviews.begin(connection, job_id, now):
        return []
    return _post(connection, job_id, settings, now)


def _post(connection: sqlite3.Connection, job_id: int, settings: BotSettings, now: float) -> list[Outgoing]:
    job = jobs.get(connection, job_id)
    if job is None or not posts.begin(connection, job_id, KIND, settings.review_chat):
        return []
    _ = _of_reviewers(connection, settings)
    message = Message("post", _line(connection, _, job), buttons=under_review(_, job.id), jobs=(job.id,), post=KIND)
    return [outbox.put(connection, settings.review_chat, job.user_id, message, now)]


def _line(connection: sqlite3.Connection, _: Texts, job: Job) -> str:
    known = members.known(connection, job.user_id) or Known(job.user_id, "", "", 0, False)
    return _("🔎 {who} asks for: {badge}", who=person_words(known), badge=badge_words(job))


def _of_reviewers(connection: sqlite3.Connection, settings: BotSettings) -> Texts:
    """The texts for the review chat, in the first admin's language."""
    return texts_for(people.language(connection, settings.admins[0]) if settings.admins else "")


def approve(turn: Turn) -> None:
    """The button Approve: the badge is delivered."""
    _decide(turn, approved=True)


def refuse(turn: Turn) -> None:
    """The button Refuse: the person is told."""
    _decide(turn, approved=False)


def bar(turn: Turn) -> None:
    """The button Ban: the badge is refused, and the person is no longer answered."""
    _decide(turn, approved=False, ban=True)


def _decide(turn: Turn, *, approved: bool, ban: bool = False) -> None:
    settings, connection, decider = turn.context.settings, turn.connection, turn.place.user_id
    here = settings.review_chat in people.ids_of_chat(connection, turn.place.chat_id)
    if not settings.review_chat or not (here or turn.admin) or people.is_banned(connection, decider):
        turn.too_old()
        return
    job = jobs.get(connection, turn.number or 0)
    if job is not None and ban and job.user_id in settings.admins:
        turn.toast(turn._("{number} is an admin (bot.admins) and cannot be banned.", number=job.user_id), alert=True)
        return
    if job is None or not reviews.decide(connection, job.id, approved, decider, turn.now):
        turn.toast(turn._("That badge is no longer waiting for review."))
        return
    turn.outcome.told.append(job.id)
    if ban:
        people.ban(connection, job.user_id, True)
        turn.outcome.canceled += jobs.cancel_person(connection, job.user_id, turn.now)
    _ = _of_reviewers(connection, settings)
    who = turn.event.name or str(decider)
    turn.outcome.log = f"job {job.id} {'approved' if approved else 'refused and banned' if ban else 'refused'}"
    turn.toast(_decided(turn._, approved, ban, who))
    post = posts.get(connection, job.id, KIND)
    if post is not None and post.message_id:
        message = Message(
            "relabel", f"{_line(connection, _, job)}\n{_decided(_, approved, ban, who)}", target=post.message_id
        )
        turn.outcome.outgoing.append(outbox.put(connection, post.chat_id, decider, message, turn.now))


def _decided(_: Texts, approved: bool, ban: bool, who: str) -> str:
    if approved:
        return _("✅ approved by {who}", who=who)
    return _("🚫 refused and banned by {who}", who=who) if ban else _("⛔ refused by {who}", who=who)


class Reminder:
    """Reminds the reviewers of badges that have waited too long."""

    def __init__(
        self, database: Database, clock: Clock, settings: BotSettings, send: Callable[[list[Outgoing]], None]
    ) -> None:
        self._database, self._clock, self._settings, self._send = database, clock, settings, send

    async def run(self) -> None:
        """Check until canceled; a reminder is at most a tenth of `bot.review_hours` late."""
        hours = self._settings.review_hours
        if not self._settings.review_chat or not hours:
            return
        while True:
            await asyncio.sleep(min(60.0, hours * HOUR / 10))
            try:
                told = await self._database.write("reminded", lambda c: remind(c, self._settings, self._clock.wall()))
                self._send(told)
            except StoreError as error:
                log.error("%s", error)


def remind(connection: sqlite3.Connection, settings: BotSettings, now: float) -> list[Outgoing]:
    """The reminders to reviewers and people about badges that have waited longer than `bot.review_hours`."""
    if not settings.review_chat or not settings.review_hours:
        return []
    told: list[Outgoing] = []
    _ = _of_reviewers(connection, settings)
    for job_id in reviews.overdue(connection, now - settings.review_hours * HOUR, now):
        job, post = jobs.get(connection, job_id), posts.get(connection, job_id, KIND)
        if job is None:
            continue
        if post is None or not post.message_id:  # the bot could not post in that chat: try again
            posts.drop(connection, job_id, KIND)
            told += _post(connection, job_id, settings, now)
        else:
            text = _("⏰ This badge is still waiting for review: {badge}", badge=badge_words(job))
            message = Message("text", text, reply_to=post.message_id)
            told.append(outbox.put(connection, post.chat_id, job.user_id, message, now))
        words = texts_for(job.language)(
            "⏳ Your badge is still waiting for review: {badge}. I have reminded the admins.", badge=badge_words(job)
        )
        message = Message("text", words, thread_id=job.thread_id, reply_to=job.reply_to)
        told.append(outbox.put(connection, job.chat_id, job.user_id, message, now))
    return told
