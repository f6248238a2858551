"""The dialogue: "What is the character holding?", "What text goes on the banner?", and on to a badge.

`answer(turn)` decides about one event. Every decision goes into the turn's transaction; nothing is sent from here.
"""

from bot.dialogue import buttons, commands
from bot.dialogue.orders import explain, order
from bot.dialogue.turn import Turn
from bot.store import jobs, people
from bot.store.people import Dialogue
from inference.errors import InvalidRequest


def answer(turn: Turn) -> None:
    """Answer one event."""
    event = turn.event
    if event.kind == "moved":
        people.move_chat(turn.connection, event.place.chat_id, event.moved_to)
        return
    if event.kind == "left":
        turn.outcome.canceled += jobs.abandon_chat(turn.connection, event.place.chat_id, turn.now)
        turn.outcome.left = True
        return
    if not event.addressed:
        return
    if not people.meet(turn.connection, event.place.user_id, event.language) or not _allowed(turn):
        turn.outcome.log = "refused: not allowed"
        if event.kind == "press":
            turn.toast(turn._("This bot is not open to you."))
        elif event.private and event.kind in ("text", "command"):
            turn.say(turn._("This bot is not open to you."))
        return
    if event.kind == "press":
        buttons.press(turn)
    elif event.kind == "command":
        commands.command(turn)
    elif event.kind == "text":
        _text(turn)
    else:
        _not_text(turn)


def expects_object(dialogue: Dialogue | None) -> bool:
    """Whether the next text would be what the samurai holds (and has to be understood first)."""
    return dialogue is not None and dialogue.question == "object"


def _allowed(turn: Turn) -> bool:
    settings, place = turn.house.settings, turn.place
    if not settings.users and not settings.chats:
        return True
    return place.user_id in (*settings.users, *settings.admins) or place.chat_id in settings.chats


def _text(turn: Turn) -> None:
    dialogue = turn.dialogue()
    if dialogue is None:
        turn.say(turn._("To make a badge, press /create. How it works: /help"))
    elif turn.event.text.lstrip().startswith("/"):
        turn.say(
            turn._("That looks like a command, but I do not know it. Write it without the slash, or stop with /cancel.")
        )
    elif dialogue.question == "object":
        _object(turn)
    else:
        _banner_text(turn, dialogue)


def _object(turn: Turn) -> None:
    understood = turn.understood
    if understood is None or not understood.english:
        commands.not_understood(turn)
    else:
        commands.ask_text(turn, understood)


def _banner_text(turn: Turn, dialogue: Dialogue) -> None:
    try:
        if dialogue.question == "new_text":
            earlier = jobs.get(turn.connection, dialogue.job_id)
            if earlier is None:
                people.clear(turn.connection, turn.place)
                turn.say(turn._("That badge is no longer here. Start anew: /create"))
                return
            order(
                turn, earlier.object, earlier.english, turn.event.text,
                style=earlier.style, seed=earlier.seed, origin=f"text:{earlier.id}:{turn.event.message_id}",
            )  # fmt: skip
        else:
            order(turn, dialogue.object, dialogue.english, turn.event.text)
    except InvalidRequest as error:
        turn.outcome.log = "text refused"
        turn.say(explain(turn, error), answer=turn._("What text goes on the banner?"))
        return
    people.clear(turn.connection, turn.place)


def _not_text(turn: Turn) -> None:
    """A photo, sticker, voice message or an edited message."""
    dialogue = turn.dialogue()
    if turn.event.kind == "edited":
        if dialogue is not None:
            turn.say(turn._("I do not see changes in messages. Please send a new one."))
    elif dialogue is None:
        turn.say(turn._("To make a badge, press /create. How it works: /help"))
    elif dialogue.question == "object":
        turn.say(
            turn._("Please say it in words: what is the character holding?"),
            answer=turn._("What is the character holding?"),
        )
    else:
        turn.say(
            turn._("Please write it: what text goes on the banner?"), answer=turn._("What text goes on the banner?")
        )
