"""The answers to the two questions "What is the character holding?" and "What text goes on the banner?".

A handler gets whatever was sent while its question was open: a text, or a photo, sticker or voice message.
"""

from collections.abc import Callable

from bot.dialogue import commands
from bot.dialogue.characters import settled
from bot.dialogue.events import Event
from bot.dialogue.orders import explain, order, refusal
from bot.dialogue.turn import Context, Turn
from bot.store import inbox, jobs, people
from bot.store.people import Dialogue
from inference.errors import InvalidRequest


def whole_text(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """The whole text is the object."""
    return event.text


_MOST_WORDS = 6  # chosen by hand: longer texts are conversation rather than the name of an object

_TALK_EN = "hi hello hey thanks thx ok okay yes no cool nice great wow lol test start stop help bye please"
_TALK_RU = "привет здравствуйте спасибо спс ок окей да нет ага круто класс супер хорошо пока тест старт стоп помощь ура"
_TALK = frozenset(f"{_TALK_EN} {_TALK_RU}".split())
"""Words that people say to a bot without ordering an object; as the answer to /create they are one."""


def perhaps_object(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """A text sent in private without an open question, if it may name an object."""
    # Digits and newlines suggest a pasted list: taken in turn as objects and texts, its lines would become badges.
    if (
        not event.private
        or any(map(str.isdigit, event.text))
        or "\n" in event.text.strip()
        or len(event.text.split()) > _MOST_WORDS
    ):
        return ""
    words = event.text.casefold().strip(" .,!?)(")
    return "" if words.startswith("/") or words.split(" ")[0].strip(",!.") in _TALK else event.text


def nothing_asked(turn: Turn) -> None:
    """A message without an open question: in private the name of an object starts a badge."""
    understood = turn.understood
    alone = not inbox.others_wait(turn.connection, turn.event.update_id, turn.place.user_id)
    if understood is not None and turn.event.kind == "text" and not understood.doubtful and alone:
        nearly = understood.near and len(understood.object.split()) == 1
        if understood.english or nearly:
            refused = refusal(turn)
            if refused:
                turn.outcome.log = "refused: limit"
                turn.hint(refused)
            elif settled(turn, turn.event.text):
                commands.take_object(turn)
            return
    turn.hint(turn._("To make a badge, press /create. How it works: /help"))


def object_(turn: Turn) -> None:
    """The answer to the first question."""
    if turn.event.kind != "text":
        turn.hint(
            turn._("Please say it in words: what is the character holding?"),
            placeholder=turn._("What is the character holding?"),
        )
    elif _looks_like_command(turn):
        return
    else:
        dialogue = turn.dialogue()
        commands.take_object(turn, dialogue.text if dialogue is not None else "")


def text(turn: Turn) -> None:
    """The answer to the second question."""
    dialogue = turn.dialogue()
    if dialogue is not None and _is_banner_text(turn):
        _order(turn, lambda: order(turn, dialogue.object, dialogue.english, turn.event.text))


def new_text(turn: Turn) -> None:
    """The new banner text of an earlier badge."""
    dialogue = turn.dialogue()
    if dialogue is None or not _is_banner_text(turn):
        return
    earlier = jobs.get(turn.connection, dialogue.job_id)
    if earlier is None:
        people.clear(turn.connection, turn.place)
        turn.say(turn._("That badge is no longer available. Start over: /create"))
        return
    origin = f"text:{earlier.id}:{turn.event.message_id}"
    _order(
        turn,
        lambda: order(
            turn, earlier.object, earlier.english, turn.event.text, style=earlier.style, seed=earlier.seed,
            origin=origin, portrait_of=earlier,
        ),
    )  # fmt: skip


def _order(turn: Turn, make: Callable[[], bool]) -> None:
    """Order a badge, and close the question only if it was accepted: else the earlier answers are kept."""
    try:
        if make():
            people.clear(turn.connection, turn.place)
    except InvalidRequest as error:
        turn.outcome.log = "text refused"
        turn.say(explain(turn, error), placeholder=turn._("What text goes on the banner?"))


def _is_banner_text(turn: Turn) -> bool:
    """Whether the event is a text for the banner; if not, the person is told what to send."""
    if turn.event.kind == "text":
        return not _looks_like_command(turn)
    turn.hint(
        turn._("Please write it: what text goes on the banner?"), placeholder=turn._("What text goes on the banner?")
    )
    return False


def _looks_like_command(turn: Turn) -> bool:
    if not turn.event.text.lstrip().startswith("/"):
        return False
    turn.hint(
        turn._("That looks like a command, but I do not know it. Write it without the slash, or stop with /cancel.")
    )
    return True
