"""`--like badge.png`: the settings, request and portrait request under which an earlier badge was made.

The same recipe on the same machine gives the same bytes. Where something differs that this program cannot bring
back (other library versions, other base weights), it says so and draws all the same.
"""

import logging
from pathlib import Path
from typing import Any

from PIL import Image

from configs.settings import Settings
from inference.choice import open_generator
from inference.errors import InvalidRequest, RenderError
from inference.files import sha256_of
from inference.models.profiles import load_profile
from inference.output.recipe import Recipe
from inference.prompt import build_prompt
from inference.types import BadgeRequest, ModelInfo, PortraitRequest
from inference.upscale.enlarge import UPSCALER, shipped_version
from inference.wrappers.cache import PortraitCache

log = logging.getLogger(__name__)

_HERE = ("local", "demo")
_ELSEWHERE = {"replicate": "which costs money and is sent the prompt", "ray": "whose machines are sent the prompt"}


def settings_like(recipe: Recipe, settings: Settings, lora: Path | None, generator_said: str = "") -> Settings:
    """`settings` with generator, profile, LoRA and size of `recipe`.

    `lora` is where the user says the LoRA is; where nothing is said the configured and the profile's own are tried.
    `generator_said` is the user's own choice, "" where none was made: a PNG alone, which may be untrusted, never
    makes anything leave this machine or cost money. Raises InvalidRequest where it would, or where the LoRA is not the
    very file (by SHA-256) that the badge was made with.
    """
    generator: dict[str, Any] = {"kind": recipe.generator, "profile": recipe.profile}
    if recipe.generator not in _HERE:
        if recipe.generator not in _ELSEWHERE:
            raise InvalidRequest(f"the badge was drawn by {recipe.generator!r}, which this program does not know")
        if not generator_said and settings.generator.kind != recipe.generator:
            raise InvalidRequest(
                f"the badge was drawn by {recipe.generator}, {_ELSEWHERE[recipe.generator]}: to draw it there "
                f"again, use --generator {recipe.generator}, or name another generator"
            )
    if recipe.generator != "local":
        generator["profile"] = settings.generator.profile
    if not generator_said and settings.generator.kind != "replicate":
        generator["fallback_to_replicate"] = False
    local: dict[str, Any] = {"lora_scale": recipe.lora_scale}
    if recipe.generator == "local":
        local["lora"] = _find_lora(recipe, settings, lora)
    return settings.model_copy(
        update={
            "generator": settings.generator.model_copy(update=generator),
            "local": settings.local.model_copy(update=local),
            "banner": settings.banner.model_copy(update={"size": recipe.size}),
        }
    )


def request_like(
    recipe: Recipe, thing: str | None, text: str | None, seed: int | None, style: str | None
) -> BadgeRequest:
    """The request of `recipe`, with what the user gave in its place."""
    return BadgeRequest(
        recipe.object if thing is None else thing,
        recipe.text if text is None else text,
        recipe.seed if seed is None else seed,
        style or recipe.style,
        (recipe.english or None) if thing is None else None,
    )


def portrait_like(recipe: Recipe, settings: Settings) -> Image.Image | None:
    """The portrait of `recipe`, as large as the banner wants it, from those drawn before; None where it was not kept.

    Nothing is drawn, and nobody else is asked: only portraits that this machine drew are looked for.
    """
    limit = settings.generator.portrait_cache_mb * 1_000_000
    if recipe.generator != "local" or not limit:
        return None
    cache = PortraitCache(settings.data_dir / "portraits", limit)
    try:
        with open_generator(settings_like(recipe, settings, None, "local")) as generator:
            for steps, guidance in ((recipe.steps, recipe.guidance), (None, None)):
                wanted = PortraitRequest(recipe.prompt, recipe.seed, steps, guidance)
                portrait = cache.get(generator.key(wanted))
                if portrait is not None:
                    return portrait.image
    except RenderError:
        pass  # its profile or its LoRA no longer exists: the picture itself is there
    return None


def wanted_like(recipe: Recipe, request: BadgeRequest, settings: Settings) -> PortraitRequest:
    """The portrait request of `recipe`; its prompt is built anew only where the object is another."""
    same = request.object == recipe.object
    thing = request.english or request.object
    prompt = recipe.prompt if same else build_prompt(thing, settings.prompt)
    seed = recipe.seed if request.seed is None else request.seed
    return PortraitRequest(prompt, seed, recipe.steps, recipe.guidance, object=thing)


def warn_of_differences(recipe: Recipe, model: ModelInfo) -> None:
    """Say what is not as it was, since then the bytes may differ."""
    now = dict(model.versions) | {UPSCALER: shipped_version()}
    changed = [f"{name} {was} (now {now.get(name)})" for name, was in recipe.versions.items() if now.get(name) != was]
    if recipe.revision != model.revision:
        changed.append(f"base weights {recipe.revision or 'unknown'} (now {model.revision or 'unknown'})")
    if recipe.device != model.device:
        changed.append(f"device {recipe.device} (now {model.device})")
    if changed:
        log.warning("This badge was made with %s: pixels may differ.", ", ".join(changed))


def _find_lora(recipe: Recipe, settings: Settings, given: Path | None) -> str:
    if recipe.lora is None:
        if given not in (None, Path("none")):
            raise InvalidRequest(f"the badge was made without a LoRA: leave --lora {given} out to make it again")
        return "none"
    configured = Path(settings.local.lora) if settings.local.lora not in ("", "none") else None
    for path in (given,) if given else (configured, load_profile(recipe.profile).default_lora):
        if path and path.is_file() and sha256_of(path) == recipe.lora_sha256:
            return str(path)
    raise InvalidRequest(
        f"the badge was made with the LoRA {recipe.lora!r} (SHA-256 {(recipe.lora_sha256 or '')[:12]}...), "
        f"which {given or 'the configured file'} is not: name that file with --lora"
    )
