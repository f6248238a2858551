"""About twenty LoRA files of the wild: correct, which is equal to the same change added by hand, or refused aloud.

`bare` says what diffusers' own `load_lora_weights` does with the same file, tried beside it: `right`, `wrong` (it
loads and draws something else), `silent` (it loads what should have been refused) or the exception that it raises.
Its kohya reader asserts the width 3072 of the full-size FLUX.1, hence AssertionError at this size.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch

from inference.lora.file import LoraError
from inference.lora.merge import LoraSlot, linear_layers, shapes_of
from inference.lora.source import find_lora
from inference.lora.weights import read_lora
from tests.inference.lora.lora_files import (
    RANK,
    WIDTH,
    Change,
    Tensors,
    bfl,
    diffusers_peft,
    kohya,
    pair,
    rand,
    write,
    xlabs,
)

ENCODER = "encoder.layers.0.self_attn.q_proj"


@dataclass(frozen=True)
class Case:
    name: str
    make: Callable[[], tuple[Tensors, Change]]
    bare: str
    error: str = ""
    metadata: dict[str, str] = field(default_factory=dict)


def with_clip() -> tuple[Tensors, Change]:
    tensors, change = kohya(2.0)
    down, up = pair(50, WIDTH)
    name = "lora_te1_text_model_encoder_layers_0_self_attn_q_proj"
    tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up, f"{name}.alpha": torch.tensor(2.0)}
    return tensors, change | {"text_encoder:" + ENCODER: up @ down * 0.5}


def with_t5() -> tuple[Tensors, Change]:
    tensors, change = kohya(None)
    down, up = pair(51, WIDTH)
    name = "lora_te3_encoder_block_0_layer_0_SelfAttention_q"
    tensors |= {f"{name}.lora_down.weight": down, f"{name}.lora_up.weight": up}
    return tensors, change | {"text_encoder_2:encoder.block.0.layer.0.SelfAttention.q": up @ down}


def scaled(factor: float) -> tuple[Tensors, Change]:
    tensors, change = diffusers_peft()
    return tensors, {layer: delta * factor for layer, delta in change.items()}


def half_unknown() -> tuple[Tensors, Change]:
    tensors, _ = diffusers_peft()
    down, up = pair(9, WIDTH)
    return tensors | {"transformer.blocks.7.x.lora_A.weight": down, "transformer.blocks.7.x.lora_B.weight": up}, {}


def flux2() -> tuple[Tensors, Change]:
    down, up = pair(1, 7 * WIDTH)
    name = "transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj"
    return {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, {}


def wide() -> tuple[Tensors, Change]:
    down, up = rand(1, RANK, 2 * WIDTH), rand(2, 2 * WIDTH, RANK)
    name = "transformer.transformer_blocks.0.attn.to_q"
    return {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, {}


def deeper() -> tuple[Tensors, Change]:
    down, up = pair(1, WIDTH)
    name = "transformer.transformer_blocks.7.attn.to_q"
    return {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up}, {}


def one_half() -> tuple[Tensors, Change]:
    tensors, _ = diffusers_peft()
    del tensors["transformer.transformer_blocks.0.attn.to_q.lora_B.weight"]
    return tensors, {}


def with_nan() -> tuple[Tensors, Change]:
    tensors, _ = diffusers_peft()
    tensors["transformer.transformer_blocks.0.attn.to_q.lora_B.weight"][3, 1] = float("nan")
    return tensors, {}


def zeros() -> tuple[Tensors, Change]:
    tensors, _ = diffusers_peft()
    return {name: torch.zeros_like(t) if "lora_B" in name else t for name, t in tensors.items()}, {}


def dora() -> tuple[Tensors, Change]:
    tensors, _ = diffusers_peft()
    return tensors | {"transformer.transformer_blocks.0.attn.to_q.lora_magnitude_vector": rand(3, WIDTH)}, {}


def lokr() -> tuple[Tensors, Change]:
    """LyCORIS's Kronecker product, one factor whole, one a product of two, alpha 2 over rank 4."""
    w1, a, b = rand(3, 4, 4), rand(4, 8, RANK), rand(5, RANK, 8)
    name = "lora_unet_double_blocks_0_img_attn_proj"
    tensors = {
        f"{name}.lokr_w1": w1,
        f"{name}.lokr_w2_a": a,
        f"{name}.lokr_w2_b": b,
        f"{name}.alpha": torch.tensor(2.0),
    }
    return tensors, {"transformer_blocks.0.attn.to_out.0": torch.kron(w1, a @ b) * 0.5}


def half_a_lokr() -> tuple[Tensors, Change]:
    return {"lora_unet_double_blocks_0_img_attn_proj.lokr_w1": rand(3, 4, 4)}, {}


def loha() -> tuple[Tensors, Change]:
    return {"lora_unet_double_blocks_0_img_attn_proj.hada_w1_a": rand(3, 4, 4)}, {}


def twice() -> tuple[Tensors, Change]:
    return diffusers_peft()[0] | bfl()[0], {}


def peft_metadata(r: int, alpha: int) -> dict[str, str]:
    layers = sorted(diffusers_peft()[1])
    config = {"transformer.r": r, "transformer.lora_alpha": alpha, "transformer.target_modules": layers}
    return {"lora_adapter_metadata": json.dumps(config)}


