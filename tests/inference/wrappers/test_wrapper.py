"""A wrapper forwards all that it does not change."""

from collections.abc import Sequence

import pytest

from inference.generator import Generator, Wrapper
from inference.types import ModelInfo, Portrait, PortraitRequest, StepCallback
from inference.wrappers.fallback import FallbackGenerator
from inference.wrappers.sharing import SharingGenerator, WatchedGenerator


class Noting(Generator):
    """Notes what it is asked; draws nothing."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @property
    def model(self) -> ModelInfo:
        return ModelInfo("local", "noting")

    @property
    def parallel(self) -> int:
        return 7

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        self.heard.append(f"prepare {' '.join(prompts)}")

    def warm(self) -> None:
        self.heard.append("warm")

    def key(self, request: PortraitRequest) -> str:
        return "a key of its own"

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        raise NotImplementedError

    def close(self) -> None:
        self.heard.append("close")


@pytest.mark.parametrize(
    "wrap",
    [
        Wrapper,
        SharingGenerator,
        lambda inner: WatchedGenerator(inner, print),
        lambda inner: FallbackGenerator(inner, Noting()),
    ],
    ids=["plain", "sharing", "watched", "fallback"],
)
def test_everything_reaches_the_inner_generator(wrap: type[Wrapper]) -> None:
    inner = Noting()
    with wrap(inner) as wrapper:
        wrapper.prepare(["samurai"])
        wrapper.warm()
        assert (wrapper.model, wrapper.parallel) == (inner.model, 7)
        assert wrapper.key(PortraitRequest("samurai", 1)) == "a key of its own"
    assert inner.heard == ["prepare samurai", "warm", "close"]
