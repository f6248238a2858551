"""Accepting a badge: the limits, the place in the queue, the job and its status message."""

from bot.dialogue.turn import Turn
from bot.store import jobs, people, queue
from bot.store.jobs import Job
from bot.store.outbox import Message
from bot.words import span, status_text
from inference.errors import InvalidRequest

HOUR, DAY = 3600.0, 86400.0


def order(
    turn: Turn,
    thing: str,
    english: str,
    text: str,
    *,
    style: str = "",
    seed: int | None = None,
    origin: str = "dialogue",
) -> bool:
    """Store a job and its status message; False where it was refused, which the person has then been told.

    Raises InvalidRequest where the object, the text or the style cannot be used.
    """
    style = style or turn.house.default_style
    text = turn.house.check(english, text, style)
    refusal = _refusal(turn)
    if refusal:
        turn.say(refusal)
        turn.outcome.log = "refused: limit"
        return False
    if seed is None:
        seed = queue.similar(turn.connection, english) if turn.house.settings.share_portraits else None
    if seed is None:
        seed = turn.house.new_seed()
    reply_to = turn.event.message_id
    place, language = turn.place, turn.event.language
    job = Job(
        0, place.user_id, place.chat_id, place.thread_id, reply_to, language, thing, english, text, style, seed, origin
    )
    number = jobs.add(turn.connection, job, turn.now)
    ahead = queue.ahead_of(queue.places(turn.connection)[number], queue.drawing(turn.connection), turn.house.parallel)
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


def _refusal(turn: Turn) -> str:
    """Why this person may not have a badge now, in words; "" where they may."""
    settings, connection, _ = turn.house.settings, turn.connection, turn._
    if turn.place.user_id not in settings.admins:
        over = _over_limit(turn)
        if over:
            return over
    mine = queue.waiting(connection, turn.place.user_id)
    if mine >= settings.waiting_per_person:
        return _.many(
            "You already have {n} badge waiting. Let me finish it first, or /cancel it.",
            "You already have {n} badges waiting. Let me finish them first, or /cancel them.",
            mine,
        )
    waiting = queue.waiting(connection)
    if waiting >= settings.queue_limit:
        return _.many(
            "{n} badge is waiting, that is about {wait}, and I take no more for now. Try again a little later.",
            "{n} badges are waiting, that is about {wait}, and I take no more for now. Try again a little later.",
            waiting,
            wait=span(_, wait_seconds(turn, waiting)),
        )
    return ""


def _over_limit(turn: Turn) -> str:
    """Which limit by time this person or chat has reached, in words, and for how long; "" for none."""
    settings, user, _ = turn.house.settings, turn.place.user_id, turn._
    made, wait = _reached(turn, settings.badges_per_hour, HOUR, user_id=user)
    if made:
        return _.many(
            "You have had {n} badge within the last hour, the most I may give. Try again in {wait}.",
            "You have had {n} badges within the last hour, the most I may give. Try again in {wait}.",
            made,
            wait=wait,
        )
    made, wait = _reached(turn, settings.badges_per_day, DAY, user_id=user)
    if made:
        return _.many(
            "You have had {n} badge within the last day, the most I may give. Try again in {wait}.",
            "You have had {n} badges within the last day, the most I may give. Try again in {wait}.",
            made,
            wait=wait,
        )
    per_chat = 0 if turn.event.private else settings.badges_per_chat_hour
    made, wait = _reached(turn, per_chat, HOUR, chat_id=turn.place.chat_id)
    if made:
        return _.many(
            "This chat has had {n} badge within the last hour, the most I may give."
            " Try again in {wait}, or write to me in private.",
            "This chat has had {n} badges within the last hour, the most I may give."
            " Try again in {wait}, or write to me in private.",
            made,
            wait=wait,
        )
    return ""


def _reached(turn: Turn, limit: int, seconds: float, *, user_id: int = 0, chat_id: int = 0) -> tuple[int, str]:
    """How many badges reach `limit`, and how long until one more may be had; (0, "") below it."""
    if not limit:
        return 0, ""
    connection, now = turn.connection, turn.now
    made = queue.made_since(connection, now - seconds, now, user_id=user_id, chat_id=chat_id)
    if made < limit:
        return 0, ""
    left = queue.seconds_until_free(connection, limit, seconds, now, user_id=user_id, chat_id=chat_id)
    return made, span(turn._, left)


def explain(turn: Turn, error: InvalidRequest) -> str:
    """A refused object or text in the person's words."""
    return turn._("I cannot draw that on a banner. Try other words: letters, digits or emoji, 40 characters at most.")
