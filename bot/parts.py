"""The settings sections that the bot needs, and the dialogue's `Context` made from them."""

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
    """The settings of the bot, by section; `data_dir` is its state folder."""

    data_dir: Path
    bot: BotSettings
    translation: TranslationSettings
    keeps_portraits: bool
    looks: dict[str, Look]
    """How each preset is drawn; "" is the character of the main settings."""
    presets: dict[str, PresetSettings]
    hub_token: str = ""

    @classmethod
    def of(cls, settings: Settings) -> "Parts":
        keeps_portraits = settings.generator.portrait_cache_mb > 0
        looks = {name: look_of(settings, name) for name in ("", *settings.presets)}
        return cls(
            settings.data_dir, settings.bot, settings.translation, keeps_portraits, looks, settings.presets,
            settings.secrets.hf_token.get_secret_value(),
        )  # fmt: skip

    def with_drawable_suggestions(self, model: ModelInfo) -> "Parts":
        """A copy whose suggestions can be drawn by `model`."""
        bot = with_drawable_suggestions(self.bot, self.translation, model)
        presets = {
            name: with_drawable_suggestions(preset, self.translation, model) for name, preset in self.presets.items()
        }
        return replace(self, bot=bot, presets=presets)

    def context(self, clock: Clock, parallel: int) -> Context:
        """The context that all turns of the dialogue share; `parallel` badges are drawn at a time."""

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
    """`generator` wrapped in the picture filter, if one is set."""
    if not settings.picture_filter:
        return generator
    pictures = PictureFilter(settings.picture_filter, settings.picture_labels, hub_token)
    return FilteredGenerator(generator, pictures, settings.picture_threshold)


def _blocked(settings: BotSettings) -> Callable[[str], bool]:
    try:
        return blocked_by(settings.blocked_words)
    except (OSError, UnicodeDecodeError) as error:
        raise StartError(f"bot.blocked_words: a list cannot be read: {error}") from error
