"""The one interface of everything that draws portraits.

A generator draws one portrait a call. Alone, in a batch or with `--count`, the same `PortraitRequest` and the same
`ModelInfo` give the same pixels. Implementations: `local/` (diffusers), `replicate/`, `ray/`; wrappers of the
same shape (`wrappers/`) add a cache or a second try elsewhere.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from inference.errors import InvalidSettings
from inference.types import ModelInfo, Portrait, PortraitRequest, StepCallback


class Generator(ABC):
    """Draws portraits. Use as a context manager: leaving it frees cards, processes and connections."""

    @property
    @abstractmethod
    def model(self) -> ModelInfo:
        """What draws. Cheap: known without loading weights."""

    def model_for(self, request: PortraitRequest) -> ModelInfo:
        """What draws `request`, which may name a LoRA of its own. Raises InvalidRequest where that cannot be used.

        Here: who draws with one LoRA takes no other, and says so rather than draw another style.
        """
        if request.lora is not None:
            raise InvalidSettings(f"{self.model.generator} draws with its own LoRA only: leave it out of the preset")
        return self.model

    @property
    def parallel(self) -> int:
        """How many `generate` calls may usefully be in flight at once, from as many threads; 1 where calls queue up."""
        return 1

    def prepare(self, prompts: Sequence[str] = ()) -> None:  # noqa: B027 - doing nothing is the default
        """Load what drawing needs and, where that saves work, encode `prompts` beforehand. Optional and repeatable.

        Raises BackendUnavailable as `generate` does.
        """

    def warm(self) -> None:
        """Do beforehand, and keep on disk where that helps later starts, all that a first drawing would wait for."""
        self.prepare()

    def key(self, request: PortraitRequest) -> str:
        """A name for everything that determines the pixels of `request` drawn by this generator, 64 hex digits."""
        return pixels_key(request, self.model_for(request))

    @abstractmethod
    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        """Draw one portrait.

        `on_step` is called after each denoising step; raising `Canceled` in it stops between two steps.
        Raises InvalidRequest (the person can correct it), BackendUnavailable (another generator may do),
        RenderFailed, or whatever `on_step` raised.
        """

    def close(self) -> None:  # noqa: B027 - doing nothing is the default
        """Free everything. Repeatable."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Wrapper(Generator):
    """A generator around another one, `inner`: forwards everything; a subclass changes what it is there for."""

    def __init__(self, inner: Generator) -> None:
        self.inner = inner

    @property
    def model(self) -> ModelInfo:
        return self.inner.model

    def model_for(self, request: PortraitRequest) -> ModelInfo:
        return self.inner.model_for(request)

    @property
    def parallel(self) -> int:
        return self.inner.parallel

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        self.inner.prepare(prompts)

    def warm(self) -> None:
        self.inner.warm()

    def key(self, request: PortraitRequest) -> str:
        return self.inner.key(request)

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        return self.inner.generate(request, on_step)

    def close(self) -> None:
        self.inner.close()


def pixels_key(request: PortraitRequest, model: ModelInfo, *more: object) -> str:
    """SHA-256 in hex over a request, who draws, and whatever else counts; what a LoRA is called does not."""
    lora = (model.lora.sha256, model.lora.scale) if model.lora else None
    parts = (request, replace(model, lora=None), lora, more)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()
