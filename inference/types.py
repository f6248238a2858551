"""What goes into a badge and what comes out: plain frozen values that every room shares.

A `BadgeRequest` is what a person asks for; a `PortraitRequest` what a generator is asked for; a `Portrait` the image
without banner together with how it was made; a `Badge` the finished image. Images are PIL, mode RGB (RGBA only
where a banner style is transparent outside), 8 bits a channel.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from PIL import Image

from inference.errors import InvalidRequest

MAX_SEED = 2**32 - 1

StepCallback = Callable[[int, int], None]
"""Called as (steps done, steps in all) after each denoising step. What it raises ends the drawing.

A generator that draws elsewhere calls it about once a second besides, with the same number again (0 while it waits for
a machine), so that a wish to stop is heard.
"""


@dataclass(frozen=True)
class BadgeRequest:
    """One badge as a person asks for it. `style` None is the settings' banner style; `seed` None is drawn at random.

    `english` is what `object` means to the model; None is found out (see `inference/translate.py`), and a value, such
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

    def seeded(self) -> "BadgeRequest":
        """This request with a seed: its own, or one drawn at random."""
        return self if self.seed is not None else replace(self, seed=secrets.randbelow(MAX_SEED + 1))


@dataclass(frozen=True)
class PortraitRequest:
    """What a generator is asked for. `steps` and `guidance` None are the model's own values.

    `object` are the words in `prompt` that a person chose: a generator that reads English only may have to translate
    them. It determines no pixels, so it counts in no comparison and in no key.
    """

    prompt: str
    seed: int
    steps: int | None = None
    guidance: float | None = None
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
    """The samurai without banner, and how it was made. `seconds` is the drawing alone, 0.0 from a cache."""

    image: Image.Image
    prompt: str
    seed: int
    steps: int
    guidance: float
    model: ModelInfo
    seconds: float = 0.0
    cost_usd: float = 0.0
    cached: bool = False


@dataclass(frozen=True)
class Badge:
    """A finished badge: image, the request with seed and style filled in, and the portrait under the banner."""

    image: Image.Image
    request: BadgeRequest
    portrait: Portrait
    style: str
    seconds: float
