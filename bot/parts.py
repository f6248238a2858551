"""The sections of the settings that a bot needs, and what follows from them for its dialogue."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from bot.clock import Clock
from bot.community.blocked_words import blocked_by
from bot.dialogue.turn import Context
from bot.dialogue.understanding import with_drawable_suggestions
from bot.errors import StartError
from configs.sections.bot import BotSettings
from configs.sections.presets import PresetSettings
from configs.sections.translation import TranslationSettings
from configs.settings import Settings
from inference.badge import Look, checked, look_of
from inference.generator import Generator
from inference.types import MAX_SEED, BadgeRequest, ModelInfo
from inference.wrappers.filtering import FilteredGenerator, PictureFilter
from overlay import style_names


@dataclass(frozen=True)
class Parts:
    """Each part of the bot is handed its own section of this; `data_dir` is where the bot keeps its state."""

    data_dir: Path
    bot: BotSettings
    translation: TranslationSettings
    keeps_portraits: bool
    looks: dict[str, Look]
    """How each character is drawn; "" is the settings' own."""
    presets: dict[str, PresetSettings]
    hub_token: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "Parts":
        """What a bot needs of all settings."""
        keeps_portraits = settings.generator.portrait_cache_mb > 0
        looks = {name: look_of(settings, name) for name in ("", *settings.presets)}
        return cls(
            settings.data_dir, settings.bot, settings.translation, keeps_portraits, looks, settings.presets,
            settings.secrets.hf_token.get_secret_value(),
        )  # fmt: skip

    def with_drawable_suggestions(self, model: ModelInfo) -> "Parts":
        """With suggestions that the generator that is `model` can draw."""
        bot = with_drawable_suggestions(self.bot, self.translation, model)
        presets = {
            name: with_drawable_suggestions(preset, self.translation, model) for name, preset in self.presets.items()
        }
        return replace(self, bot=bot, presets=presets)

    def context(self, clock: Clock, parallel: int) -> Context:
        """What all turns of the dialogue share; `parallel` badges are drawn at a time."""

        def check(thing: str, text: str, style: str) -> str:
            return checked(BadgeRequest(thing, text, style=style), self.looks[""].banner).text

        return Context(
            self.bot,
            clock,
            tuple(style_names()),
            {name: look.banner.style for name, look in self.looks.items()},
            self.presets,
            check,
            lambda: secrets.randbelow(MAX_SEED + 1),
            parallel,
            self.keeps_portraits,
            _blocked(self.bot),
        )


def filtered(generator: Generator, settings: BotSettings, hub_token: str) -> Generator:
    """`generator` behind the picture filter, where there is one."""
    if not settings.picture_filter:
        return generator
    pictures = PictureFilter(settings.picture_filter, settings.picture_labels, hub_token)
    return FilteredGenerator(generator, pictures, settings.picture_threshold)


def _blocked(settings: BotSettings) -> Callable[[str], bool]:
    try:
        return blocked_by(settings.blocked_words)
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"bot.blocked_words: a list cannot be read: {error}") from error
