"""Handlers of buttons: suggestions under the first question; again, text, style, file, sticker, pack under a badge."""

from collections.abc import Sequence

from bot.dialogue.characters import things_to_hold
from bot.dialogue.commands import ask_text, go_on, take_object
from bot.dialogue.events import Event
from bot.dialogue.orders import order
from bot.dialogue.turn import Context, Turn, Understood
from bot.store import awards, jobs, outbox, queue, stickers
from bot.store.jobs import Job
from bot.store.outbox import Button, Message
from bot.store.people import Dialogue
from bot.words import style_name
from inference.errors import InvalidRequest


def words_of_suggestion(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """The object on the pressed suggestion."""
    things = things_to_hold(event.language, context, dialogue.preset if dialogue is not None else None)
    return _numbered(event, things)


def words_of_near(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """The object on the pressed button of those offered instead of one that cannot be drawn."""
    things = dialogue.object.split("\n") if dialogue is not None and dialogue.question == "object" else []
    return _numbered(event, things)


def _numbered(event: Event, things: Sequence[str]) -> str:
    """The object whose index is in the callback data, "" if there is none."""
    number = event.text.partition(":")[2]
    return things[int(number)] if number.isdigit() and len(number) < 3 and int(number) < len(things) else ""


def words_of_dialogue(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """What the person typed before: another meaning of it was chosen, or it is to be drawn anyway."""
    return dialogue.object if dialogue is not None else ""


def hold(turn: Turn) -> None:
    """A suggested object was chosen; valid only while the first question is open."""
    dialogue = turn.dialogue()
    things = things_to_hold(turn.event.language, turn.context, turn.preset)
    first = dialogue is not None and dialogue.question in ("object", "doubt")
    if dialogue is None or not first or turn.number is None or turn.number >= len(things):
        turn.toast(turn._("That question is closed. Start over: /create"))
    else:
        take_object(turn, dialogue.text)


def near(turn: Turn) -> None:
    """One of the closest objects was chosen; valid only while the question that offered them is open."""
    dialogue = turn.dialogue()
    if turn.understood is None or dialogue is None:
        turn.toast(turn._("That question is closed. Start over: /create"))
    else:
        take_object(turn, dialogue.text)


def anyway(turn: Turn) -> None:
    """Text that did not look like an object is to be drawn anyway; valid only while that is asked."""
    dialogue = turn.dialogue()
    if dialogue is None or dialogue.question != "doubt" or turn.understood is None or not turn.understood.english:
        turn.toast(turn._("That question is closed. Start over: /create"))
    else:
        go_on(turn, turn.understood, dialogue.text)


def take(turn: Turn) -> None:
    """The offered banner text was accepted; valid only while the second question is open."""
    dialogue = turn.dialogue()
    if dialogue is None or dialogue.question != "text" or not dialogue.text:
        turn.toast(turn._("That question is closed. Start over: /create"))
    else:
        go_on(turn, Understood(dialogue.object, dialogue.english), dialogue.text)


def meant(turn: Turn) -> None:
    """Another meaning of the typed object was chosen; valid only while the second question is open."""
    dialogue, understood, number = turn.dialogue(), turn.understood, turn.number
    if number is None:
        turn.too_old()
    elif dialogue is None or dialogue.question != "text" or not understood or number >= len(understood.alternatives):
        turn.toast(turn._("That question is closed. Start over: /create"))
    else:
        ask_text(turn, Understood(understood.object, understood.alternatives[number]), dialogue.text)


def again(turn: Turn) -> None:
    """The same badge with another seed."""
    job = turn.badge
    reorder(turn, job, f"again:{job.id}", seed=turn.context.new_seed(), style=job.style)


def retry(turn: Turn) -> None:
    """A failed badge again; one that came out blank with another seed, since the same seed would be blank again."""
    job = turn.badge
    if job.state not in ("failed", "canceled"):
        turn.toast(turn._("Already on it."))
        return
    seed = turn.context.new_seed() if job.error == "blank" else job.seed
    if job.origin == awards.ORIGIN and job.state == "failed":  # the same job, so that it stays an award
        awards.once_more(turn.connection, job.id, seed)
        turn.outcome.queue_changed = True
        turn.toast(turn._("On it!"))
        return
    reorder(turn, job, f"retry:{job.id}", seed=seed, style=job.style)


def style(turn: Turn) -> None:
    """Without a style in the data: offer the styles. With one: the same portrait with that banner, offer deleted."""
    job = turn.badge
    if not turn.word:
        buttons: list[Button] = [(style_name(turn._, name), f"style:{job.id}:{name}") for name in turn.context.styles]
        rows = tuple(tuple(buttons[at : at + 3]) for at in range(0, len(buttons), 3))
        turn.send(Message("text", turn._("Which banner?"), reply_to=turn.event.message_id, buttons=rows))
    elif turn.word not in turn.context.styles:
        turn.too_old()
    elif reorder(turn, job, f"style:{job.id}:{turn.word}", seed=job.seed, style=turn.word, portrait_of=job):
        turn.send(Message("delete", target=turn.event.message_id))


def reorder(turn: Turn, job: Job, origin: str, *, seed: int, style: str, portrait_of: Job | None = None) -> bool:
    """A new job made from an earlier one. While a job from the same button is unfinished, only a toast says so."""
    if queue.in_flight(turn.connection, job.user_id, origin):
        turn.toast(turn._("Already on it."))
        return False
    try:
        taken = order(
            turn, job.object, job.english, job.text, style=style, seed=seed, origin=origin, portrait_of=portrait_of
        )
    except InvalidRequest:
        turn.too_old()
        return False
    if taken:
        turn.toast(turn._("On it!"))
    return taken


def text(turn: Turn) -> None:
    """Ask for another banner text for the same portrait."""
    wanted = Dialogue("new_text", turn.badge.object, turn.badge.english, turn.badge.id)
    if turn.dialogue() == wanted:
        turn.toast(turn._("I am waiting for the new text."))
        return
    turn.ask(wanted)
    turn.say(turn._("What text goes on the banner?"), placeholder="UX SCOUT")


def file(turn: Turn) -> None:
    """The badge as a document, in full quality."""
    _send_copy(turn, "document", turn.badge.document_id)


def sticker(turn: Turn) -> None:
    """The badge as a sticker."""
    _send_copy(turn, "sticker", turn.badge.sticker_id)


def pack(turn: Turn) -> None:
    """Add the badge to this chat's sticker set, once."""
    job = turn.badge
    if not turn.context.settings.sticker_owner or job.state != "delivered":
        turn.too_old()
    elif stickers.added(turn.connection, job.id):
        turn.toast(turn._("It is in the pack already."))
    elif outbox.asked_for(turn.connection, job.id, "pack"):
        turn.toast(turn._("Already on it."))
    elif not job.picture and not job.sticker_id:
        turn.toast(turn._("The picture is no longer available. Make it again: /create"), alert=True)
    else:
        turn.send(Message("pack", reply_to=turn.event.message_id), job.id)
        turn.toast(turn._("On it!"))


def _send_copy(turn: Turn, kind: str, file_id: str) -> None:
    """Send the badge as document or sticker: by file id if it is known, else from the stored picture."""
    job = turn.badge
    if outbox.asked_for(turn.connection, job.id, kind):
        turn.toast(turn._("Already on it."))
    elif not file_id and not job.picture:
        turn.toast(turn._("The picture is no longer available. Make it again: /create"), alert=True)
    else:
        turn.send(Message(kind, files=(file_id,) if file_id else (), reply_to=turn.event.message_id), job.id)
        turn.toast(turn._("On it!"))


def cancel(turn: Turn) -> None:
    """The button Cancel under a status message: cancels this job only."""
    if jobs.cancel_one(turn.connection, turn.badge.id, turn.now):
        turn.outcome.canceled.append(turn.badge.id)
        turn.toast(turn._("Canceled. /create when you want a badge."))
    else:
        turn.toast(turn._("Too late, it is nearly done."))
