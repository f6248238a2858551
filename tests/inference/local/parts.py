"""What the tests of the local generator share: a tiny profile, settings, requests, a transformer that fails."""

from pathlib import Path
from typing import Any

from configs import default_settings
from configs.sections.render import LocalSettings
from inference.local.generator import LocalGenerator
from inference.models.profiles import Profile, load_profile
from inference.types import PortraitRequest

TELESCOPE = PortraitRequest("samurai holding telescope", 7)
SWORD = PortraitRequest("samurai holding sword", 7)


def tiny(folder: Path, **values: Any) -> Profile:
    small = {"folder": str(folder), "lora": "", "width": 64, "height": 64, "steps": 2, "max_sequence_length": 16}
    return load_profile("demo").model_copy(update=small | values)


def settings(**values: Any) -> LocalSettings:
    return default_settings().local.model_copy(update={"device": "cpu"} | values)


def pixels(generator: LocalGenerator, request: PortraitRequest) -> bytes:
    return generator.generate(request).image.tobytes()


def broken(generator: LocalGenerator, errors: list[BaseException]) -> None:
    """Let the loaded transformer raise these errors, one a call, and work afterwards."""

    def before(*_args: object) -> None:
        if errors:
            raise errors.pop(0)

    generator.prepare()
    assert generator._held.loaded is not None
    generator._held.loaded.pipe.transformer.register_forward_pre_hook(before)
