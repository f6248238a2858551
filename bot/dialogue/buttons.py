"""The buttons: suggestions under the first question, and again / other text / style / file / sticker under a badge.

Callback data is `verb` or `verb:number[:word]`, at most 64 bytes. It comes from the client and may be forged or old:
the badge must exist and be the presser's own, and everything else is refused with a note.
"""

import re
from collections.abc import Callable

from bot.dialogue.commands import ask_text, create, not_understood, suggestions
from bot.dialogue.orders import order
from bot.dialogue.turn import Turn, Understood
from bot.store import jobs, outbox, queue
from bot.store.jobs import Job
from bot.store.outbox import Button, Message
from bot.store.people import Dialogue
from bot.texts import Texts
from bot.words import style_name
from inference.errors import InvalidRequest

_DATA = re.compile(r"([a-z]+)(?::(\d{1,15}))?(?::([a-z-]{1,20}))?", re.ASCII)


def under_badge(_: Texts, job_id: int) -> tuple[tuple[Button, ...], ...]:
    """The keyboard under a finished badge."""
    return (
        ((_("🔁 Again"), f"again:{job_id}"), (_("✏️ Other text"), f"text:{job_id}"), (_("🎀 Style"), f"style:{job_id}")),
        ((_("📄 As a file"), f"file:{job_id}"), (_("🏷 As a sticker"), f"sticker:{job_id}")),
    )


def under_failure(_: Texts, job_id: int) -> tuple[tuple[Button, ...], ...]:
    """The keyboard under the news that a badge failed."""
    return (((_("🔁 Try again"), f"retry:{job_id}"),),)


def press(turn: Turn) -> None:
    """Answer a pressed button; there is always a note or a message, so that the button stops spinning."""
    match = _DATA.fullmatch(turn.event.text)
    verb, number, word = match.groups(default="") if match else ("", "", "")
    turn.outcome.log = f"button {verb or 'unknown'}"
    if verb == "hold":
        _hold(turn, number)
    elif verb == "correct":
        create(turn)
    elif verb == "meant" and number:
        _meant(turn, int(number))
    elif verb in _ON_BADGES and number:
        job = jobs.get(turn.connection, int(number))
        if job is None:
            turn.toast(turn._("This button is too old. Start anew: /create"), alert=True)
        elif job.user_id != turn.place.user_id or job.chat_id != turn.place.chat_id:
            turn.toast(turn._("This is somebody else's badge. Make your own: /create"), alert=True)
        else:
            _ON_BADGES[verb](turn, job, word)
    else:
        turn.toast(turn._("This button is too old. Start anew: /create"), alert=True)


def _hold(turn: Turn, number: str) -> None:
    """A suggested thing was chosen; counts only while the first question is open."""
    things = suggestions(turn)
    dialogue = turn.dialogue()
    if dialogue is None or dialogue.question != "object" or not number or int(number) >= len(things):
        turn.toast(turn._("That question is closed. Start anew: /create"))
        return
    if turn.understood is None or not turn.understood.english:
        not_understood(turn)
        return
    ask_text(turn, turn.understood)


def _meant(turn: Turn, number: int) -> None:
    """Another reading of what was typed was chosen; counts only while the second question is open."""
    dialogue, understood = turn.dialogue(), turn.understood
    if dialogue is None or dialogue.question != "text" or understood is None or number >= len(understood.alternatives):
        turn.toast(turn._("That question is closed. Start anew: /create"))
        return
    ask_text(turn, Understood(understood.object, understood.alternatives[number]))


def words_to_understand(data: str, things: tuple[str, ...], dialogue: Dialogue | None) -> str:
    """What has to be understood before a press with this data is answered; "" for nothing."""
    verb, _, number = data.partition(":")
    if verb == "hold" and number.isascii() and number.isdigit() and len(number) < 3 and int(number) < len(things):
        return things[int(number)]
    return dialogue.object if verb == "meant" and dialogue is not None else ""


def _again(turn: Turn, job: Job, word: str) -> None:
    """The same badge from another seed."""
    _reorder(turn, job, f"again:{job.id}", seed=turn.house.new_seed(), style=job.style)


def _retry(turn: Turn, job: Job, word: str) -> None:
    """A failed badge once more."""
    if job.state not in ("failed", "canceled"):
        turn.toast(turn._("Already on it."))
        return
    _reorder(turn, job, f"retry:{job.id}", seed=job.seed, style=job.style)


def _style(turn: Turn, job: Job, word: str) -> None:
    """Without a word: offer the styles; with one: the same portrait under that banner."""
    if not word:
        buttons: list[Button] = [(style_name(turn._, name), f"style:{job.id}:{name}") for name in turn.house.styles]
        rows = tuple(tuple(buttons[at : at + 3]) for at in range(0, len(buttons), 3))
        turn.send(Message("text", turn._("Which banner?"), reply_to=turn.event.message_id, buttons=rows))
    elif word not in turn.house.styles:
        turn.toast(turn._("This button is too old. Start anew: /create"), alert=True)
    else:
        _reorder(turn, job, f"style:{job.id}:{word}", seed=job.seed, style=word)


def _reorder(turn: Turn, job: Job, origin: str, *, seed: int, style: str) -> None:
    """A new job after an earlier one, once a press: a second press while it is under way only says so."""
    if queue.in_flight(turn.connection, job.user_id, origin):
        turn.toast(turn._("Already on it."))
        return
    try:
        if order(turn, job.object, job.english, job.text, style=style, seed=seed, origin=origin):
            turn.toast(turn._("On it!"))
    except InvalidRequest:
        turn.toast(turn._("This button is too old. Start anew: /create"), alert=True)


def _text(turn: Turn, job: Job, word: str) -> None:
    """Ask for another text for the same portrait."""
    open_question = turn.dialogue()
    if open_question == Dialogue("new_text", job.object, job.english, job.id):
        turn.toast(turn._("I am waiting for the new text."))
        return
    turn.ask(Dialogue("new_text", job.object, job.english, job.id))
    turn.say(turn._("What text goes on the banner?"), answer="UX SCOUT")


def _file(turn: Turn, job: Job, word: str) -> None:
    _send_copy(turn, job, "document", job.document_id)


def _sticker(turn: Turn, job: Job, word: str) -> None:
    _send_copy(turn, job, "sticker", job.sticker_id)


def _send_copy(turn: Turn, job: Job, kind: str, file_id: str) -> None:
    """The badge as document or sticker: by file id where Telegram has it, else from the stored picture."""
    if outbox.asked_for(turn.connection, job.id, kind):
        turn.toast(turn._("Already on it."))
    elif not file_id and not job.picture:
        turn.toast(turn._("The picture is no longer here. Make it again: /create"), alert=True)
    else:
        turn.send(Message(kind, files=(file_id,) if file_id else (), reply_to=turn.event.message_id), job.id)
        turn.toast(turn._("On it!"))


def _cancel(turn: Turn, job: Job, word: str) -> None:
    """The cancel button under a status message: this job alone."""
    if jobs.cancel_one(turn.connection, job.id, turn.now):
        turn.outcome.canceled.append(job.id)
        turn.toast(turn._("Canceled. /create when you want a badge."))
    else:
        turn.toast(turn._("Too late, it is nearly done."))


_ON_BADGES: dict[str, Callable[[Turn, Job, str], None]] = {
    "again": _again,
    "retry": _retry,
    "style": _style,
    "text": _text,
    "file": _file,
    "sticker": _sticker,
    "cancel": _cancel,
}
