"""How a badge was made, written into the PNG itself and read back for `--like`.

The text chunks (PNG specification, section 11.3.3) are `Title`, `Description` and `Software` for any viewer, and
`samurai-badge`, a JSON object with every value that determines the pixels. Nothing that changes from run to run, such
as seconds, stands there, so that the same recipe gives the same bytes.
"""

import hashlib
import io
from pathlib import Path

from PIL import Image, PngImagePlugin, UnidentifiedImageError
from pydantic import BaseModel, ConfigDict, ValidationError

from inference.errors import InvalidRequest
from inference.types import Badge, ModelInfo, PortraitRequest

CHUNK = "samurai-badge"
_PNG_LEVEL = 6


class Recipe(BaseModel):
    """Everything that determines a badge's pixels. `lora` None means that no LoRA was in force."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    object: str
    english: str = ""
    text: str
    style: str
    size: int
    prompt: str
    seed: int
    steps: int
    guidance: float
    generator: str
    profile: str
    revision: str = ""
    lora: str | None = None
    lora_sha256: str | None = None
    lora_scale: float = 1.0
    tier: str = "exact"
    device: str = ""
    versions: dict[str, str] = {}
    key: str = ""


def recipe_of(badge: Badge, key: str = "") -> Recipe:
    """The recipe of a finished badge; `key` is the batch's name for the work (see `work_key`)."""
    portrait, model = badge.portrait, badge.portrait.model
    return Recipe(
        object=badge.request.object,
        english=badge.request.english or "",
        text=badge.request.text,
        style=badge.style,
        size=badge.image.width,
        prompt=portrait.prompt,
        seed=portrait.seed,
        steps=portrait.steps,
        guidance=portrait.guidance,
        generator=model.generator,
        profile=model.profile,
        revision=model.revision,
        lora=model.lora.name if model.lora else None,
        lora_sha256=model.lora.sha256 if model.lora else None,
        lora_scale=model.lora.scale if model.lora else 1.0,
        tier=model.tier,
        device=model.device,
        versions=dict(model.versions),
        key=key,
    )


def encode_png(image: Image.Image, recipe: Recipe, compress_level: int = _PNG_LEVEL) -> bytes:
    """`image` as PNG bytes with `recipe` in its text chunks: the same bytes for the same input."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Title", f"{recipe.object}: {recipe.text}")
    info.add_itxt("Description", recipe.prompt)
    info.add_itxt("Software", "samurai-badges")
    info.add_itxt(CHUNK, recipe.model_dump_json())
    out = io.BytesIO()
    image.save(out, "PNG", pnginfo=info, compress_level=compress_level)
    return out.getvalue()


def read_recipe(path: Path) -> Recipe:
    """The recipe in the PNG at `path`. Raises InvalidRequest where there is no such file or no recipe in it."""
    try:
        with Image.open(path) as image:
            text = image.info.get(CHUNK)
    except FileNotFoundError as error:
        raise InvalidRequest(f"no such badge: {path}") from error
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise InvalidRequest(f"not a readable PNG: {path}") from error
    if not isinstance(text, str):
        raise InvalidRequest(f"{path} does not say how it was made: name a PNG that inference.render wrote")
    try:
        return Recipe.model_validate_json(text)
    except ValidationError as error:
        raise InvalidRequest(f"the recipe in {path} is damaged: {error.errors()[0]['msg']}") from error


def work_key(thing: str, text: str, style: str, size: int, wanted: PortraitRequest, model: ModelInfo) -> str:
    """A short name for "this work, drawn by this model": SHA-256 over all that was asked for, 32 hex digits.

    Versions of libraries are left out: an upgrade does not make a finished batch unfinished.
    """
    parts = (thing, text, style, size, wanted, model.generator, model.profile, model.revision, model.lora, model.tier)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
