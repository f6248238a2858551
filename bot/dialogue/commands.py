"""The commands for everybody: /create /badge /cancel /help. The table of handlers: `routes.ROUTES`."""

from bot.dialogue.characters import ask_again, chosen, settled, things_to_hold
from bot.dialogue.events import Event
from bot.dialogue.orders import blocked, explain, order, refusal
from bot.dialogue.turn import Context, Turn, Understood
from bot.store import jobs, people
from bot.store.outbox import Button
from bot.store.people import Dialogue
from bot.words import things_made
from inference.errors import InvalidRequest

_NEAR_WORDS = 2
"""Words of an object for which similar words are offered. Chosen by hand: in longer phrases the unknown word is seldom
the object itself, and words similar to it would only confuse."""
_DAY = 86400.0


_UNFINISHED = frozenset(
    ["a", "an", "the", "of", "with", "and", "in", "on", "for", "from", "с", "со", "и", "в", "на", "из", "от", "для"]
)
"""Words that cannot end an object: in "flag of NASA" the capitals are not a banner text."""


def words_of_badge(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """The object in `/badge telescope | UX SCOUT`."""
    return _parts(event.text)[0]


def _parts(arguments: str) -> tuple[str, str, bool]:
    """(object, banner text, whether "|" separated them) from the arguments of /badge.

    Without "|", capitals at the end ("lamp UX SCOUT") are taken as a possible banner text.
    """
    thing, bar, text = arguments.partition("|")
    if bar:
        return thing.strip(), text.strip(), True
    words = thing.split()
    first = len(words)
    while first and words[first - 1].isupper() and len(words[first - 1]) > 1:
        first -= 1
    if not 0 < first < len(words) or words[first - 1].lower() in _UNFINISHED:
        return thing.strip(), "", False
    return " ".join(words[:first]), " ".join(words[first:]), False


def create(turn: Turn, text: str = "") -> None:
    """`/create`: ask the first question, unless a limit is reached. `text` is a banner text that was given already."""
    refused = refusal(turn)
    if refused:
        turn.outcome.log = "refused: limit"
        turn.say(refused)
    elif settled(turn, text=text):
        ask_object(turn, text)


def ask_object(turn: Turn, text: str = "") -> None:
    """Ask the first question, with suggestions as buttons; the character is known."""
    things = things_to_hold(turn.event.language, turn.context, turn.preset)
    turn.ask(Dialogue("object", text=text))
    question = turn._("What is the character holding?")
    turn.say(question, buttons=_suggested(things), placeholder=things[0] if things else "…")


def nameless(turn: Turn) -> None:
    """A command sent on behalf of a group or channel: explain, at most once a day, why it is not answered."""
    text = turn._(
        "A badge belongs to a person, and I cannot see who is writing here."
        " Please write as yourself, not as the group or a channel."
    )
    if not people.hinted(turn.connection, turn.place, text, turn.now, _DAY):
        turn.say(text)
    turn.outcome.log = f"a command by a group or a channel, in chat {turn.place.chat_id}"


def _suggested(things: tuple[str, ...], verb: str = "hold") -> tuple[tuple[Button, ...], ...]:
    """Objects as buttons, two in a row."""
    buttons: list[Button] = [(thing, f"{verb}:{number}") for number, thing in enumerate(things)]
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


def take_object(turn: Turn, text: str = "", offered: str = "") -> None:
    """Continue with the object of this turn: order if `text` is known, else ask for it, or for another object.

    `offered` is a possible banner text, shown as a button.
    """
    understood = turn.understood
    if understood is None or not understood.english:
        not_understood(turn, text)
    elif blocked(turn, understood.object, understood.english):
        turn.ask(Dialogue("object", text=text))
    elif understood.doubtful:
        _ask_again(turn, understood, text)
    else:
        go_on(turn, understood, text, offered)


def go_on(turn: Turn, understood: Understood, text: str = "", offered: str = "") -> None:
    """The object is accepted: order the badge, or ask for its text."""
    if not text:
        ask_text(turn, understood, offered)
        return
    try:
        if order(turn, understood.object, understood.english, text):
            people.clear(turn.connection, turn.place)
            if understood.partly:
                turn.say(_told(turn, understood))
    except InvalidRequest as error:
        turn.outcome.log = "text refused"
        turn.ask(Dialogue("text", understood.object, understood.english))
        turn.say(explain(turn, error), placeholder=turn._("What text goes on the banner?"))


def _ask_again(turn: Turn, understood: Understood, text: str) -> None:
    """Ask whether to draw an object that does not look like one."""
    turn.outcome.log = "object doubtful"
    turn.ask(Dialogue("doubt", understood.object, text=text))
    turn.say(
        turn._("«{thing}» does not look like a thing to hold. Name one thing in plain words.", thing=understood.object),
        buttons=(((turn._("🎲 Draw it anyway"), "anyway"),),),
        placeholder=turn._("What is the character holding?"),
    )


def ask_text(turn: Turn, understood: Understood, offered: str = "") -> None:
    """Ask the second question, with the understood object and buttons to correct it, unless it is one plain word."""
    turn.ask(Dialogue("text", understood.object, understood.english, text=offered))
    question, told = turn._("What text goes on the banner?"), _told(turn, understood)
    rows: list[tuple[Button, ...]] = [((_shortened(offered, 40), "take"),)] if offered else []
    if understood.alternatives:
        rows.append(tuple((other, f"meant:{number}") for number, other in enumerate(understood.alternatives)))
    if told:
        rows.append(((turn._("✏️ Not that"), "correct"),))
        question = f"{told}\n{question}"
    turn.say(question, buttons=tuple(rows), placeholder="UX SCOUT")


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _told(turn: Turn, understood: Understood) -> str:
    """A line that says what will be drawn, "" if that is obvious."""
    if understood.partly:
        drawn = understood.drawn(turn._.language)
        return turn._("I can only draw part of that: {thing}", thing=drawn or understood.object)
    return understood.echo(turn._.language)


def not_understood(turn: Turn, text: str = "") -> None:
    """Ask for the object again, with similar words or examples; `text` is kept for the banner."""
    understood = turn.understood
    turn.ask(Dialogue("object", text=text))
    if understood is not None and understood.undrawable:
        _not_drawable(turn, understood, text)
        return
    turn.outcome.log = "object not understood"
    question = turn._("What is the character holding?")
    things = things_to_hold(turn.event.language, turn.context, turn.preset)
    if understood is not None and understood.near and len(understood.object.split()) <= _NEAR_WORDS:
        words = ", ".join(understood.near)
        turn.say(turn._("I did not understand that. Did you mean: {words}? Please write it again.", words=words),
                 placeholder=question)  # fmt: skip
        return
    turn.say(
        turn._(
            "I did not understand what that is. Name one thing in plain words, for example: {examples}",
            examples=", ".join(things),
        ),
        buttons=_suggested(things),
        placeholder=question,
    )


def say_not_understood(turn: Turn) -> None:
    """Say that the object was not understood, without asking for another one here."""
    understood = turn.understood
    near = ", ".join(understood.near) if understood is not None else ""
    if understood is not None and understood.undrawable and near:
        turn.say(turn._("I cannot draw that. The closest things I can draw: {words}", words=near))
    elif near:
        turn.say(turn._("I did not understand that. Did you mean: {words}? Please write it again.", words=near))
    else:
        things = ", ".join(things_to_hold(turn.event.language, turn.context, turn.preset))
        turn.say(turn._("I cannot draw that. Name another thing, for example: {examples}", examples=things))


def _not_drawable(turn: Turn, understood: Understood, text: str) -> None:
    """Ask for another object, with the closest things that the model can draw as buttons."""
    turn.outcome.log = "object not in the vocabulary"
    question = turn._("What is the character holding?")
    if not understood.near:
        things = things_to_hold(turn.event.language, turn.context, turn.preset)
        turn.say(
            turn._("I cannot draw that. Name another thing, for example: {examples}", examples=", ".join(things)),
            buttons=_suggested(things),
            placeholder=question,
        )
        return
    turn.ask(Dialogue("object", "\n".join(understood.near), text=text))
    turn.say(
        turn._("I cannot draw that. The closest things I can draw: {words}", words=", ".join(understood.near)),
        buttons=_suggested(understood.near, "near"),
        placeholder=question,
    )


def cancel(turn: Turn) -> None:
    """`/cancel`: close the dialogue here and cancel every unfinished badge; drawing stops between two steps."""
    had = people.clear(turn.connection, turn.place)
    canceled = jobs.cancel(turn.connection, turn.place.user_id, turn.place.chat_id, turn.now)
    turn.outcome.canceled += canceled
    if had or canceled:
        turn.say(turn._("Canceled. /create when you want a badge."))
    else:
        turn.say(turn._("There is nothing to cancel. /create makes a badge."))


def help_(turn: Turn, for_admins: str) -> None:
    """`/help`: what the bot can do; for admins also their commands."""
    text = turn._(
        "I make {things}: you say what the character holds and what the banner says.\n\n"
        "/create - a new badge\n"
        "/badge telescope | UX SCOUT - the same in one line\n"
        "/history - your last badges\n"
        "/language - the language I answer in\n"
        "/cancel - cancel at any time\n\n"
        "The buttons under a badge draw it again, change its text or banner, and send it as a file or a sticker.\n"
        "In a group, reply to my messages or mention me.",
        things=things_made(turn._, turn.context.settings.welcome),
    )
    if len(turn.context.presets) > 1:
        text += "\n" + turn._("/character - which character the badges of this chat show")
    if turn.admin:
        text += "\n\n" + turn._("For admins: {commands}", commands=for_admins)
    turn.say(text)


def badge(turn: Turn) -> None:
    """`/badge telescope | UX SCOUT`: both answers in one line; asks for what is missing."""
    thing, text, _ = _parts(turn.event.text)
    if refusal(turn) or not thing:
        create(turn, text)
    elif settled(turn, turn.event.text):
        _take_line(turn, turn.event.text)


def _take_line(turn: Turn, line: str) -> None:
    """Continue with an object and a text in one line; without "|" the text is only offered as a button."""
    _, text, bar = _parts(line)
    take_object(turn, text if bar else "", "" if bar else text)


def words_of_character(event: Event, dialogue: Dialogue | None, context: Context) -> str:
    """The object that was given before the character was asked for."""
    return _parts(dialogue.object)[0] if dialogue is not None and dialogue.question == "preset" else ""


def character(turn: Turn) -> None:
    """The character was chosen, by button or by name: continue with what was given before, or ask for the object."""
    dialogue = chosen(turn)
    if dialogue is None and turn.event.kind == "press":
        turn.toast(turn._("That question is closed. Start over: /create"))
    elif dialogue is None:
        ask_again(turn)
    elif dialogue.object:
        _take_line(turn, dialogue.object)
    else:
        ask_object(turn, dialogue.text)
