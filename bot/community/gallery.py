"""The gallery: every delivered badge is also posted in the chat `bot.gallery_chat`.

The person's name is shown only if they agreed, by the button under /privacy.
"""

import sqlite3

from bot.dialogue.turn import Turn
from bot.store import members, outbox, people, posts
from bot.store.choices import offered
from bot.store.jobs import Job
from bot.store.outbox import Button, Message, Outgoing
from bot.texts import Texts, texts_for
from bot.words import badge_words
from configs.sections.bot import BotSettings

KIND = "gallery"


def show(connection: sqlite3.Connection, job: Job, photo_id: str, settings: BotSettings, now: float) -> list[Outgoing]:
    """The gallery post of a delivered badge, at most one per badge; none without a gallery, or for a choice.

    `photo_id` is the file id of its picture; "" to upload the picture.
    """
    if not settings.gallery_chat or offered(job) or not posts.begin(connection, job.id, KIND, settings.gallery_chat):
        return []
    _ = texts_for(people.language(connection, settings.admins[0]) if settings.admins else "")
    files = (photo_id,) if photo_id else ()
    message = Message("post", _line(connection, _, job), files=files, jobs=(job.id,), post=KIND)
    return [outbox.put(connection, settings.gallery_chat, job.user_id, message, now, job.id)]


def _line(connection: sqlite3.Connection, _: Texts, job: Job) -> str:
    name = name_shown(connection, job.user_id)
    return f"{badge_words(job)}\n{_('by {name}', name=name)}" if name else badge_words(job)


def name_shown(connection: sqlite3.Connection, user_id: int) -> str:
    """A person's name for the gallery; "" if they did not agree to be named."""
    known = members.known(connection, user_id)
    if known is None or not people.is_named(connection, user_id):
        return ""
    return known.name or (f"@{known.username}" if known.username else "")


def button(turn: Turn) -> tuple[Button, ...]:
    """The button under /privacy: agree to be named, or withdraw that."""
    if people.is_named(turn.connection, turn.place.user_id):
        return ((turn._("🙈 Without my name in the gallery"), f"named:{turn.place.user_id}:no"),)
    return ((turn._("🖼 With my name in the gallery"), f"named:{turn.place.user_id}:yes"),)


def name(turn: Turn) -> None:
    """Handle the button under /privacy."""
    if turn.number != turn.place.user_id:
        turn.toast(turn._("This button is for somebody else."))
        return
    yes = turn.word == "yes"
    people.name(turn.connection, turn.place.user_id, yes)
    turn.toast(
        turn._("Your name will be shown from now on.") if yes else turn._("Your name will not be shown from now on.")
    )
