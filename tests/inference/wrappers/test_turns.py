"""One portrait is drawn while the badge before it is finished: a batch never leaves the generator idle."""

import threading
from pathlib import Path

import pytest
from PIL import Image

from configs import default_settings
from inference.errors import Canceled
from inference.generator import Generator
from inference.output import batch
from inference.output.rows import Row
from inference.types import BadgeRequest, ModelInfo, Portrait, PortraitRequest, StepCallback
from inference.wrappers.turns import Turns


class Stepping(Generator):
    """Draws at most `parallel` at once, and says when each begins."""

    def __init__(self, parallel: int = 1) -> None:
        self._parallel = parallel
        self.begun: list[int] = []
        self.at_once = 0
        self.most = 0
        self.second = threading.Event()
        self._lock = threading.Lock()

    @property
    def model(self) -> ModelInfo:
        return ModelInfo("local", "flux2-klein-4b")

    @property
    def parallel(self) -> int:
        return self._parallel

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        with self._lock:
            self.begun.append(request.seed)
            self.at_once += 1
            self.most = max(self.most, self.at_once)
        if len(self.begun) == 2:
            self.second.set()
        image = Image.linear_gradient("L").convert("RGB")
        with self._lock:
            self.at_once -= 1
        return Portrait(image, request.prompt, request.seed, 1, 0.0, self.model)


def rows(count: int) -> list[Row]:
    return [Row(n, f"badge-{n}", BadgeRequest("telescope", "SCOUT", n)) for n in range(1, count + 1)]


@pytest.mark.parametrize("parallel", [1, 2])
def test_the_next_is_drawn_before_the_first_is_finished(
    parallel: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Stepping(parallel)
    encode = batch.encode_png

    def patient(*args: object) -> bytes:
        assert generator.second.wait(60), "the second drawing waits for the first one's file"
        return encode(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(batch, "encode_png", patient)
    settings = default_settings()
    small = settings.model_copy(update={"banner": settings.banner.model_copy(update={"size": 128})})
    result = batch.run_batch(rows(4), tmp_path, generator, small)
    assert (len(result.entries), result.failed) == (4, 0)
    assert sorted(generator.begun) == [1, 2, 3, 4]
    assert generator.most <= parallel


def test_who_was_stopped_while_waiting_begins_nothing() -> None:
    generator = Stepping()

    def stopped(_done: int, _total: int) -> None:
        raise Canceled("stopped")

    with pytest.raises(Canceled):
        Turns(generator).generate(PortraitRequest("p", 1), stopped)
    assert not generator.begun
