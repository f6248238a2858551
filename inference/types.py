"""What goes into a badge and what comes out: plain frozen values that every room shares.

A `BadgeRequest` is what a person asks for; a `PortraitRequest` what a generator is asked for; a `Portrait` the image
without banner together with how it was made; a `Badge` the finished image. Images are PIL, mode RGB (RGBA only
where a banner style is transparent outside), 8 bits a channel.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from inference.errors import BlankPicture, InvalidRequest

if TYPE_CHECKING:
    from PIL import Image

MAX_SEED = 2**32 - 1

StepCallback = Callable[[int, int], None]
"""Called as (steps done, steps in all) after each denoising step. What it raises ends the drawing.

A generator that draws elsewhere calls it about once a second besides, with the same number again (0 while it waits for
a machine), so that a wish to stop is heard.
"""


@dataclass(frozen=True)
class BadgeRequest:
    """One badge as a person asks for it. `style` None is the settings' banner style; `seed` None is drawn at random.

    `english` is what `object` means to the model; None is found out (see `inference/translation/`), and a value, such
    as the person's own correction, is taken as it is.
    """

    object: str
    text: str
    seed: int | None = None
    style: str | None = None
    english: str | None = None

    def __post_init__(self) -> None:
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            raise InvalidRequest(f"seed {self.seed} is out of range: choose 0 to {MAX_SEED}")


@dataclass(frozen=True)
class LoraChoice:
    """Which LoRA to draw with: a path, a Hub name, "none", or "" for the generator's own; and at which scale."""

    name: str = ""
    scale: float = 1.0


@dataclass(frozen=True)
class PortraitRequest:
    """What a generator is asked for. `steps` and `guidance` None are the model's own values, and so is `lora`.

    `object` are the words in `prompt` that a person chose: a generator that reads English only may have to translate
    them. It determines no pixels, so it counts in no comparison and in no key.
    """

    prompt: str
    seed: int
    steps: int | None = None
    guidance: float | None = None
    lora: LoraChoice | None = field(default=None, repr=False)
    """In no key: a file is known by its content (`Generator.model_for`), not by what it is called."""
    object: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True)
class LoraInfo:
    """Which LoRA is in force: a name for people, the SHA-256 of its file in hex, and its scale."""

    name: str
    sha256: str
    scale: float = 1.0


@dataclass(frozen=True)
class ModelInfo:
    """Who draws: everything besides the `PortraitRequest` that determines the pixels.

    `revision` tells the base weights apart (a Hub commit, a content hash, a Replicate version); `tier` is
    `exact` unless the generator approximates; `versions` are (library, version) pairs.
    """

    generator: str
    profile: str
    revision: str = ""
    lora: LoraInfo | None = None
    tier: str = "exact"
    device: str = ""
    versions: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Portrait:
    """The samurai without banner, and how it was made. `seconds` is the drawing alone, 0.0 from a cache.

    Raises BlankPicture where `image` is all one colour. Every generator, cache and actor hands a portrait on as one of
    these, so no picture passes that nobody looked at.
    """

    image: "Image.Image"
    prompt: str
    seed: int
    steps: int
    guidance: float
    model: ModelInfo
    seconds: float = 0.0
    cost_usd: float = 0.0
    cached: bool = False

    def __post_init__(self) -> None:
        colour = _only_colour(self.image)
        if colour:
            raise BlankPicture(f"{self.model.generator} drew nothing but the colour {colour}: {_LIKELY_CAUSE}")


# What overflows in fp16, or becomes NaN in an 8-bit product, is decoded to black; so are pictures that the safety
# checker of a hosted FLUX hides (https://github.com/black-forest-labs/flux/issues/8).
_LIKELY_CAUSE = (
    "most likely its numbers overflowed in low precision (choose --tier exact, another profile or another card), or a "
    "hosted model's safety checker hid the picture (choose other words or another seed)"
)


def _only_colour(image: "Image.Image") -> str:
    """The colour of an image that has no other, as #rrggbb; "" for a picture. JPEG may move a value by one or two."""
    bands = image.convert("RGB").getextrema()
    ranges = [band for band in bands if isinstance(band, tuple)]
    if any(high - low > 2 for low, high in ranges):
        return ""
    return "#" + "".join(f"{int(low):02x}" for low, _high in ranges)


@dataclass(frozen=True)
class Badge:
    """A finished badge: image, the request with seed and style filled in, and the portrait under the banner."""

    image: "Image.Image"
    request: BadgeRequest
    portrait: Portrait
    style: str
    seconds: float
