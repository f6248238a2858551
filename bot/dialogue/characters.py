"""The character of a badge if the settings have several `[presets.*]`: asked first, unless the chat has its own.

With one preset it is that one; with none, the character of the main settings.
"""

import sqlite3
from collections.abc import Mapping

from bot.dialogue.turn import Context, Turn
from bot.store import people
from bot.store.outbox import Button
from bot.store.people import Dialogue
from bot.texts import texts_for
from configs.sections.presets import PresetSettings

Rows = tuple[tuple[Button, ...], ...]


def title(name: str, preset: PresetSettings, language: str) -> str:
    """A preset's title in a language."""
    return (preset.title_ru if texts_for(language).language == "ru" else "") or preset.title or name


def usual(connection: sqlite3.Connection, chat_id: int, presets: Mapping[str, PresetSettings]) -> str | None:
    """The preset of a chat's badges; None if the person has to be asked."""
    if len(presets) < 2:
        return next(iter(presets), "")
    kept = people.fact(connection, people.usual_preset(chat_id))
    return kept if kept in presets else None


def settled(turn: Turn, words: str = "", text: str = "") -> bool:
    """Whether the character is known; if not, ask for it and keep `words` and `text` for later."""
    if turn.preset is None:
        turn.preset = usual(turn.connection, turn.place.chat_id, turn.context.presets)
    if turn.preset is not None:
        return True
    turn.ask(Dialogue("preset", words, text=text))
    turn.say(turn._("Which character?"), buttons=_buttons(turn, "character"))
    return False


def chosen(turn: Turn) -> Dialogue | None:
    """The dialogue to continue with the pressed or typed character; None if it names no character."""
    dialogue = turn.dialogue()
    if dialogue is None or dialogue.question != "preset":
        return None
    names = list(turn.context.presets)
    if turn.event.kind == "press":
        number = turn.number
    else:
        said = turn.event.text.strip().casefold()
        every = turn.context.presets.items()
        number = next((at for at, (name, preset) in enumerate(every) if said in _called(name, preset)), None)
    if number is None or number >= len(names):
        return None
    turn.preset = names[number]
    return dialogue


def ask_again(turn: Turn) -> None:
    """The answer named no character: repeat the question."""
    turn.hint(turn._("Press the button of the character you want."), buttons=_buttons(turn, "character"))


def usual_here(turn: Turn) -> None:
    """`/character`: set the character of this chat's badges; in groups only admins may."""
    if len(turn.context.presets) < 2:
        turn.say(turn._("There is only one character here. /create makes a badge."))
    elif not _may(turn):
        turn.say(turn._("Only admins can choose the character for a group."))
    else:
        every: Button = (turn._("Ask each time"), f"usual:{len(turn.context.presets)}")
        turn.say(turn._("Which character for this chat?"), buttons=(*_buttons(turn, "usual"), (every,)))


def choose_usual(turn: Turn) -> None:
    """A button of /character."""
    names = list(turn.context.presets)
    if turn.number is None or turn.number > len(names) or not _may(turn):
        turn.too_old()
        return
    name = names[turn.number] if turn.number < len(names) else ""
    people.set_fact(turn.connection, people.usual_preset(turn.place.chat_id), name)
    if name:
        turn.toast(title(name, turn.context.presets[name], turn.event.language))
    else:
        turn.toast(turn._("I will ask each time."))


def things_to_hold(language: str, context: Context, preset: str | None) -> tuple[str, ...]:
    """A preset's suggestions in the person's language, or those of `[bot]`."""
    russian = texts_for(language).language == "ru"
    own = context.presets.get(preset or "")
    things = (own.suggestions_ru if russian else own.suggestions) if own is not None else ()
    return things or (context.settings.suggestions_ru if russian else context.settings.suggestions)


def _may(turn: Turn) -> bool:
    return turn.event.private or turn.admin


def _called(name: str, preset: PresetSettings) -> set[str]:
    return {each.casefold() for each in (name, preset.title, preset.title_ru) if each}


def _buttons(turn: Turn, verb: str) -> Rows:
    """The characters, two in a row."""
    buttons: list[Button] = [
        (title(name, preset, turn.event.language), f"{verb}:{number}")
        for number, (name, preset) in enumerate(turn.context.presets.items())
    ]
    return tuple(tuple(buttons[at : at + 2]) for at in range(0, len(buttons), 2))
