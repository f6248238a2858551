"""LoKr files are merged exactly, or refused."""

from pathlib import Path

import pytest
import torch

from tests.inference.lora.foreign import LAYER, changes, refused
from tests.inference.lora.lora_files import RANK, WIDTH, rand, write


@pytest.mark.parametrize("first", ["whole", "product"])
@pytest.mark.parametrize("second", ["whole", "product"])
@pytest.mark.parametrize("alpha", [None, 2.0])
@pytest.mark.parametrize("where", ["one layer", "three layers"])
def test_lokr_is_merged_exactly(first: str, second: str, alpha: float | None, where: str, tmp_path: Path) -> None:
    rows = 1 if where == "one layer" else 3
    name = f"diffusion_model.{LAYER}" if rows == 1 else "diffusion_model.double_blocks.0.img_attn.qkv"
    a1, b1, a2, b2 = rand(1, 4 * rows, 2), rand(2, 2, 8), rand(3, 8, RANK), rand(4, RANK, 4)
    tensors = {f"{name}.lokr_w1": a1 @ b1} if first == "whole" else {f"{name}.lokr_w1_a": a1, f"{name}.lokr_w1_b": b1}
    tensors |= {f"{name}.lokr_w2": a2 @ b2} if second == "whole" else {f"{name}.lokr_w2_a": a2, f"{name}.lokr_w2_b": b2}
    scale = 1.0
    if alpha is not None:
        tensors[f"{name}.alpha"] = torch.tensor(alpha)
        scale = alpha / RANK if second == "product" else alpha / 2 if first == "product" else 1.0
    expected = torch.kron(a1 @ b1, a2 @ b2) * scale
    heads = "q" if rows == 1 else "qkv"
    for family in ("flux1", "flux2"):
        found = changes(write(tmp_path / "x.safetensors", tensors), family)
        for head, change in zip(heads, expected.chunk(rows), strict=True):
            assert torch.allclose(found[f"transformer_blocks.0.attn.to_{head}"], change, atol=1e-5)


def test_lokr_rows_that_fall_within_a_factor(tmp_path: Path) -> None:
    """Three layers from a first factor of one row: each layer's rows lie inside the second factor."""
    name = "lora_unet_double_blocks_0_img_attn_qkv"
    w1, w2 = rand(1, 2, 8), rand(2, 48, 4)
    found = changes(write(tmp_path / "x.safetensors", {f"{name}.lokr_w1": w1, f"{name}.lokr_w2": w2}))
    for head, change in zip("qkv", torch.kron(w1, w2).chunk(3), strict=True):
        assert torch.equal(found[f"transformer_blocks.0.attn.to_{head}"], change)


def test_lokr_that_does_not_fit_or_holds_nan(tmp_path: Path) -> None:
    name = f"diffusion_model.{LAYER}"
    tensors = {f"{name}.lokr_w1": rand(1, 4, 4), f"{name}.lokr_w2": rand(2, 7, 8)}
    refused(write(tmp_path / "x.safetensors", tensors), "made for another model: .* is 28x32")
    tensors = {f"{name}.lokr_w1": rand(1, 4, 4), f"{name}.lokr_w2": torch.full((8, 8), float("nan"))}
    refused(write(tmp_path / "y.safetensors", tensors), "NaN or infinity in w2")
    tensors = {f"{name}.lokr_w1": rand(1, 4, 4), f"{name}.lokr_w2": rand(2, 8, 8), f"{name}.dora_scale": rand(3, WIDTH)}
    refused(write(tmp_path / "z.safetensors", tensors), "DoRA")
