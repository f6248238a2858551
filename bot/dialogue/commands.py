"""The commands: /start /create /cancel /help /history /badge for everybody, /stats /pause /resume /ban for admins."""

from collections.abc import Callable

from bot.dialogue.orders import explain, order
from bot.dialogue.turn import Turn, Understood
from bot.store import jobs, people, queue
from bot.store.outbox import Button, Message
from bot.store.people import Dialogue
from bot.words import state_name
from inference.errors import InvalidRequest

_HISTORY = 10
_NEAR_WORDS = 2
"""In longer phrases the word that was not understood is seldom the thing, and words like it would only puzzle."""


def command(turn: Turn) -> None:
    """Answer a command. Only admins learn that the admins' commands exist."""
    name = turn.event.command
    turn.outcome.log = f"/{name}"
    handler = COMMANDS.get(name)
    if handler is None and turn.place.user_id in turn.house.settings.admins:
        handler = ADMIN_COMMANDS.get(name)
    if handler is not None:
        handler(turn)
    else:
        turn.say(turn._("I do not know that command. What I can do: /help"))


def suggestions(turn: Turn) -> tuple[str, ...]:
    """Things to hold, in the person's language."""
    settings = turn.house.settings
    return settings.suggestions_ru if turn._.language == "ru" else settings.suggestions


def create(turn: Turn) -> None:
    """Begin a new badge: the first question, with suggestions as buttons."""
    things = suggestions(turn)
    turn.ask(Dialogue("object"))
    question = turn._("What is the character holding?")
    turn.say(question, buttons=_suggested(things), answer=things[0] if things else "…")


def _suggested(things: tuple[str, ...]) -> tuple[tuple[Button, ...], ...]:
    """Things to hold as buttons, two in a row."""
    buttons: list[Button] = [(thing, f"hold:{number}") for number, thing in enumerate(things)]
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


def ask_text(turn: Turn, understood: Understood) -> None:
    """The second question; where the object was translated, with what was understood and ways to correct it."""
    turn.ask(Dialogue("text", understood.object, understood.english))
    question = turn._("What text goes on the banner?")
    if not understood.translated:
        turn.say(question, answer="UX SCOUT")
        return
    others = tuple((other, f"meant:{number}") for number, other in enumerate(understood.alternatives))
    buttons = (*((others,) if others else ()), ((turn._("✏️ Not that"), "correct"),))
    turn.say(f"{understood.object} → {understood.english}\n{question}", buttons=buttons, answer="UX SCOUT")


def not_understood(turn: Turn) -> None:
    """Ask for the object again, with words that may have been meant, or examples."""
    turn.outcome.log = "object not understood"
    understood = turn.understood
    question, things = turn._("What is the character holding?"), suggestions(turn)
    if understood is not None and understood.near and len(understood.object.split()) <= _NEAR_WORDS:
        words = ", ".join(understood.near)
        turn.say(turn._("I did not understand that. Perhaps: {words}? Please write it again.", words=words),
                 answer=question)  # fmt: skip
        return
    turn.say(
        turn._(
            "I did not understand what that is. Name one thing in plain words, for example: {examples}",
            examples=", ".join(things),
        ),
        buttons=_suggested(things),
        answer=question,
    )


def cancel(turn: Turn) -> None:
    """End the dialogue here and every badge that is not drawn yet; the drawing stops between two steps."""
    had = people.clear(turn.connection, turn.place)
    canceled = jobs.cancel(turn.connection, turn.place.user_id, turn.place.chat_id, turn.now)
    turn.outcome.canceled += canceled
    if had or canceled:
        turn.say(turn._("Canceled. /create when you want a badge."))
    else:
        turn.say(turn._("There is nothing to cancel. /create makes a badge."))


def help_(turn: Turn) -> None:
    """What the bot can do."""
    text = turn._(
        "I make samurai badges: you say what the samurai holds and what the banner says.\n\n"
        "/create - a new badge\n"
        "/badge telescope | UX SCOUT - the same in one line\n"
        "/history - your last badges\n"
        "/cancel - stop, at any moment\n\n"
        "The buttons under a badge draw it again, change its text or banner, and give it as a file or a sticker.\n"
        "In a group, answer my messages or mention me."
    )
    if turn.place.user_id in turn.house.settings.admins:
        text += "\n\n" + turn._("For admins: {commands}", commands=" ".join(f"/{name}" for name in ADMIN_COMMANDS))
    turn.say(text)


