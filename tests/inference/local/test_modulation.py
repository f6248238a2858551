"""The modulation table: the plain pipeline's pictures from a transformer without its modulation weights."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inference.local.modulation import ModulationTable, modulation_layers
from inference.lora.merge import LoraSlot, shapes_of
from inference.lora.source import find_lora
from inference.lora.weights import read_lora
from inference.models.sizes import FLUX1, FLUX1_CONFIG
from tests.inference.lora.lora_files import kohya, write


@pytest.fixture
def pipe(tiny_flux: Path) -> Any:
    from diffusers import FluxPipeline

    pipe = FluxPipeline.from_pretrained(tiny_flux)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw(pipe: Any, prompts: list[str], steps: int = 3, guidance: float = 3.5) -> torch.Tensor:
    seeds = [torch.Generator().manual_seed(n) for n in range(len(prompts))]
    return pipe(
        prompts, width=32, height=32, num_inference_steps=steps, guidance_scale=guidance, generator=seeds,
        max_sequence_length=16, output_type="latent",
    ).images  # fmt: skip


def relative(a: torch.Tensor, b: torch.Tensor) -> float:
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("evict", [True, False])
def test_equal_to_the_plain_pipeline(pipe: Any, evict: bool) -> None:
    cases = [(["samurai"], 1, 3.5), (["samurai"], 7, 0.0), (["sword", "a lantern"], 4, 9.0), (["samurai"], 7, 2.0)]
    plain = [draw(pipe, *case) for case in cases]
    ModulationTable(pipe, "cpu", evict=evict)
    assert not modulation_layers(pipe.transformer)
    for case, expected in zip(cases, plain, strict=True):
        assert relative(draw(pipe, *case), expected) <= 1e-5


def test_without_guidance_as_schnell(tiny_flux: Path, tmp_path: Path) -> None:
    from diffusers import FluxPipeline

    from tests.tiny_flux import make_tiny_flux

    pipe = FluxPipeline.from_pretrained(make_tiny_flux(tmp_path, guidance_embeds=False))
    pipe.set_progress_bar_config(disable=True)
    plain = draw(pipe, ["samurai"], 4)
    ModulationTable(pipe, "cpu", evict=True)
    assert relative(draw(pipe, ["samurai"], 4), plain) <= 1e-5


def test_lora_on_modulation_layers(pipe: Any, tmp_path: Path) -> None:
    path = write(tmp_path / "style.safetensors", kohya(2.0)[0])
    lora = read_lora(find_lora(str(path)), shapes_of({"transformer": pipe.transformer}), "flux1")
    assert any(part.layer.endswith(("norm1.linear", "norm.linear")) for part in lora.parts)
    slot = LoraSlot(pipe.transformer)
    before = draw(pipe, ["samurai"])
    slot.put(lora.parts, 1.0)
    with_lora = draw(pipe, ["samurai"])
    table = ModulationTable(pipe, "cpu", evict=True)
    assert relative(draw(pipe, ["samurai"]), with_lora) <= 1e-5
    slot.put([], 1.0)
    table.forget()
    assert relative(draw(pipe, ["samurai"]), before) <= 1e-5


def test_one_table_serves_a_prompt_at_every_seed(pipe: Any) -> None:
    ModulationTable(pipe, "cpu", evict=True)
    rows: list[int] = []  # a table is computed for all steps at once, what the model itself asks for is one step
    pipe.transformer.time_text_embed.register_forward_hook(lambda _module, given, _out: rows.append(len(given[0])))
    embeds, pooled, _ = pipe.encode_prompt("samurai", None, max_sequence_length=16)
    for seed in range(3):
        pipe(
            prompt_embeds=embeds, pooled_prompt_embeds=pooled, width=32, height=32, num_inference_steps=2,
            generator=torch.Generator().manual_seed(seed), output_type="latent",
        )  # fmt: skip
    assert sorted(rows) == [1] * 6 + [2]


def test_what_the_real_model_saves() -> None:
    from diffusers import FluxTransformer2DModel

    with torch.device("meta"):
        transformer = FluxTransformer2DModel(**FLUX1_CONFIG).to(torch.bfloat16)
    layers = modulation_layers(transformer).values()
    weights = [weight for layer in layers for weight in layer.parameters()]
    assert sum(weight.numel() for weight in weights) == FLUX1.modulation == 3_247_448_064
    assert sum(weight.numel() * weight.element_size() for weight in weights) == 6_494_896_128
    assert len(layers) == 19 * 2 + 38 + 1
