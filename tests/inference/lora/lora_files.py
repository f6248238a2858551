"""Synthetic LoRA files in the dialects of the wild, all written from the same known low-rank changes.

Each writer is a few lines that know nothing of the reader: they spell out where a trainer puts which tensor.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import save_file

RANK = 4
WIDTH = 32
HEADS = ("attn.to_q", "attn.to_k", "attn.to_v")

Tensors = dict[str, torch.Tensor]
Change = dict[str, torch.Tensor]
"""Layer of the transformer to what is added to its weight."""


def rand(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)) * 0.3


def pair(seed: int, outputs: int, inputs: int = WIDTH, rank: int = RANK) -> tuple[torch.Tensor, torch.Tensor]:
    """(down, up) of one layer."""
    return rand(seed, rank, inputs), rand(seed + 1000, outputs, rank)


def diffusers_peft(prefix: str = "transformer.") -> tuple[Tensors, Change]:
    tensors, change = {}, {}
    layers = {"transformer_blocks.0.attn.to_q": WIDTH, "transformer_blocks.1.ff.net.0.proj": 4 * WIDTH}
    layers |= {"single_transformer_blocks.0.attn.to_k": WIDTH, "transformer_blocks.0.norm1.linear": 6 * WIDTH}
    for n, (layer, outputs) in enumerate(layers.items()):
        down, up = pair(n, outputs)
        tensors[f"{prefix}{layer}.lora_A.weight"], tensors[f"{prefix}{layer}.lora_B.weight"] = down, up
        change[layer] = up @ down
    return tensors, change


def kohya(alpha: float | None) -> tuple[Tensors, Change]:
    """Fused layers of Black Forest Labs under kohya's underscores; alpha as a tensor beside each pair."""
    scale = 1.0 if alpha is None else alpha / RANK
    tensors, change = {}, {}

    def put(name: str, seed: int, layers: tuple[str, ...], rows: tuple[int, ...], inputs: int = WIDTH) -> None:
        down, up = pair(seed, sum(rows), inputs)
        tensors[f"lora_unet_{name}.lora_down.weight"], tensors[f"lora_unet_{name}.lora_up.weight"] = down, up
        if alpha is not None:
            tensors[f"lora_unet_{name}.alpha"] = torch.tensor(alpha)
        for layer, delta in zip(layers, (up @ down * scale).split(rows), strict=True):
            change[layer] = delta

    double, single = "transformer_blocks.1.", "single_transformer_blocks.1."
    put("double_blocks_1_img_attn_qkv", 1, tuple(double + h for h in HEADS), (WIDTH,) * 3)
    text = ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")
    put("double_blocks_1_txt_attn_qkv", 2, tuple(double + h for h in text), (WIDTH,) * 3)
    put("double_blocks_1_img_attn_proj", 3, (double + "attn.to_out.0",), (WIDTH,))
    put("double_blocks_1_txt_mlp_2", 4, (double + "ff_context.net.2",), (WIDTH,), 4 * WIDTH)
    put("double_blocks_1_img_mod_lin", 5, (double + "norm1.linear",), (6 * WIDTH,))
    fused = (*(single + h for h in HEADS), single + "proj_mlp")
    put("single_blocks_1_linear1", 6, fused, (WIDTH, WIDTH, WIDTH, 4 * WIDTH))
    put("single_blocks_1_linear2", 7, (single + "proj_out",), (WIDTH,), 5 * WIDTH)
    put("single_blocks_1_modulation_lin", 8, (single + "norm.linear",), (3 * WIDTH,))
    return tensors, change


def xlabs() -> tuple[Tensors, Change]:
    tensors, change = {}, {}
    down, up = pair(1, 3 * WIDTH)
    name = "double_blocks.0.processor.qkv_lora1"
    tensors[f"{name}.down.weight"], tensors[f"{name}.up.weight"] = down, up
    for head, delta in zip(HEADS, (up @ down).chunk(3), strict=True):
        change[f"transformer_blocks.0.{head}"] = delta
    down, up = pair(2, WIDTH)
    name = "double_blocks.0.processor.proj_lora2"
    tensors[f"{name}.down.weight"], tensors[f"{name}.up.weight"] = down, up
    change["transformer_blocks.0.attn.to_add_out"] = up @ down
    return tensors, change


def bfl(prefix: str = "diffusion_model.") -> tuple[Tensors, Change]:
    """Black Forest Labs' own names with lora_A and lora_B, as ComfyUI trainers write them."""
    tensors, change = {}, {}
    down, up = pair(1, 3 * WIDTH)
    tensors[f"{prefix}double_blocks.0.img_attn.qkv.lora_A.weight"] = down
    tensors[f"{prefix}double_blocks.0.img_attn.qkv.lora_B.weight"] = up
    for head, delta in zip(HEADS, (up @ down).chunk(3), strict=True):
        change[f"transformer_blocks.0.{head}"] = delta
    down, up = pair(2, 2 * WIDTH)
    tensors[f"{prefix}final_layer.adaLN_modulation.1.lora_A.weight"] = down
    tensors[f"{prefix}final_layer.adaLN_modulation.1.lora_B.weight"] = up
    shift, scale = (up @ down).chunk(2)
    change["norm_out.linear"] = torch.cat((scale, shift))
    down, up = pair(3, WIDTH)
    tensors[f"{prefix}vector_in.in_layer.lora_A.weight"] = down
    tensors[f"{prefix}vector_in.in_layer.lora_B.weight"] = up
    change["time_text_embed.text_embedder.linear_1"] = up @ down
    return tensors, change


def write(path: Path, tensors: Tensors, metadata: dict[str, str] | None = None) -> Path:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path, metadata)
    return path


Writer = Callable[[], tuple[Tensors, Change]]