def badge(turn: Turn) -> None:
    """`/badge telescope | UX SCOUT`: both answers in one line. A missing text is asked for."""
    thing, _bar, text = turn.event.text.partition("|")
    if not thing.strip():
        create(turn)
        return
    understood = turn.understood
    if understood is None or not understood.english:
        turn.ask(Dialogue("object"))
        not_understood(turn)
        return
    if not text.strip():
        ask_text(turn, understood)
        return
    try:
        if order(turn, understood.object, understood.english, text):
            people.clear(turn.connection, turn.place)
    except InvalidRequest as error:
        turn.say(explain(turn, error))


def history(turn: Turn) -> None:
    """The last badges once more, by the ids that Telegram knows them by: nothing is drawn, nothing uploaded."""
    made = jobs.history(turn.connection, turn.place.user_id, turn.place.chat_id, _HISTORY)
    if not made:
        turn.say(turn._("You have no badges here yet. /create makes one."))
        return
    files = tuple(job.photo_id for job in made)
    turn.send(Message("photo" if len(files) == 1 else "album", turn._("Your last badges"), files=files))


def stats(turn: Turn) -> None:
    """Numbers for admins."""
    totals = queue.totals(turn.connection, turn.now)
    day = ", ".join(f"{state_name(turn._, state)} {count}" for state, count in sorted(totals.day.items())) or "0"
    lines = [
        turn._("Waiting: {waiting}, being drawn: {drawing}, people: {people}",
               waiting=totals.waiting, drawing=totals.drawing, people=totals.people),
        turn._("Last 24 hours: {day}", day=day),
        turn._("Seconds a badge: portrait {draw:.1f}, banner {banner:.1f}, sending {send:.1f}",
               draw=totals.draw_seconds, banner=totals.banner_seconds, send=totals.send_seconds),
        turn._("Cost: ${cost:.2f}", cost=totals.cost_usd),
    ]  # fmt: skip
    if people.fact(turn.connection, "paused"):
        lines.append(turn._("Drawing is paused: /resume"))
    turn.say("\n".join(lines))


def pause(turn: Turn) -> None:
    """Draw nothing new until /resume; badges are still accepted."""
    people.set_fact(turn.connection, "paused", "yes")
    turn.outcome.queue_changed = True
    turn.say(turn._("Paused. What is being drawn is finished, the rest waits. To go on: /resume"))


def resume(turn: Turn) -> None:
    """Draw again."""
    people.set_fact(turn.connection, "paused", "")
    turn.outcome.queue_changed = True
    turn.say(turn._("Drawing again."))


def ban(turn: Turn) -> None:
    """`/ban 123`: that person is no longer answered, and what they wait for is canceled."""
    _set_banned(turn, True)


def unban(turn: Turn) -> None:
    """`/unban 123`: takes a ban back."""
    _set_banned(turn, False)


def _set_banned(turn: Turn, banned: bool) -> None:
    number = turn.event.text.strip()
    if not number.isascii() or not number.isdigit() or len(number) > 18:
        turn.say(turn._("Write the person's number after the command, for example: /ban 123456"))
        return
    people.ban(turn.connection, int(number), banned)
    if banned:
        turn.outcome.canceled += jobs.cancel_person(turn.connection, int(number), turn.now)
    turn.say(
        turn._("Banned: {number}", number=number) if banned else turn._("No longer banned: {number}", number=number)
    )


COMMANDS: dict[str, Callable[[Turn], None]] = {
    "start": create,
    "create": create,
    "cancel": cancel,
    "help": help_,
    "history": history,
    "badge": badge,
}
ADMIN_COMMANDS: dict[str, Callable[[Turn], None]] = {
    "stats": stats,
    "pause": pause,
    "resume": resume,
    "ban": ban,
    "unban": unban,
}
