"""The one path to a badge: prompt, portrait, banner. Bot, command line, batch, tests and benchmarks all come here."""

import dataclasses
import time

from PIL import Image

from configs.names import unknown_name
from configs.sections.render import BannerSettings, PromptSettings
from configs.sections.translation import TranslationSettings
from configs.settings import default_settings
from inference.errors import InvalidRequest
from inference.generator import Generator
from inference.prompt import build_prompt, clean_object
from inference.translation.understand import understand
from inference.types import Badge, BadgeRequest, ModelInfo, Portrait, PortraitRequest, StepCallback
from inference.upscale.enlarge import enlarge
from overlay import BannerError, check_text, draw_banner, style_names


def checked(request: BadgeRequest, banner: BannerSettings) -> BadgeRequest:
    """`request` with object, text and style cleaned and its style filled in.

    Cheap, and raises InvalidRequest for everything that can be known to be wrong before drawing.
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


def translated(
    request: BadgeRequest, model: ModelInfo | None = None, translation: TranslationSettings | None = None
) -> BadgeRequest:
    """`request` with `english` filled in for the generator that is `model`; as it is where it has one already.

    `translation` is the settings' section. Raises NotUnderstood, an InvalidRequest, where the object means nothing.
    """
    if request.english is not None:
        return request
    return dataclasses.replace(request, english=understand(request.object, translation, model).english)


def portrait_request(
    request: BadgeRequest, prompt: PromptSettings, steps: int | None = None, guidance: float | None = None
) -> PortraitRequest:
    """What a generator is asked for a `checked`, `translated` and seeded request."""
    if request.seed is None:
        raise ValueError("the request has no seed yet: call request.seeded() first")
    thing = request.english or request.object
    return PortraitRequest(build_prompt(thing, prompt), request.seed, steps, guidance, thing)


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
    wanted: PortraitRequest | None = None,
    on_step: StepCallback | None = None,
) -> Badge:
    """Draw one badge.

    `prompt`, `banner` and `translation` are the settings' sections (their defaults where left out). `wanted`
    replaces the portrait request that would be built, to make an earlier badge again. `on_step` as in
    `Generator.generate`.
    Raises InvalidRequest before anything is drawn where the request is wrong, and what the generator raises.
    """
    started = time.perf_counter()
    prompt = prompt or default_settings().prompt
    banner = banner or default_settings().banner
    request = translated(checked(request, banner).seeded(), generator.model, translation)
    portrait = generator.generate(wanted or portrait_request(request, prompt), on_step)
    return finish_badge(request, portrait, banner, started)


def finish_badge(request: BadgeRequest, portrait: Portrait, banner: BannerSettings, started: float) -> Badge:
    """Put the banner of a `checked` request over a portrait; `started` is `time.perf_counter()` at the start."""
    image = banner_base(portrait, banner)
    style = request.style or banner.style
    try:
        finished = draw_banner(image, request.text, style)
    except BannerError as error:
        raise InvalidRequest(str(error)) from error
    return Badge(finished, request, portrait, style, time.perf_counter() - started)


def banner_base(portrait: Portrait, banner: BannerSettings) -> Image.Image:
    """The portrait as RGB of the badge's size, ready for a banner."""
    image = enlarge(portrait.image, banner.size).convert("RGB")
    side = (banner.size, banner.size)
    return image if image.size == side else image.resize(side, Image.Resampling.LANCZOS)
