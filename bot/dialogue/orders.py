"""Accepting a badge: limits, queue position, the job and its status message."""

from bot.dialogue.turn import Turn
from bot.keyboards import under_status
from bot.store import jobs, people, queue
from bot.store.jobs import Job
from bot.store.outbox import Message
from bot.words import span, status_text
from inference.errors import InvalidRequest
from overlay import MAX_GRAPHEMES, NotDrawable, TextTooLong

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
    portrait_of: Job | None = None,
) -> bool:
    """Store a job and its status message; False if it was refused, which the person has been told.

    `portrait_of` is the delivered badge whose portrait gets another banner.
    Raises InvalidRequest if the object, the text or the style cannot be used.
    """
    if blocked(turn, thing, english, text):
        return False
    preset = turn.preset or ""
    if preset not in turn.context.banners:
        people.clear(turn.connection, turn.place)
        turn.say(turn._("That character is no longer available. Start over: /create"))
        return False
    style = style or turn.context.banners[preset]
    text = turn.context.check(english, text, style)
    drawn = portrait_of is not None and portrait_of.state == "delivered" and turn.context.keeps_portraits
    refused = refusal(turn, drawn=drawn)
    if refused:
        turn.say(refused)
        turn.outcome.log = "refused: limit"
        return False
    if seed is None:
        seed = queue.similar(turn.connection, english, preset) if turn.context.settings.share_portraits else None
    if seed is None:
        seed = turn.context.new_seed()
    reply_to = turn.event.message_id
    place, language = turn.place, turn.event.language
    job = Job(
        0, place.user_id, place.chat_id, place.thread_id, reply_to, language, thing, english, text, style, seed, origin,
        preset,
    )  # fmt: skip
    job_id = jobs.add(turn.connection, job, turn.now)
    ahead = queue.ahead_of(queue.places(turn.connection)[job_id], queue.drawing(turn.connection), turn.context.parallel)
    paused = bool(people.fact(turn.connection, "paused"))
    shown = status_text(turn._, place=ahead, seconds=wait_seconds(turn, ahead), paused=paused)
    turn.send(Message("status", shown, reply_to=reply_to, buttons=under_status(turn._, job_id)), job_id)
    turn.outcome.queue_changed = True
    turn.outcome.log = f"accepted: job {job_id}"
    return True


def blocked(turn: Turn, *words: str) -> bool:
    """Whether a word is on a blocked list, which the person is then told; the words are not logged."""
    if not any(map(turn.context.blocked, words)):
        return False
    turn.outcome.log = "refused: blocked words"
    turn.say(turn._("I will not draw that. Please choose other words."))
    return True


def wait_seconds(turn: Turn, ahead: int) -> float:
    """Expected seconds until a job with `ahead` jobs before it starts, from the measured times."""
    return ahead * queue.seconds_a_badge(turn.connection) / max(1, turn.context.parallel)


def refusal(turn: Turn, *, drawn: bool = False) -> str:
    """The message why this person cannot order a badge now; "" if they can.

    A badge whose portrait is `drawn` already needs no drawing, so the hourly and daily limits do not apply to it. If it
    has to be drawn after all (the portrait was evicted from the cache), it counts afterwards.
    """
    settings, connection, _ = turn.context.settings, turn.connection, turn._
    if not turn.admin and not drawn:
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
            "{n} badge is waiting, which takes about {wait}, and the queue is full. Try again a little later.",
            "{n} badges are waiting, which takes about {wait}, and the queue is full. Try again a little later.",
            waiting,
            wait=span(_, wait_seconds(turn, waiting)),
        )
    return ""


def _over_limit(turn: Turn) -> str:
    """The message about the hourly or daily limit that this person or chat has reached; "" if none."""
    settings, user, _ = turn.context.settings, turn.place.user_id, turn._
    made, wait = _reached(turn, settings.badges_per_hour, HOUR, user_id=user)
    if made:
        return _.many(
            "You have had {n} badge in the last hour, which is the limit. Try again in {wait}.",
            "You have had {n} badges in the last hour, which is the limit. Try again in {wait}.",
            made,
            wait=wait,
        )
    made, wait = _reached(turn, settings.badges_per_day, DAY, user_id=user)
    if made:
        return _.many(
            "You have had {n} badge in the last day, which is the limit. Try again in {wait}.",
            "You have had {n} badges in the last day, which is the limit. Try again in {wait}.",
            made,
            wait=wait,
        )
    per_chat = 0 if turn.event.private else settings.badges_per_chat_hour
    made, wait = _reached(turn, per_chat, HOUR, chat_id=turn.place.chat_id)
    if made:
        return _.many(
            "This chat has had {n} badge in the last hour, which is the limit."
            " Try again in {wait}, or write to me in private.",
            "This chat has had {n} badges in the last hour, which is the limit."
            " Try again in {wait}, or write to me in private.",
            made,
            wait=wait,
        )
    return ""


def _reached(turn: Turn, limit: int, seconds: float, *, user_id: int = 0, chat_id: int = 0) -> tuple[int, str]:
    """(badges made, time until the next is allowed) if `limit` is reached, else (0, "")."""
    if not limit:
        return 0, ""
    connection, now = turn.connection, turn.now
    made = queue.made_since(connection, now - seconds, now, user_id=user_id, chat_id=chat_id)
    if made < limit:
        return 0, ""
    left = queue.seconds_until_free(connection, limit, seconds, now, user_id=user_id, chat_id=chat_id)
    return made, span(turn._, left)


def explain(turn: Turn, error: InvalidRequest) -> str:
    """Why a banner text was refused, as a message for the person."""
    cause = error.__cause__
    if isinstance(cause, TextTooLong):
        return turn._("That is too long for a banner: at most {n} characters. Please shorten it.", n=MAX_GRAPHEMES)
    if isinstance(cause, NotDrawable) and cause.characters:
        return turn._(
            "I cannot draw these characters: {characters}. Please leave them out.", characters=cause.characters
        )
    return turn._("I cannot draw that on a banner. Try other words: letters, digits or emoji.")
