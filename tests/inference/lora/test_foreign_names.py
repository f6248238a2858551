"""Names in LoRA files of the field: dialects, families, the last modulation."""

from pathlib import Path

import pytest
import torch

from inference.lora.names import guess_model
from inference.lora.source import find_lora
from inference.lora.weights import touches_encoders
from tests.inference.lora.foreign import LAYER, changes, delta, one, refused
from tests.inference.lora.lora_files import WIDTH, pair, rand, write


@pytest.mark.parametrize("family", ["flux1", "flux2"])
@pytest.mark.parametrize("prefix", ["", "diffusion_model.", "lora_unet_"])
def test_the_last_modulation_is_swapped_as_diffusers_converts_base_weights(
    family: str, prefix: str, tmp_path: Path
) -> None:
    from diffusers.loaders.single_file_utils import convert_flux2_transformer_checkpoint_to_diffusers, swap_scale_shift

    name = "final_layer.adaLN_modulation.1"
    down, up = pair(1, 2 * WIDTH)
    spelled = prefix + (name.replace(".", "_") if prefix == "lora_unet_" else name)
    halves = ("lora_down", "lora_up") if prefix == "lora_unet_" else ("lora_A", "lora_B")
    path = write(
        tmp_path / "x.safetensors", {f"{spelled}.{halves[0]}.weight": down, f"{spelled}.{halves[1]}.weight": up}
    )
    base = rand(9, 2 * WIDTH, WIDTH)

    def convert(weight: torch.Tensor) -> torch.Tensor:
        if family == "flux1":
            return swap_scale_shift(weight, dim=0)
        return convert_flux2_transformer_checkpoint_to_diffusers({f"{name}.weight": weight})["norm_out.linear.weight"]

    assert torch.allclose(
        changes(path, family)["norm_out.linear"], convert(base + up @ down) - convert(base), atol=1e-5
    )


DIALECTS = {
    "trailing underscore": "lora_unet_transformer_blocks_0_attn_to_q_",
    "compiled": f"transformer._orig_mod.{LAYER}",
    "compiled inside": "transformer.transformer_blocks.0._orig_mod.attn.to_q",
    "compiled PEFT": f"base_model.model._orig_mod.{LAYER}",
    "FSDP": "transformer._fsdp_wrapped_module.transformer_blocks.0._fsdp_wrapped_module.attn.to_q",
    "DDP": f"module.{LAYER}",
    "LyCORIS": "lycoris_transformer_blocks_0_attn_to_q",
    "kohya dotted": f"lora_unet.{LAYER}",
    "kohya over diffusers": "lora_transformer_transformer_blocks_0_attn_to_q",
}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialects_that_differ_in_wrapping_alone(name: str, tmp_path: Path) -> None:
    assert torch.equal(changes(write(tmp_path / "x.safetensors", one(DIALECTS[name])))[LAYER], delta())


@pytest.mark.parametrize(
    "name",
    ["lora_te1.text_model.encoder.layers.0.self_attn.q_proj", "lora_te1_text_model_encoder_layers_0_self_attn_q_proj",
     "text_encoder._orig_mod.text_model.encoder.layers.0.self_attn.q_proj",
     "lycoris_te1_text_model_encoder_layers_0_self_attn_q_proj", "text_encoder.encoder.layers.0.self_attn.q_proj_"],
)  # fmt: skip
def test_dialects_of_the_encoder(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", one(name))
    assert touches_encoders(find_lora(str(path)).header())
    assert torch.equal(changes(path)["text_encoder:encoder.layers.0.self_attn.q_proj"], delta())


@pytest.mark.parametrize(
    ("names", "model"),
    [
        (["transformer.transformer_blocks.3.ff.gate.lora_A.weight"], "Krea 2"),
        (["diffusion_model.blocks.3.attn.wq.lora_A.weight"], "Krea 2"),
        (["lora_unet_blocks_6_attn_wv.lora_down.weight"], "Krea 2"),
        (["transformer.text_fusion.0.to_q.lora_A.weight"], "Krea 2"),
        (["diffusion_model.content_mode_blocks.0.q_proj.lora_A.weight"], "FLUX.3"),
        (["transformer.single_transformer_blocks.0.ff.linear_in.lora_A.weight"], "FLUX.3"),
        (["transformer.single_transformer_blocks.0.attn.to_qkv_mlp_proj.lora_A.weight"], "FLUX.2"),
        (["transformer.transformer_blocks.0.ff.linear_in.lora_A.weight"], "FLUX.2"),
        (["lora_unet_single_blocks_0_modulation_lin.lora_down.weight"], "FLUX.1"),
        (["lora_unet_down_blocks_0_attn.lora_down.weight"], "SDXL or SD 1.5"),
    ],
)
def test_families_are_told_by_their_tensors(names: list[str], model: str, tmp_path: Path) -> None:
    assert guess_model(names) == model
    refused(write(tmp_path / "x.safetensors", {names[0]: rand(1, 4, 4)}), f"does not fit this model.*made for {model}")


@pytest.mark.parametrize("said", ["krea-2-turbo", "krea", "flux-3", "flux.1-krea-dev", "klein", "flux-1-dev/lora", ""])
def test_words_of_a_header_refuse_no_file_that_fits(said: str, tmp_path: Path) -> None:
    path = write(tmp_path / "x.safetensors", one(), {"modelspec.architecture": said})
    assert LAYER in changes(path, "flux1")
    if "flux-1" not in said and "flux.1" not in said:
        assert LAYER in changes(path, "flux2")
