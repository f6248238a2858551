"""Awards: `/award telescope | UX SCOUT | for the first hundred tests`, sent by an admin in reply to a member.

An award is a job of that member: it is drawn, reviewed and delivered like any other badge, with another caption.
"""

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from bot.community.members import person_meant
from bot.dialogue.characters import usual
from bot.dialogue.commands import say_not_understood
from bot.dialogue.events import Event
from bot.dialogue.orders import blocked, explain
from bot.dialogue.turn import Context, Turn
from bot.store import awards, jobs, members, outbox, people
from bot.store.awards import ORIGIN, Award
from bot.store.jobs import Job
from bot.store.outbox import Message
from bot.store.people import Dialogue
from bot.words import award_line, status_text
from configs.sections.presets import PresetSettings
from inference.errors import InvalidRequest

MOST_WHY = 300
"""Characters of a reason: with both names, object and banner text it fits into a caption, which Telegram limits to
1024."""
_LISTED = 20  # chosen by hand: with reasons of usual length one message; a longer list is cut at 4000 characters


@dataclass(frozen=True)
class Given:
    """An award whose fields have been checked, ready to be stored."""

    user_id: int
    name: str
    chat_id: int
    object: str
    english: str
    text: str
    style: str
    seed: int
    why: str = ""
    thread_id: int = 0
    reply_to: int = 0
    language: str = ""
    preset: str = ""


def preset_of_award(connection: sqlite3.Connection, chat_id: int, presets: Mapping[str, PresetSettings]) -> str:
    """The preset of an award in a chat: the chat's own, or the first in the settings."""
    kept = usual(connection, chat_id, presets)
    return next(iter(presets), "") if kept is None else kept


def give(connection: sqlite3.Connection, given: Given, giver: int, giver_name: str, now: float, key: str = "") -> int:
    """Store an award as a waiting job; returns its id."""
    people.know(connection, given.user_id)
    job = Job(
        0, given.user_id, given.chat_id, given.thread_id, given.reply_to, given.language, given.object,
        given.english, given.text, given.style, given.seed, ORIGIN, given.preset,
    )  # fmt: skip
    job_id = jobs.add(connection, job, now)
    awards.add(connection, Award(job_id, given.name, giver, giver_name, given.why), key)
    return job_id


def words_of_award(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """The object in `/award @name telescope | UX SCOUT | why`."""
    return _split(event)[1]


def _split(event: Event) -> tuple[str, str, str, str]:
    """(whom, object, banner text, why) from the arguments of /award; whom is "" if it replies to a member."""
    head, _, rest = event.text.partition("|")
    text, _, why = rest.partition("|")
    whom, words = "", head.strip()
    first, _, after = words.partition(" ")
    if first.startswith("@") or (first.isascii() and first.isdigit() and not event.replied_user):
        whom, words = first, after
    return whom, words.strip(), text.strip(), " ".join(why.split())


def award(turn: Turn) -> None:
    """`/award`: draw a badge for a member and post it here as an award."""
    event = turn.event
    whom, thing, text, why = _split(event)
    if event.private:
        turn.say(turn._("Awards are given in groups: reply to the member's message there."))
        return
    if not thing or not text or not (whom or event.replied_user):
        turn.say(
            turn._(
                "Reply to a member's message with: /award telescope | UX SCOUT | why\n"
                "or write: /award @username telescope | UX SCOUT | why"
            )
        )
        return
    user_id = person_meant(turn, whom) if whom else event.replied_user
    if not user_id:
        return
    if people.is_banned(turn.connection, user_id):
        turn.say(turn._("{number} is banned: /unban first.", number=user_id))
        return
    if len(why) > MOST_WHY:
        turn.say(turn._("The reason is too long: {n} characters at most.", n=MOST_WHY))
        return
    understood = turn.understood
    if understood is None or not understood.english:
        say_not_understood(turn)
        return
    if blocked(turn, understood.object, understood.english, text, why):
        return
    try:
        preset = preset_of_award(turn.connection, turn.place.chat_id, turn.context.presets)
        style = turn.context.banners[preset]
        text = turn.context.check(understood.english, text, style)
    except InvalidRequest as error:
        turn.say(explain(turn, error))
        return
    known = members.known(turn.connection, user_id)
    name = event.replied_name if not whom else (known.name or f"@{known.username}") if known else ""
    given = Given(
        user_id, _short(name or str(user_id)), turn.place.chat_id, understood.object, understood.english, text,
        style, turn.context.new_seed(), why, turn.place.thread_id, event.message_id, event.language, preset,
    )  # fmt: skip
    job_id = give(turn.connection, given, turn.place.user_id, _short(event.name), turn.now)
    status = Message(
        "status", status_text(turn._), thread_id=given.thread_id, reply_to=given.reply_to, mention=(user_id, given.name)
    )
    turn.outcome.outgoing.append(
        outbox.put(turn.connection, given.chat_id, turn.place.user_id, status, turn.now, job_id)
    )
    turn.outcome.queue_changed = True
    turn.outcome.log = f"award: job {job_id} for {user_id}"


def _short(name: str) -> str:
    return " ".join(name.split())[:64]


def list_awards(turn: Turn) -> None:
    """`/awards`: the last awards of this group; in private, the person's own."""
    if turn.event.private:
        found = awards.listed(turn.connection, _LISTED, user_id=turn.place.user_id)
    else:
        found = awards.listed(turn.connection, _LISTED, chat_id=turn.place.chat_id)
    if not found:
        turn.say(turn._("No awards yet."))
        return
    lines = [award_line(turn._, each) for each in found]
    turn.say("\n".join([turn._("The last awards:"), *lines])[:4000])
