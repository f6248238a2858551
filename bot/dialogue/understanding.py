"""From what a person typed to the object in the prompt, in English where the model's text encoder knows no other.

The work is `inference.translation.understand`'s; here its refusals become values, and it is asked in a thread, since a
translation model takes its time.
"""

import asyncio
from collections.abc import Callable

from bot.dialogue.turn import Understood
from configs.sections.translation import TranslationSettings
from inference.errors import InvalidRequest, NotUnderstood
from inference.translation.understand import understand as translate
from inference.types import ModelInfo

Understand = Callable[[str], Understood]


def understander(settings: TranslationSettings, model: ModelInfo) -> Understand:
    """The understanding of objects for the generator that is `model`."""

    def understand(text: str) -> Understood:
        try:
            meant = translate(text, settings, model)
        except NotUnderstood as error:
            return Understood(text, "", near=error.near)
        except InvalidRequest:
            return Understood(text, "")
        return Understood(meant.original, meant.english, alternatives=meant.alternatives[:3])

    return understand


async def understood(understand: Understand, text: str) -> Understood:
    """`understand(text)`; plain ASCII costs nothing, everything else goes to a thread."""
    return understand(text) if text.isascii() else await asyncio.to_thread(understand, text)
