"""Translates what a person typed to the object in the prompt, in English if the model's text encoder needs that.

Uses `inference.translation.understand`; its errors become values here, and it runs in a thread, since a translation
model is slow.
"""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from bot.dialogue.turn import Understood
from configs.sections.bot import BotSettings
from configs.sections.presets import PresetSettings
from configs.sections.translation import TranslationSettings
from inference.errors import InvalidRequest, NotUnderstood, UnknownThing
from inference.translation.plausible import is_link, known_words, looks_like_words
from inference.translation.understand import understand as translate
from inference.translation.understand import vocabulary_of
from inference.types import ModelInfo

Understand = Callable[[str], Understood]


def understander(settings: TranslationSettings, model: ModelInfo) -> Understand:
    """A function that translates objects for `model`."""

    def understand(text: str) -> Understood:
        try:
            meant = translate(text, settings, model)
        except NotUnderstood as error:
            return Understood(text, "", near=error.near, undrawable=isinstance(error, UnknownThing))
        except InvalidRequest:
            return Understood(text, "")
        return Understood(
            meant.original, meant.english, alternatives=meant.alternatives[:3], partly=meant.partly,
            russian=meant.russian, doubtful=_doubtful(text, meant.how == "as is"),
            plain=meant.how == "vocabulary" or _plain(meant.english),
        )  # fmt: skip

    return understand


def _doubtful(text: str, as_it_is: bool) -> bool:
    """Whether `text` is unlikely to name an object; words that were found in a dictionary are never doubtful."""
    lines = [line for line in text.splitlines() if line.strip()]
    return len(lines) > 1 or is_link(text) or (as_it_is and not looks_like_words(text))


def _plain(english: str) -> bool:
    """Whether this is one everyday word, which need not be repeated to the person."""
    words = english.lower().removeprefix("a ").removeprefix("an ").removeprefix("the ").split()
    return len(words) == 1 and words[0] in known_words()


_Suggesting = TypeVar("_Suggesting", BotSettings, PresetSettings)


def with_drawable_suggestions(settings: _Suggesting, translation: TranslationSettings, model: ModelInfo) -> _Suggesting:
    """`settings` whose suggestions `model` can draw: those that it knows, made up to as many from its vocabulary."""
    vocabulary = vocabulary_of(model)
    if vocabulary is None:
        return settings
    understand = understander(translation, model)
    first = {thing.kind: thing for thing in reversed(vocabulary.things.values())}.values()  # one of each kind
    return settings.model_copy(
        update={
            "suggestions": _drawable(settings.suggestions, [thing.name for thing in first], understand),
            "suggestions_ru": _drawable(settings.suggestions_ru, [thing.russian for thing in first], understand),
        }
    )


def _drawable(things: tuple[str, ...], names: list[str], understand: Understand) -> tuple[str, ...]:
    meant = {thing: understand(thing) for thing in things}
    kept = [thing for thing in things if meant[thing].english and not meant[thing].partly]
    return tuple(dict.fromkeys([*kept, *names]))[: len(things)]


async def understood(understand: Understand, text: str) -> Understood:
    """`understand(text)` in a thread: a first unknown word loads a dictionary, and answers to others do not wait."""
    return await asyncio.to_thread(understand, text)
