"""The one path to a badge: prompt, portrait, banner. Bot, command line, batch, tests and benchmarks all come here."""

import dataclasses
import logging
import secrets
import time
from dataclasses import dataclass
from typing import Any

from PIL import Image

from configs.errors import ConfigError
from configs.names import unknown_name
from configs.sections.render import BannerSettings, PromptSettings
from configs.sections.translation import TranslationSettings
from configs.settings import Settings, default_settings
from inference.errors import InvalidRequest
from inference.generator import Generator
from inference.prompt import build_prompt, clean_object
from inference.translation.understand import understand
from inference.types import (
    MAX_SEED,
    Badge,
    BadgeRequest,
    LoraChoice,
    ModelInfo,
    Portrait,
    PortraitRequest,
    StepCallback,
)
from inference.upscale.enlarge import enlarge
from overlay import BannerError, check_text, draw_banner, style_names, use_themes

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReadyRequest(BadgeRequest):
    """A request with nothing left open: object and text cleaned, `english`, `style` and `seed` filled in."""

    seed: int
    style: str
    english: str


def use_own_styles(settings: Settings) -> None:
    """Make `[themes.*]` of the settings styles of this process, and warn of letters that are hard to read.

    Called once, where the settings are read. Raises ConfigError.
    """
    try:
        for warning in use_themes(settings.themes):
            log.warning("%s", warning)
    except BannerError as error:
        raise ConfigError(str(error)) from error


def checked(request: BadgeRequest, banner: BannerSettings) -> BadgeRequest:
    """`request` with object, text and style cleaned and its style filled in.

    Cheap, needs no model, and raises InvalidRequest for everything that can be known to be wrong before drawing.
    """
    style = request.style or banner.style
    if style not in style_names():
        raise InvalidRequest(unknown_name("banner style", style, style_names()))
    try:
        text = check_text(request.text, style)
    except BannerError as error:
        raise InvalidRequest(str(error)) from error
    english = None if request.english is None else clean_object(request.english)
    return BadgeRequest(clean_object(request.object), text, request.seed, style, english)


def with_preset(settings: Settings, name: str) -> Settings:
    """`settings` as `[presets.NAME]` changes them. Raises InvalidRequest where there is no such preset."""
    if not settings.presets:
        raise InvalidRequest(
            f"there are no presets: write a table [presets.{name}] into a file and name it by --config"
        )
    preset = settings.presets.get(name)
    if preset is None:
        raise InvalidRequest(unknown_name("preset", name, list(settings.presets)))
    changes: dict[str, dict[str, Any]] = {
        "prompt": {"trigger": preset.trigger, "base": preset.base, "style": preset.style},
        "local": {"lora": preset.lora, "lora_scale": preset.lora_scale},
        "replicate": {"lora_scale": preset.lora_scale},
        "banner": {"style": preset.banner},
    }
    update = {}
    for section, values in changes.items():
        said = {key: value for key, value in values.items() if value is not None}
        update[section] = getattr(settings, section).model_copy(update=said)
    return settings.model_copy(update=update)


@dataclass(frozen=True)
class Look:
    """How the badges of one character are drawn; `lora` None is the generator's own."""

    prompt: PromptSettings
    banner: BannerSettings
    lora: LoraChoice | None = None


def look_of(settings: Settings, preset: str = "") -> Look:
    """The look of `[presets.NAME]`, or without a name that of the settings. Raises InvalidRequest as `with_preset`."""
    if not preset:
        return Look(settings.prompt, settings.banner)
    changed, own = with_preset(settings, preset), settings.presets[preset]
    named = own.lora is not None or own.lora_scale is not None
    lora = LoraChoice(own.lora or "", changed.local.lora_scale) if named else None
    return Look(changed.prompt, changed.banner, lora)


def ready(
    request: BadgeRequest, model: ModelInfo, banner: BannerSettings, translation: TranslationSettings
) -> ReadyRequest:
    """`request`, checked, its object in the words that the generator that is `model` reads, and seeded.

    Raises InvalidRequest as `checked`, and its kinds NotUnderstood and UnknownThing where the object means nothing.
    """
    clean = checked(request, banner)
    english = understand(clean.object, translation, model).english if clean.english is None else clean.english
    seed = secrets.randbelow(MAX_SEED + 1) if clean.seed is None else clean.seed
    return ReadyRequest(clean.object, clean.text, seed, clean.style or banner.style, english)


def portrait_request(
    request: ReadyRequest,
    prompt: PromptSettings,
    steps: int | None = None,
    guidance: float | None = None,
    lora: LoraChoice | None = None,
) -> PortraitRequest:
    """What a generator is asked for."""
    return PortraitRequest(build_prompt(request.english, prompt), request.seed, steps, guidance, lora, request.english)


def in_english(request: PortraitRequest, translation: TranslationSettings) -> PortraitRequest:
    """`request` for a generator that reads English only. Raises NotUnderstood."""
    if not request.object:
        return request
    english = understand(request.object, translation).english
    return dataclasses.replace(request, prompt=request.prompt.replace(request.object, english), object=english)


def make_badge(
    request: BadgeRequest,
    generator: Generator,
    *,
    prompt: PromptSettings | None = None,
    banner: BannerSettings | None = None,
    translation: TranslationSettings | None = None,
    lora: LoraChoice | None = None,
    wanted: PortraitRequest | None = None,
    on_step: StepCallback | None = None,
) -> Badge:
    """Draw one badge. A `ready` request is taken as it is; any other is made ready first.

    `prompt`, `banner` and `translation` are the settings' sections (their defaults where left out). `wanted`
    replaces the portrait request that would be built, to make an earlier badge again; `lora` is drawn with in place of
    the generator's own. `on_step` as in
    `Generator.generate`.
    Raises InvalidRequest before anything is drawn where the request is wrong, and what the generator raises.
    """
    started = time.perf_counter()
    prompt = prompt or default_settings().prompt
    banner = banner or default_settings().banner
    if not isinstance(request, ReadyRequest):
        request = ready(request, generator.model, banner, translation or default_settings().translation)
    portrait = generator.generate(wanted or portrait_request(request, prompt, lora=lora), on_step)
    return finish_badge(request, portrait, banner, started)


def finish_badge(request: ReadyRequest, portrait: Portrait, banner: BannerSettings, started: float) -> Badge:
    """Put the banner over a portrait; `started` is `time.perf_counter()` at the start."""
    image = banner_base(portrait, banner)
    try:
        finished = draw_banner(image, request.text, request.style)
    except BannerError as error:
        raise InvalidRequest(str(error)) from error
    return Badge(finished, request, portrait, request.style, time.perf_counter() - started)


def banner_base(portrait: Portrait, banner: BannerSettings) -> Image.Image:
    """The portrait as RGB of the badge's size, ready for a banner."""
    image = enlarge(portrait.image, banner.size).convert("RGB")
    side = (banner.size, banner.size)
    return image if image.size == side else image.resize(side, Image.Resampling.LANCZOS)
