"""From what a person typed to the object in the prompt, in English where the model's text encoder knows no other.

The work is `inference.translation.understand`'s; here its refusals become values, and it is asked in a thread, since a
translation model takes its time.
"""

import asyncio
from collections.abc import Callable

from bot.dialogue.turn import Understood
from configs.sections.bot import BotSettings
from configs.sections.translation import TranslationSettings
from inference.errors import InvalidRequest, NotUnderstood, UnknownThing
from inference.translation.understand import understand as translate
from inference.translation.understand import vocabulary_of
from inference.types import ModelInfo

Understand = Callable[[str], Understood]


def understander(settings: TranslationSettings, model: ModelInfo) -> Understand:
    """The understanding of objects for the generator that is `model`."""

    def understand(text: str) -> Understood:
        try:
            meant = translate(text, settings, model)
        except NotUnderstood as error:
            return Understood(text, "", near=error.near, undrawable=isinstance(error, UnknownThing))
        except InvalidRequest:
            return Understood(text, "")
        return Understood(
            meant.original, meant.english, alternatives=meant.alternatives[:3], partly=meant.partly,
            russian=meant.russian,
        )  # fmt: skip

    return understand


def with_drawable_suggestions(settings: BotSettings, translation: TranslationSettings, model: ModelInfo) -> BotSettings:
    """`settings` whose suggestions `model` can draw: those that it knows, made up to as many from its vocabulary."""
    vocabulary = vocabulary_of(model)
    if vocabulary is None:
        return settings
    understand = understander(translation, model)

    def known(thing: str) -> bool:
        meant = understand(thing)
        return bool(meant.english) and not meant.partly

    def drawable(things: tuple[str, ...], names: list[str]) -> tuple[str, ...]:
        kept = [thing for thing in things if known(thing)]
        return tuple(dict.fromkeys([*kept, *names]))[: len(things)]

    first = {thing.kind: thing for thing in reversed(vocabulary.things.values())}.values()  # one of each kind
    return settings.model_copy(
        update={
            "suggestions": drawable(settings.suggestions, [thing.name for thing in first]),
            "suggestions_ru": drawable(settings.suggestions_ru, [thing.russian for thing in first]),
        }
    )


async def understood(understand: Understand, text: str) -> Understood:
    """`understand(text)` in a thread: a first unknown word loads a dictionary, and answers to others do not wait."""
    return await asyncio.to_thread(understand, text)
