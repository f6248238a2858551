"""What the tests of foreign LoRA files share: shapes of two models, and what a file changes or why it is refused."""

from pathlib import Path

import pytest
import torch

from inference.lora.file import LoraError
from inference.lora.source import find_lora
from inference.lora.weights import read_lora
from tests.inference.lora.lora_files import WIDTH, Tensors, diffusers_peft, pair

LAYER = "transformer_blocks.0.attn.to_q"
FLUX1: dict[str, dict[str, tuple[int, int]]] = {
    "transformer": {
        **{layer: tuple(delta.shape) for layer, delta in diffusers_peft()[1].items()},  # type: ignore[dict-item]
        **{f"transformer_blocks.0.attn.to_{head}": (WIDTH, WIDTH) for head in "kv"},
        "norm_out.linear": (2 * WIDTH, WIDTH),
    },
    "text_encoder": {"encoder.layers.0.self_attn.q_proj": (WIDTH, WIDTH)},
    "text_encoder_2": {"encoder.block.0.layer.0.SelfAttention.q": (WIDTH, WIDTH)},
}
FLUX2: dict[str, dict[str, tuple[int, int]]] = {
    "transformer": {
        "single_transformer_blocks.0.attn.to_qkv_mlp_proj": (9 * WIDTH, WIDTH),
        "transformer_blocks.0.attn.to_q": (WIDTH, WIDTH),
        "transformer_blocks.0.attn.to_k": (WIDTH, WIDTH),
        "transformer_blocks.0.attn.to_v": (WIDTH, WIDTH),
        "norm_out.linear": (2 * WIDTH, WIDTH),
    }
}


def changes(path: Path, family: str = "flux1") -> dict[str, torch.Tensor]:
    lora = read_lora(find_lora(str(path)), FLUX1 if family == "flux1" else FLUX2, family)
    return {
        (part.component + ":" if part.component != "transformer" else "") + part.layer: part.change()
        for part in lora.parts
    }


def one(name: str = f"transformer.{LAYER}", **more: torch.Tensor) -> Tensors:
    down, up = pair(1, WIDTH)
    return {f"{name}.lora_A.weight": down, f"{name}.lora_B.weight": up} | {f"{name}.{k}": v for k, v in more.items()}


def delta() -> torch.Tensor:
    down, up = pair(1, WIDTH)
    return up @ down


def refused(path: Path, said: str, family: str = "flux1") -> None:
    with pytest.raises(LoraError, match=said) as caught:
        changes(path, family)
    assert "\n" not in str(caught.value)
