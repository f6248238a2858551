"""/history: a person's last badges as an album, and each of them again with its buttons."""

from bot.dialogue.turn import Turn
from bot.keyboards import under_badge
from bot.store import jobs
from bot.store.jobs import Job
from bot.store.outbox import Button, Message
from bot.words import badge_words

_HISTORY = 10  # the most that Telegram allows in one album
_IN_A_ROW = 5  # buttons, chosen by hand: ten badges make two rows


def history(turn: Turn) -> None:
    """Send the last badges again by file id: nothing is drawn or uploaded.

    Albums cannot have an inline keyboard, so a list with a button for each badge follows.
    """
    made = jobs.history(turn.connection, turn.place.user_id, turn.place.chat_id, _HISTORY)
    if not made:
        turn.say(turn._("You have no badges here yet. /create makes one."))
    elif len(made) == 1:
        turn.send(_photo(turn, made[0]))
    else:
        files, numbers = tuple(job.photo_id for job in made), tuple(job.id for job in made)
        captions = tuple(f"{at}. {badge_words(job)}" for at, job in enumerate(made, start=1))
        turn.send(Message("album", files=files, jobs=numbers, captions=captions))
        buttons: list[Button] = [(str(at), f"show:{job.id}") for at, job in enumerate(made, start=1)]
        rows = tuple(tuple(buttons[at : at + _IN_A_ROW]) for at in range(0, len(buttons), _IN_A_ROW))
        turn.say("\n".join((turn._("Your last badges. Press a number to change one:"), *captions)), buttons=rows)


def show(turn: Turn) -> None:
    """Send one badge of the list again, with its buttons."""
    job = turn.badge
    if job.state != "delivered" or not (job.photo_id or job.picture):
        turn.too_old()
        return
    turn.send(_photo(turn, job))


def _photo(turn: Turn, job: Job) -> Message:
    return Message(
        "photo", badge_words(job), files=(job.photo_id,), jobs=(job.id,),
        buttons=under_badge(turn._, job.id, turn.context.settings),
    )  # fmt: skip
