"""How a badge was made, written into the PNG itself and read back for `--like`.

The text chunks (PNG specification, section 11.3.3) are `Title`, `Description` and `Software` for any viewer, and
`samurai-badge`, a JSON object with every value that determines the pixels. Nothing that changes from run to run, such
as seconds, stands there, so that the same recipe gives the same bytes.
"""

import hashlib
import io
import warnings
from pathlib import Path
from typing import Annotated

from PIL import Image, PngImagePlugin, UnidentifiedImageError
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from configs.foreign import read_regular
from configs.printable import is_control, printable
from inference.errors import InvalidRequest
from inference.types import MAX_SEED, Badge, ModelInfo, PortraitRequest
from inference.upscale.enlarge import upscaler_version
from overlay.exports import PNG_OPTIONS
from overlay.styles import style_identity

CHUNK = "samurai-badge"
_MOST_BYTES = 256 * 2**20


def _plain(value: str) -> str:
    if any(is_control(char) and char not in "\n\t" for char in value):
        raise ValueError("holds control characters")
    return value


_Words = Annotated[str, Field(max_length=2_000), AfterValidator(_plain)]
_Prompt = Annotated[str, Field(max_length=20_000), AfterValidator(_plain)]
_Name = Annotated[str, Field(max_length=200), AfterValidator(_plain)]
_Hash = Annotated[str, Field(pattern=r"^[0-9a-fA-F]{0,64}$")]


class Recipe(BaseModel):
    """Everything that determines a badge's pixels. `lora` None means that no LoRA was in force.

    A PNG comes from anywhere: each value has the bounds that the settings have for their own (`configs.sections`).
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    object: _Words
    english: _Words = ""
    text: _Words
    style: _Name
    size: int = Field(ge=16, le=4096)
    prompt: _Prompt
    seed: int = Field(ge=0, le=MAX_SEED)
    steps: int = Field(ge=0, le=200)
    guidance: float = Field(ge=-1, le=100)
    generator: _Name
    profile: _Name
    revision: _Name = ""
    lora: _Name | None = None
    lora_sha256: _Hash | None = None
    lora_scale: float = Field(default=1.0, ge=-4, le=4)
    tier: _Name = "exact"
    device: _Name = ""
    versions: Annotated[dict[_Name, _Name], Field(max_length=64)] = {}
    key: _Name = ""


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
        versions=dict(model.versions) | upscaler_version(portrait.image, badge.image.width),
        key=key,
    )


def encode_png(image: Image.Image, recipe: Recipe, dpi: int = 0) -> bytes:
    """`image` as PNG bytes with `recipe` in its text chunks: the same bytes for the same input.

    `dpi` is the resolution that a print states, 0 for none.
    """
    info = PngImagePlugin.PngInfo()
    info.add_itxt("Title", f"{recipe.object}: {recipe.text}")
    info.add_itxt("Description", recipe.prompt)
    info.add_itxt("Software", "samurai-badges")
    info.add_itxt(CHUNK, recipe.model_dump_json())
    out = io.BytesIO()
    said = {"dpi": (dpi, dpi)} if dpi else {}
    image.save(out, "PNG", pnginfo=info, **PNG_OPTIONS, **said)
    return out.getvalue()


def read_recipe(path: Path) -> Recipe:
    """The recipe in the PNG at `path`. Raises InvalidRequest where there is no such file or no recipe in it."""
    shown = printable(str(path))
    try:
        data = read_regular(path, _MOST_BYTES, follow=True)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            # Only the notes are read, not a pixel; and no other format has them, whatever the file is called.
            with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
                text = image.info.get(CHUNK)
    except FileNotFoundError as error:
        raise InvalidRequest(f"no such badge: {shown}") from error
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError) as error:
        raise InvalidRequest(f"not a readable PNG: {shown}") from error
    if not isinstance(text, str):
        raise InvalidRequest(f"{shown} does not say how it was made: name a PNG that inference.render wrote")
    try:
        return Recipe.model_validate_json(text)
    except (ValidationError, ValueError, RecursionError) as error:
        raise InvalidRequest(f"the recipe in {shown} is damaged: {_problem(error)}") from error


def _problem(error: Exception) -> str:
    if not isinstance(error, ValidationError):
        return type(error).__name__
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    given = "" if first["type"] in ("missing", "json_invalid") else f" = {printable(repr(first['input']))[:60]}"
    return f"{where}{given}: {first['msg']}" if where else first["msg"]


def work_key(thing: str, text: str, style: str, size: int, wanted: PortraitRequest, model: ModelInfo) -> str:
    """A short name for "this work, drawn by this model": SHA-256 over all that was asked for, 32 hex digits.

    Versions of libraries are left out: an upgrade does not make a finished batch unfinished.
    """
    by = (model.generator, model.profile, model.revision, model.lora, model.tier)
    parts = (thing, text, style_identity(style), size, wanted, *by)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
