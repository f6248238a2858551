"""Full-size models without a card: 16-bit weights, computed in float32 a layer at a time where that is faster."""

from pathlib import Path
from typing import Any

import pytest
import torch

from inference.local.assembly import assemble
from inference.local.encoders import place_encoder
from inference.local.plan import Plan
from inference.lora.merge import LoraSlot
from tests.tiny_flux import make_tiny_flux, make_tiny_flux2

PLAN = Plan(
    "tiny", "cpu", "exact", "bfloat16", "live", "plain", "mapped", "whole", True, "native", False, False, 0
)  # fmt: skip


@pytest.fixture(params=["flux1", "flux2"], scope="module")
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    make = make_tiny_flux if request.param == "flux1" else make_tiny_flux2
    return make(tmp_path_factory.mktemp("bases") / request.param)


@pytest.fixture
def old_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"):
        monkeypatch.setattr(torch.cpu, name, lambda: False)


def loaded(folder: Path) -> Any:
    from diffusers import DiffusionPipeline

    pipe = DiffusionPipeline.from_pretrained(folder, dtype=torch.bfloat16)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def encoded(pipe: Any) -> dict[str, torch.Tensor]:
    with torch.no_grad():
        found = pipe.encode_prompt(prompt="samurai", max_sequence_length=16)
    names = ["prompt_embeds", "pooled_prompt_embeds"] if len(found) == 3 else ["prompt_embeds"]
    return dict(zip(names, found, strict=False))


def drawn(pipe: Any, texts: dict[str, torch.Tensor]) -> torch.Tensor:
    picture: torch.Tensor = pipe(
        **texts, width=64, height=64, num_inference_steps=2, guidance_scale=1.0, max_sequence_length=16,
        generator=torch.Generator().manual_seed(0), output_type="pt",
    ).images  # fmt: skip
    return picture


@pytest.mark.usefixtures("old_processor")
def test_weights_of_16_bits_are_computed_in_float32_and_stay(folder: Path) -> None:
    ours, plain = loaded(folder), loaded(folder)
    for part in ("transformer", "vae", "text_encoder", "text_encoder_2"):
        if getattr(plain, part, None) is not None:
            getattr(plain, part).float()
    for part in ("text_encoder", "text_encoder_2"):
        if getattr(ours, part, None) is not None:
            place_encoder(getattr(ours, part), PLAN)
    texts = encoded(plain)
    for name, tensor in encoded(ours).items():
        # T5 rounds what it hands to some of its layers to the dtype in which their weights rest.
        assert torch.allclose(tensor.float(), texts[name], atol=0.03 * float(texts[name].std())), name
    assemble(ours, PLAN, LoraSlot(ours.transformer), lambda _stage: None, None)
    difference = (drawn(ours, texts).float() - drawn(plain, texts)).abs().max()
    assert float(difference) < 1e-4
    held = {weight.dtype for _, block in ours.transformer.named_modules() for weight in block._parameters.values()
            if weight is not None and weight.ndim > 1}  # fmt: skip
    assert torch.bfloat16 in held


def test_a_processor_with_bf16_units_computes_in_bf16(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: True)
    pipe = loaded(folder)
    texts = {name: tensor.bfloat16() for name, tensor in encoded(pipe).items()}
    assemble(pipe, PLAN, LoraSlot(pipe.transformer), lambda _stage: None, None)
    assert {weight.dtype for weight in pipe.transformer.parameters()} == {torch.bfloat16}
    assert torch.isfinite(drawn(pipe, texts)).all()
