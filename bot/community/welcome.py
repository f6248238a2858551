"""/start greets a person once, with an example badge; /language sets the language in which they are answered."""

from bot.community.examples import example_for
from bot.dialogue.commands import create
from bot.dialogue.turn import Turn
from bot.store import people
from bot.store.outbox import Message
from bot.texts import LANGUAGES, texts_for
from bot.words import greeting

_AS_TELEGRAM = "auto"


def start(turn: Turn) -> None:
    """`/start`: greet the person the first time, in private chats only, then ask the first question like /create."""
    if turn.event.private and people.welcome(turn.connection, turn.place.user_id, turn.now):
        settings = turn.context.settings.welcome
        example = example_for(settings, turn.place.user_id)
        if example is None:
            turn.say(greeting(turn._, settings))
        else:
            known = people.fact(turn.connection, example.fact)
            turn.send(Message("welcome", greeting(turn._, settings), files=(known,) if known else ()))
    create(turn)


def language(turn: Turn) -> None:
    """`/language`: offer the languages as buttons, each by its own name."""
    rows = [((_name(code), f"language:0:{code}"),) for code in LANGUAGES]
    rows.append(((turn._("As in my Telegram"), f"language:0:{_AS_TELEGRAM}"),))
    turn.say(turn._("Which language should I answer in?"), buttons=tuple(rows))


def choose_language(turn: Turn) -> None:
    """The button of a language; the toast is already in that language."""
    if turn.word not in (*LANGUAGES, _AS_TELEGRAM):
        turn.too_old()
        return
    chosen = "" if turn.word == _AS_TELEGRAM else turn.word
    people.choose_language(turn.connection, turn.place.user_id, chosen)
    turn.toast(texts_for(people.language(turn.connection, turn.place.user_id))("I answer in English now."))


def _name(code: str) -> str:
    return {"en": "English", "ru": "Русский"}.get(code, code)
