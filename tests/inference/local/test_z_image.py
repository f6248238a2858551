"""Z-Image: a family of its own through the same generator, with its own LoRA names."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inference.local.generator import LocalGenerator
from inference.lora.file import LoraError
from inference.models.profiles import Profile
from tests.inference.local.parts import SWORD, TELESCOPE, pixels, settings, tiny
from tests.inference.lora.lora_files import diffusers_peft, write

LAYER = "layers.1.attention"


def z_image(folder: Path, **values: Any) -> Profile:
    own: dict[str, Any] = {
        "pipeline": "ZImagePipeline",
        "family": "z-image",
        "guidance": 0.0,
        "max_sequence_length": 64,
    }
    return tiny(folder, **own | values)


def halves(outputs: int, scale: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(outputs)
    return torch.randn(4, 32, generator=generator) * scale, torch.randn(outputs, 4, generator=generator) * scale


def lora(front: str, down: str, up: str, fused: bool) -> dict[str, torch.Tensor]:
    """The same change of queries, keys and values: as three layers, or as one."""
    a, b = halves(96)
    dot = "_" if front.startswith("lora_unet") else "."
    if fused:
        return {
            f"{front}{LAYER}.qkv".replace(".", dot) + f".{down}": a,
            f"{front}{LAYER}.qkv".replace(".", dot) + f".{up}": b,
        }
    made = {}
    for name, part in zip(("to_q", "to_k", "to_v"), b.chunk(3), strict=True):
        layer = f"{front}{LAYER}.{name}".replace(".", dot)
        made |= {f"{layer}.{down}": a.clone(), f"{layer}.{up}": part.contiguous()}
    return made


def test_the_pixels_of_the_bare_pipeline(tiny_z_image: Path) -> None:
    from diffusers import ZImagePipeline

    bare = ZImagePipeline.from_pretrained(tiny_z_image)
    bare.set_progress_bar_config(disable=True)
    for guidance in (0.0, 4.0):
        expected = bare(
            TELESCOPE.prompt, width=64, height=64, num_inference_steps=2, guidance_scale=guidance,
            generator=torch.Generator().manual_seed(7), max_sequence_length=64,
        ).images[0]  # fmt: skip
        with LocalGenerator(z_image(tiny_z_image, guidance=guidance), settings()) as generator:
            assert pixels(generator, TELESCOPE) == expected.tobytes()


def test_prompts_are_remembered_and_told_apart(tiny_z_image: Path, tmp_path: Path) -> None:
    with LocalGenerator(z_image(tiny_z_image), settings(), data_dir=tmp_path) as generator:
        alone, other = pixels(generator, TELESCOPE), pixels(generator, SWORD)
    with LocalGenerator(z_image(tiny_z_image), settings(), data_dir=tmp_path) as generator:
        assert (pixels(generator, SWORD), pixels(generator, TELESCOPE)) == (other, alone)
        assert alone != other


def test_a_lora_in_each_dialect_draws_the_same(tiny_z_image: Path, tmp_path: Path) -> None:
    dialects = [
        ("transformer.", "lora_A.weight", "lora_B.weight", False),
        ("diffusion_model.", "lora_A.weight", "lora_B.weight", True),
        ("diffusion_model.", "lora_A.weight", "lora_B.weight", False),
        ("lora_unet_", "lora_down.weight", "lora_up.weight", False),
        ("lora_unet_", "lora_down.weight", "lora_up.weight", True),
    ]
    drawn = set()
    with LocalGenerator(z_image(tiny_z_image), settings()) as generator:
        plain = pixels(generator, TELESCOPE)
        for number, dialect in enumerate(dialects):
            generator.switch_lora(str(write(tmp_path / f"{number}.safetensors", lora(*dialect))))
            drawn.add(pixels(generator, TELESCOPE))
    assert len(drawn) == 1
    assert plain not in drawn


def test_a_lora_of_flux_is_refused_by_its_tensors(tiny_z_image: Path, tiny_flux: Path, tmp_path: Path) -> None:
    flux = str(write(tmp_path / "flux.safetensors", diffusers_peft()[0]))
    with (
        LocalGenerator(z_image(tiny_z_image), settings(lora=flux)) as generator,
        pytest.raises(LoraError, match=r"FLUX\.1"),
    ):
        generator.prepare()
    ours = str(write(tmp_path / "z.safetensors", lora("diffusion_model.", "lora_A.weight", "lora_B.weight", True)))
    with LocalGenerator(tiny(tiny_flux), settings(lora=ours)) as generator, pytest.raises(LoraError, match="Z-Image"):
        generator.prepare()