CASES = [
    Case("diffusers", diffusers_peft, "right"),
    Case("diffusers, alpha in metadata", lambda: scaled(2.0), "right", metadata=peft_metadata(RANK, 2 * RANK)),
    Case("PEFT without a prefix", lambda: diffusers_peft(""), "wrong"),
    Case("PEFT's own base_model.model", lambda: diffusers_peft("base_model.model."), "KeyError"),
    Case("diffusers names under diffusion_model", lambda: diffusers_peft("diffusion_model."), "wrong"),
    Case("kohya with alpha", lambda: kohya(2.0), "AssertionError"),
    Case("kohya without alpha", lambda: kohya(None), "AssertionError"),
    Case("kohya with CLIP", with_clip, "AssertionError"),
    Case("kohya with T5", with_t5, "AssertionError"),
    Case("XLabs", xlabs, "right"),
    Case("BFL names under diffusion_model", bfl, "wrong"),
    Case("BFL names alone", lambda: bfl(""), "wrong"),
    Case("half unknown", half_unknown, "silent", error=r"8 of 10 .* transformer\.blocks\.7\.x\.lora_A\.weight"),
    Case("for FLUX.2", flux2, "NoMatchingPeftModuleError", error=r"none of its tensors .* made for FLUX\.2"),
    Case("for FLUX.2, by its header", diffusers_peft, "silent", r"FLUX\.2", {"modelspec.architecture": "flux-2-klein"}),
    Case("another width", wide, "RuntimeError", error="made for another model: .* 64x64 .* 32x32"),
    Case("a deeper model", deeper, "NoMatchingPeftModuleError", error=r"transformer_blocks\.7"),
    Case("one half missing", one_half, "KeyError", error="without its other half"),
    Case("wrong rank in metadata", diffusers_peft, "RuntimeError", "metadata says rank 8", peft_metadata(8, 8)),
    Case(
        "wrong rank by kohya", lambda: kohya(2.0), "AssertionError", "metadata says rank 64", {"ss_network_dim": "64"}
    ),
    Case("NaN", with_nan, "silent", error="NaN"),
    Case("all zero", zeros, "silent", error="changes nothing"),
    Case("DoRA", dora, "RuntimeError", error="DoRA"),
    Case("LoKr", lokr, "wrong"),
    Case("half a LoKr", half_a_lokr, "silent", error="without its other half"),
    Case("LoHa", loha, "silent", error="is LoHa, which is not supported"),
    Case("two names for one layer", twice, "silent", error="twice"),
]


@pytest.fixture(scope="module")
def pipe(tiny_flux: Path) -> Any:
    return load(tiny_flux)


def load(folder: Path) -> Any:
    from diffusers import FluxPipeline

    pipe = FluxPipeline.from_pretrained(folder)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def components(pipe: Any) -> dict[str, Any]:
    return {name: getattr(pipe, name) for name in ("transformer", "text_encoder", "text_encoder_2")}


def draw(pipe: Any) -> torch.Tensor:
    """The latents after three steps: prompt, both encoders and the transformer in one number after another."""
    seed = torch.Generator().manual_seed(5)
    return pipe(
        "samurai, a", width=32, height=32, num_inference_steps=3, generator=seed, max_sequence_length=16,
        output_type="latent",
    ).images  # fmt: skip


def by_hand(pipe: Any, change: Change, sign: int) -> None:
    parts = components(pipe)
    for name, delta in change.items():
        component, _, layer = name.rpartition(":")
        with torch.no_grad():
            linear_layers(parts[component or "transformer"])[layer].weight.add_(delta, alpha=sign)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_correct_or_loud(case: Case, pipe: Any, tmp_path: Path) -> None:
    tensors, change = case.make()
    path = write(tmp_path / "style.safetensors", tensors, case.metadata)
    if case.error:
        before = draw(pipe)
        with pytest.raises(LoraError, match=case.error) as caught:
            read_lora(find_lora(str(path)), shapes_of(components(pipe)), "flux1")
        assert str(path) in str(caught.value)
        assert "\n" not in str(caught.value)
        assert torch.equal(draw(pipe), before)
        return
    plain = draw(pipe)
    clean = {name: {k: v.clone() for k, v in part.state_dict().items()} for name, part in components(pipe).items()}
    by_hand(pipe, change, 1)
    expected = draw(pipe)
    for name, part in components(pipe).items():
        part.load_state_dict(clean[name])
    assert (expected - plain).abs().max() > 1e-3, "the case changes too little to show anything"

    lora = read_lora(find_lora(str(path)), shapes_of(components(pipe)), "flux1")
    slots = {name: LoraSlot(part) for name, part in components(pipe).items()}
    for name, slot in slots.items():
        slot.put([part for part in lora.parts if part.component == name], 1.0)
    assert (draw(pipe) - expected).abs().max() <= 1e-5
    for slot in slots.values():
        slot.put([], 1.0)
    assert torch.equal(draw(pipe), plain)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_diffusers_alone_does(case: Case, tiny_flux: Path, tmp_path: Path) -> None:
    """The column `bare`: kept true, since the reasons for a loader of our own stand and fall with it."""
    tensors, change = case.make()
    path = write(tmp_path / "style.safetensors", tensors, case.metadata)
    bare = load(tiny_flux)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            bare.load_lora_weights(tmp_path, weight_name=path.name, adapter_name="a", use_safetensors=True)
        drawn = draw(bare)
    except Exception as error:  # noqa: BLE001 - whatever it is, its name is the outcome
        outcome = type(error).__name__
    else:
        bare.unload_lora_weights()
        by_hand(bare, change, 1)
        outcome = "silent" if case.error else "right" if torch.allclose(draw(bare), drawn, atol=1e-4) else "wrong"
    assert outcome == case.bare
