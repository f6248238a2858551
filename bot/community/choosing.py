"""Choices: several portraits of the same object in one numbered picture, of which the person picks one."""

from bot.community import gallery
from bot.dialogue.buttons import reorder
from bot.dialogue.turn import Turn
from bot.keyboards import under_badge
from bot.store import choices
from bot.store.outbox import Message
from bot.words import caption


def more(turn: Turn) -> None:
    """The button under a badge: draw `bot.choices` more with other seeds."""
    job, many = turn.badge, turn.context.settings.choices
    if not many:
        turn.too_old()
        return
    reorder(turn, job, choices.origin(job.id, many), seed=turn.context.new_seed(), style=job.style)


def choose(turn: Turn) -> None:
    """A number under a choice: edit the message into that badge; nothing is drawn again."""
    number = int(turn.word) if turn.word.isdigit() else 0
    job = choices.chosen(turn.connection, turn.badge, number)
    if job is None:
        turn.too_old()
        return
    buttons = under_badge(turn._, job.id, turn.context.settings)
    files = (job.photo_id,) if job.photo_id else ()
    message = Message(
        "illustrate", caption(turn._), target=turn.event.message_id, files=files, jobs=(job.id,), buttons=buttons
    )
    turn.send(message, job.id)
    choices.take(turn.connection, job.id, turn.event.message_id)
    turn.outcome.outgoing += gallery.show(turn.connection, job, job.photo_id, turn.context.settings, turn.now)
    turn.toast(turn._("On it!"))
