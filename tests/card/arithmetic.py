"""A card's arithmetic on the CPU: bf16 base, fp32 LoRA, autocast, compiled blocks; for the real trainer.

`training.plan = "bf16"` already means bf16 on a CPU; this adds what depends on the device's name alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

import training.local.speed


@contextmanager
def compiled_blocks() -> Iterator[None]:
    """Within, training compiles the transformer's blocks on a CPU, as it does on a card, with the tracing backend."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training.local.speed, "COMPILED_DEVICES", {"cpu"})
        patch.setattr(training.local.speed, "COMPILE_OPTIONS", {"backend": "eager"})
        yield
