"""LoRAs of the local generator are swapped without drift, and one that does not fit leaves the one before."""

from pathlib import Path

import pytest
import torch

from inference.errors import BackendUnavailable
from inference.local.generator import LocalGenerator
from inference.lora.file import LoraError
from inference.models.profiles import Profile
from tests.inference.local.parts import TELESCOPE, pixels, settings, tiny
from tests.inference.lora.lora_files import diffusers_peft, kohya, rand, write


def test_styles_are_swapped_without_drift_or_reload(profile: Profile, tmp_path: Path) -> None:
    one = str(write(tmp_path / "one.safetensors", diffusers_peft()[0]))
    two = str(write(tmp_path / "two.safetensors", kohya(2.0)[0]))
    fresh = {}
    for name in ("none", one, two):
        with LocalGenerator(profile, settings(lora=name)) as generator:
            fresh[name] = pixels(generator, TELESCOPE)
    assert len(set(fresh.values())) == 3
    stages: list[str] = []
    with LocalGenerator(
        profile, settings(lora=one), on_stage=lambda stage, _done, _all: stages.append(stage)
    ) as generator:
        for name in (one, two, one, "none", two, "none", one):
            generator.switch_lora(name)
            assert pixels(generator, TELESCOPE) == fresh[name]
        assert stages.count("placing on cpu") == 1
        assert generator.model.lora is not None
        assert generator.model.lora.name == "one"
        generator.switch_lora(one, 0.5)
        assert pixels(generator, TELESCOPE) not in fresh.values()


def test_weights_that_are_gone_from_disk_cost_a_reload_and_say_so(profile: Profile, tmp_path: Path) -> None:
    import shutil

    folder = shutil.copytree(profile.folder, tmp_path / "weights")
    one = str(write(tmp_path / "one.safetensors", diffusers_peft()[0]))
    stages: list[str] = []
    with LocalGenerator(
        tiny(folder), settings(lora=one), on_stage=lambda stage, _done, _all: stages.append(stage)
    ) as generator:
        styled = pixels(generator, TELESCOPE)
        for file in (folder / "transformer").iterdir():
            file.rename(file.with_suffix(".away"))
        generator.switch_lora("none")
        with pytest.raises(BackendUnavailable, match="cannot be used"):
            pixels(generator, TELESCOPE)
        for file in (folder / "transformer").iterdir():
            file.rename(file.with_suffix(".json" if file.stem == "config" else ".safetensors"))
        assert pixels(generator, TELESCOPE) != styled
        assert stages.count("placing on cpu") == 2


def test_a_lora_that_does_not_fit_leaves_the_one_before(profile: Profile, tmp_path: Path) -> None:
    one = str(write(tmp_path / "one.safetensors", diffusers_peft()[0]))
    bad = str(write(tmp_path / "bad.safetensors", {"unet.down_blocks.0.lora_A.weight": torch.ones(4, 32)}))
    with LocalGenerator(profile, settings(lora=one)) as generator:
        before = pixels(generator, TELESCOPE)
        with pytest.raises(LoraError, match="SDXL"):
            generator.switch_lora(bad)
        assert pixels(generator, TELESCOPE) == before
        assert generator.model.lora is not None
        assert generator.model.lora.name == "one"


def test_a_lora_on_the_text_encoder_has_prompts_of_its_own(profile: Profile, tmp_path: Path) -> None:
    name = "lora_te1_text_model_encoder_layers_0_mlp_fc1"
    tensors = diffusers_peft()[0] | {
        f"{name}.lora_down.weight": rand(1, 2, 32) * 5,
        f"{name}.lora_up.weight": rand(2, 64, 2) * 5,
    }
    both = str(write(tmp_path / "both.safetensors", tensors))
    drawing = str(write(tmp_path / "drawing.safetensors", diffusers_peft()[0]))
    seen = set()
    for lora in (both, drawing, both):
        with LocalGenerator(profile, settings(lora=lora), data_dir=tmp_path) as generator:
            seen.add(pixels(generator, TELESCOPE))
    assert len(seen) == 2
    assert len(list((tmp_path / "prompts").iterdir())) == 2
