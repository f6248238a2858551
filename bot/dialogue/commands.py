"""The commands for everybody: /start /create /badge /history /cancel /help. Who answers what: `routes.ROUTES`."""

from bot.dialogue.events import Event
from bot.dialogue.orders import explain, order, refusal
from bot.dialogue.turn import Turn, Understood
from bot.store import jobs, people
from bot.store.outbox import Button, Message
from bot.store.people import Dialogue
from bot.texts import texts_for
from configs.sections.bot import BotSettings
from inference.errors import InvalidRequest

_HISTORY = 10
"""As many as Telegram puts into one album."""
_NEAR_WORDS = 2
"""In longer phrases the word that was not understood is seldom the thing, and words like it would only puzzle."""
_DAY = 86400.0


def words_of_badge(event: Event, dialogue: Dialogue | None, settings: BotSettings) -> str:
    """What stands before the bar in `/badge telescope | UX SCOUT`."""
    return event.text.partition("|")[0].strip()


def things_to_hold(language: str, settings: BotSettings) -> tuple[str, ...]:
    """The suggestions in the person's language."""
    return settings.suggestions_ru if texts_for(language).language == "ru" else settings.suggestions


def create(turn: Turn) -> None:
    """Begin a new badge: the first question, with suggestions as buttons; nobody is asked in vain."""
    refused = refusal(turn)
    if refused:
        turn.outcome.log = "refused: limit"
        turn.say(refused)
        return
    things = things_to_hold(turn.event.language, turn.context.settings)
    turn.ask(Dialogue("object"))
    question = turn._("What is the character holding?")
    turn.say(question, buttons=_suggested(things), placeholder=things[0] if things else "…")


def nameless(turn: Turn) -> None:
    """A command of somebody who writes as the group or as a channel: say once a day why nothing comes of it."""
    text = turn._("A badge belongs to a person, and I cannot see who is writing here. Write under your own name.")
    if not people.hinted(turn.connection, turn.place, text, turn.now, _DAY):
        turn.say(text)
    turn.outcome.log = f"a command by a group or a channel, in chat {turn.place.chat_id}"


def _suggested(things: tuple[str, ...], verb: str = "hold") -> tuple[tuple[Button, ...], ...]:
    """Things to hold as buttons, two in a row."""
    buttons: list[Button] = [(thing, f"{verb}:{number}") for number, thing in enumerate(things)]
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))


def ask_text(turn: Turn, understood: Understood) -> None:
    """The second question; where the object was translated, with what was understood and ways to correct it."""
    turn.ask(Dialogue("text", understood.object, understood.english))
    question, told = turn._("What text goes on the banner?"), _told(turn, understood)
    if not told:
        turn.say(question, placeholder="UX SCOUT")
        return
    others = tuple((other, f"meant:{number}") for number, other in enumerate(understood.alternatives))
    buttons = (*((others,) if others else ()), ((turn._("✏️ Not that"), "correct"),))
    turn.say(f"{told}\n{question}", buttons=buttons, placeholder="UX SCOUT")


def _told(turn: Turn, understood: Understood) -> str:
    """What is drawn, where that is not what the person said; "" where it is."""
    drawn = understood.drawn(turn._.language)
    if understood.partly:
        return turn._("I can only draw a part of that: {thing}", thing=drawn or understood.object)
    return f"{understood.object} → {drawn}" if drawn else ""


def not_understood(turn: Turn) -> None:
    """Ask for the object again, with words that may have been meant, or examples."""
    understood = turn.understood
    if understood is not None and understood.undrawable:
        _not_drawable(turn, understood)
        return
    turn.outcome.log = "object not understood"
    question = turn._("What is the character holding?")
    things = things_to_hold(turn.event.language, turn.context.settings)
    if understood is not None and understood.near and len(understood.object.split()) <= _NEAR_WORDS:
        words = ", ".join(understood.near)
        turn.say(turn._("I did not understand that. Perhaps: {words}? Please write it again.", words=words),
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


def _not_drawable(turn: Turn, understood: Understood) -> None:
    """Ask for another object, with the nearest things that the model can draw as buttons."""
    turn.outcome.log = "object not in the vocabulary"
    question = turn._("What is the character holding?")
    if not understood.near:
        things = things_to_hold(turn.event.language, turn.context.settings)
        turn.say(
            turn._("I cannot draw that. Name another thing, for example: {examples}", examples=", ".join(things)),
            buttons=_suggested(things),
            placeholder=question,
        )
        return
    turn.ask(Dialogue("object", "\n".join(understood.near)))
    turn.say(
        turn._("I cannot draw that. The nearest I can draw: {words}", words=", ".join(understood.near)),
        buttons=_suggested(understood.near, "near"),
        placeholder=question,
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


def help_(turn: Turn, for_admins: str) -> None:
    """What the bot can do; admins are told of their commands too."""
    text = turn._(
        "I make samurai badges: you say what the samurai holds and what the banner says.\n\n"
        "/create - a new badge\n"
        "/badge telescope | UX SCOUT - the same in one line\n"
        "/history - your last badges\n"
        "/cancel - stop, at any moment\n\n"
        "The buttons under a badge draw it again, change its text or banner, and give it as a file or a sticker.\n"
        "In a group, answer my messages or mention me."
    )
    if turn.admin:
        text += "\n\n" + turn._("For admins: {commands}", commands=for_admins)
    turn.say(text)


def badge(turn: Turn) -> None:
    """`/badge telescope | UX SCOUT`: both answers in one line. A missing text is asked for."""
    thing, _bar, text = turn.event.text.partition("|")
    if refusal(turn) or not thing.strip():
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
            if understood.partly:
                turn.say(_told(turn, understood))
    except InvalidRequest as error:
        turn.say(explain(turn, error))


def history(turn: Turn) -> None:
    """The last badges once more, by the ids that Telegram knows them by: nothing is drawn, nothing uploaded."""
    made = jobs.history(turn.connection, turn.place.user_id, turn.place.chat_id, _HISTORY)
    if not made:
        turn.say(turn._("You have no badges here yet. /create makes one."))
        return
    kind = "photo" if len(made) == 1 else "album"
    files, numbers = tuple(job.photo_id for job in made), tuple(job.id for job in made)
    turn.send(Message(kind, turn._("Your last badges"), files=files, jobs=numbers))
