"""A request that names its own LoRA: drawn as by a generator with that one, whatever is drawn beside it."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from inference.local.generator import LocalGenerator
from inference.lora.file import LoraError
from inference.types import LoraChoice
from inference.wrappers.cache import CachedGenerator, PortraitCache
from tests.inference.local.parts import TELESCOPE, pixels, settings, tiny
from tests.inference.lora.lora_files import diffusers_peft, kohya, write


def test_a_request_may_name_its_own_lora(tiny_flux: Path, tmp_path: Path) -> None:
    profile = tiny(tiny_flux)
    one = str(write(tmp_path / "one.safetensors", diffusers_peft()[0]))
    two = str(write(tmp_path / "two.safetensors", kohya(2.0)[0]))
    choices = (None, LoraChoice(two), LoraChoice(scale=0.5), LoraChoice("none"))
    requests = [replace(TELESCOPE, lora=choice) for choice in choices]
    expected, keys = [], []
    for name, scale in ((one, 1.0), (two, 1.0), (one, 0.5), ("none", 1.0)):
        with LocalGenerator(profile, settings(lora=name, lora_scale=scale)) as generator:
            expected.append(pixels(generator, TELESCOPE))
            keys.append(generator.key(TELESCOPE))
    assert len(set(expected)) == len(set(keys)) == 4
    stages: list[str] = []
    inner = LocalGenerator(profile, settings(lora=one), on_stage=lambda stage, _done, _all: stages.append(stage))
    with CachedGenerator(inner, PortraitCache(tmp_path / "cache", 10**7)) as generator:
        assert [generator.key(request) for request in requests] == keys
        with ThreadPoolExecutor(4) as threads:
            drawn = list(threads.map(generator.generate, requests * 2))
        assert [portrait.image.tobytes() for portrait in drawn] == expected * 2
        assert stages.count("placing on cpu") == 1
        names = [
            portrait.model.lora and (portrait.model.lora.name, portrait.model.lora.scale) for portrait in drawn[:4]
        ]
        assert names == [("one", 1.0), ("two", 1.0), ("one", 0.5), None]
        assert all(generator.generate(request).cached for request in requests)
        with pytest.raises(LoraError):
            generator.generate(replace(TELESCOPE, lora=LoraChoice(str(tmp_path / "gone.safetensors"))))
