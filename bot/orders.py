"""Accepting a badge: the limits, the place in the queue, the job and its status message."""

from bot.store import jobs, people, queue
from bot.store.jobs import Job
from bot.store.outbox import Message
from bot.turn import Turn
from bot.words import span, status_text
from inference.errors import InvalidRequest

HOUR, DAY = 3600.0, 86400.0


def order(
    turn: Turn, typed: str, thing: str, text: str, *, style: str = "", seed: int | None = None, origin: str = "dialogue"
) -> bool:
    """Store a job and its status message; False where it was refused, which the person has then been told.

    Raises InvalidRequest where the object, the text or the style cannot be used.
    """
    style = style or turn.house.default_style
    text = turn.house.check(thing, text, style)
    refusal = _refusal(turn)
    if refusal:
        turn.say(refusal)
        turn.outcome.log = "refused: limit"
        return False
    if seed is None:
        seed = queue.similar(turn.connection, thing) if turn.house.settings.share_portraits else None
    if seed is None:
        seed = turn.house.new_seed()
    reply_to = turn.event.message_id
    place, language = turn.place, turn.event.language
    job = Job(
        0, place.user_id, place.chat_id, place.thread_id, reply_to, language, typed, thing, text, style, seed, origin
    )
    number = jobs.add(turn.connection, job, turn.now)
    ahead = queue.places(turn.connection)[number] - 1 + _drawing(turn)
    paused = bool(people.fact(turn.connection, "paused"))
    shown = status_text(turn._, place=ahead, seconds=wait_seconds(turn, ahead), paused=paused)
    cancel = (((turn._("✖️ Cancel"), f"cancel:{number}"),),)
    turn.send(Message("status", shown, reply_to=reply_to, buttons=cancel), number)
    turn.outcome.queue_changed = True
    turn.outcome.log = f"accepted: job {number}"
    return True


def wait_seconds(turn: Turn, ahead: int) -> float:
    """How long until a job with `ahead` before it is begun, from measured times."""
    return ahead * queue.seconds_a_badge(turn.connection) / max(1, turn.house.parallel)


def _drawing(turn: Turn) -> int:
    """Jobs being drawn where every worker is busy, 0 where one is free."""
    drawing = queue.drawing(turn.connection)
    return drawing if drawing >= turn.house.parallel else 0


def _refusal(turn: Turn) -> str:
    """Why this person may not have a badge now, in words; "" where they may."""
    settings, now, _ = turn.house.settings, turn.now, turn._
    connection, place = turn.connection, turn.place
    if place.user_id not in settings.admins:
        hour = queue.made_since(connection, now - HOUR, now, user_id=place.user_id)
        if settings.badges_per_hour and hour >= settings.badges_per_hour:
            return _(
                "You have had {n} badges within an hour, and that is all I may give. Try again a little later.", n=hour
            )
        day = queue.made_since(connection, now - DAY, now, user_id=place.user_id)
        if settings.badges_per_day and day >= settings.badges_per_day:
            return _("You have had {n} badges today, and that is all I may give. Come back tomorrow.", n=day)
        if not turn.event.private and settings.badges_per_chat_hour:
            chat = queue.made_since(connection, now - HOUR, now, chat_id=place.chat_id)
            if chat >= settings.badges_per_chat_hour:
                return _(
                    "This chat has had {n} badges within an hour. Try again later, or write to me in private.", n=chat
                )
    mine = queue.waiting(connection, place.user_id)
    if mine >= settings.waiting_per_person:
        return _("You already have badges waiting: {n}. Let me finish those, or /cancel them.", n=mine)
    waiting = queue.waiting(connection)
    if waiting >= settings.queue_limit:
        wait = span(_, wait_seconds(turn, waiting))
        return _(
            "{n} badges are waiting, about {wait}, and I take no more for now. Try again a little later.",
            n=waiting,
            wait=wait,
        )
    return ""


def explain(turn: Turn, error: InvalidRequest) -> str:
    """A refused object or text in the person's words."""
    return turn._("I cannot draw that on a banner. Try other words: letters, digits or emoji, 40 characters at most.")
