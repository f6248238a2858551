"""Writing the finished LoRA: diffusers/PEFT form, kohya/ComfyUI form; read back and compared before success is said.

`lora.safetensors` is written with diffusers' own names and PEFT's metadata, so that alpha survives. The kohya form
fuses q, k and v as Black Forest Labs' checkpoints do: the three downs one under another, the ups as a block diagonal,
alpha grown with the rank, which is the same change exactly. Both files are read back with the bot's own reader, and
each layer's change is compared with the trained one; then diffusers loads the first one beside the trained adapter.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from inference.errors import RenderError
from inference.lora.card import LoraCard
from inference.lora.names import Shapes, name_table
from inference.lora.source import find_lora
from inference.lora.weights import read_lora
from training.errors import TrainingFailed
from training.local.artifacts.checkpoint import save_aside
from training.local.base import Base
from training.local.lora_layers import LoraLayers

NEAR = 0.01
"""Largest relative difference of a read-back change: 16-bit rounding is about 0.0005."""
LEAST_EFFECT = 1e-4
"""Least relative change of the velocity that counts as one."""

Values = Mapping[str, Tensor]


def write_diffusers(path: Path, lora: LoraLayers, values: Values, card: LoraCard) -> None:
    """`values` (by `...to_q.lora_A.weight`) as diffusers names them, in 16 bits, with PEFT's metadata and the card."""
    from diffusers.loaders.lora_base import LORA_ADAPTER_METADATA_KEY

    tensors = {f"transformer.{name}": tensor for name, tensor in _sixteen_bit(values).items()}
    header = card.metadata() | {"format": "pt", LORA_ADAPTER_METADATA_KEY: _adapter_metadata(lora)}
    save_aside(tensors, path, header)


def write_kohya(path: Path, values: Values, card: LoraCard, shapes: Shapes) -> None:
    """The same in kohya's names, which ComfyUI reads. Raises TrainingFailed for a layer that has no such name."""
    names = {
        n: places for n, places in name_table(shapes).items() if n.startswith("lora_unet_") and "processor" not in n
    }
    layers = {name.rsplit(".lora_", 1)[0] for name in values}
    tensors: dict[str, Tensor] = {}
    done: set[str] = set()
    blocks = ("lora_unet_double_blocks", "lora_unet_single_blocks")
    # Names that cover several layers first: theirs is the checkpoint's own layout.
    for name, places in sorted(names.items(), key=lambda each: -len(each[1])):
        covered = [place.layer for place in places]
        fits = name.startswith(blocks) and layers.intersection(covered) and not done.intersection(covered)
        if not fits or any(place.swapped for place in places):
            continue
        downs, ups = [], []
        for layer in covered:
            if layer in layers:
                downs.append(values[f"{layer}.lora_A.weight"])
                ups.append(values[f"{layer}.lora_B.weight"])
            else:
                downs.append(torch.zeros(0, shapes["transformer"][layer][1]))
                ups.append(torch.zeros(shapes["transformer"][layer][0], 0))
        down, up = torch.cat(downs), torch.block_diag(*ups)  # type: ignore[no-untyped-call]
        tensors[f"{name}.lora_down.weight"], tensors[f"{name}.lora_up.weight"] = down, up
        tensors[f"{name}.alpha"] = torch.tensor(card.alpha / card.rank * down.shape[0])
        done.update(covered)
    if layers - done:
        raise TrainingFailed(f"{min(layers - done)} has no name in ComfyUI's form: leave --export comfyui out")
    alphas = {name: tensor for name, tensor in tensors.items() if name.endswith(".alpha")}
    version = "flux1" if card.family == "flux1" else "flux2"
    header = card.metadata() | {
        "format": "pt",
        "ss_network_module": "networks.lora_flux",
        "ss_base_model_version": version,
    }
    save_aside(_sixteen_bit({n: t for n, t in tensors.items() if n not in alphas}) | alphas, path, header)


def verify_file(path: Path, values: Values, scale: float, shapes: Shapes, family: str) -> float:
    """Read `path` as the bot does and compare each layer's change with the trained one.

    Returns the largest relative difference. Raises TrainingFailed where that is more than rounding.
    """
    try:
        parts = {part.layer: part for part in read_lora(find_lora(str(path)), shapes, family).parts}
    except RenderError as error:
        raise TrainingFailed(f"the LoRA just written cannot be read back: {error}") from error
    layers = {name.rsplit(".lora_", 1)[0] for name in values}
    if set(parts) != layers:
        odd = sorted(set(parts) ^ layers)
        raise TrainingFailed(f"{path} does not hold the layers that were trained: {len(odd)} differ, {odd[0]} first")
    worst = 0.0
    for layer in layers:
        trained = (values[f"{layer}.lora_B.weight"].float() @ values[f"{layer}.lora_A.weight"].float()) * scale
        read = parts[layer].change()
        size = float(trained.norm())
        if size:
            worst = max(worst, float((read - trained).norm()) / size)
    if worst > NEAR:
        raise TrainingFailed(f"{path} reads back differently: {worst:.2%} off in one layer")
    return worst


def measure_effect(lora: LoraLayers, probe: Callable[[], Tensor]) -> float:
    """How far the LoRA moves what `probe` predicts on fixed input, relative to it.

    Raises TrainingFailed where that is nothing.
    """
    with torch.no_grad():
        with lora.off():
            plain = probe()
        effect = float((probe() - plain).norm() / plain.norm())
    if not effect > LEAST_EFFECT:
        raise TrainingFailed(
            f"the LoRA has no measurable effect ({effect:.1e} of the prediction): train longer or raise --lr"
        )
    return effect


def verify_diffusers(path: Path, base: Base, lora: LoraLayers, probe: Callable[[], Tensor]) -> float:
    """Load `path` with diffusers itself beside the trained adapter and compare what `probe` predicts.

    Returns the difference relative to the LoRA's effect. Raises TrainingFailed where diffusers reads something else
    than was trained.
    """
    with torch.no_grad():
        with lora.off():
            plain = probe()
        trained = probe()
        pipe = base.pipeline(lora.transformer, None)
        with warnings.catch_warnings():
            # PEFT wonders about two adapters in one model; here that is the point.
            warnings.filterwarnings("ignore", "Already found a `peft_config`|Adapter check was active")
            pipe.load_lora_weights(path.parent, weight_name=path.name, adapter_name="check", use_safetensors=True)
            try:
                pipe.set_adapters("check")
                loaded = probe()
            finally:
                pipe.delete_adapters("check")
                lora.transformer.set_adapter("default")
    difference = float((loaded - trained).norm() / (trained - plain).norm())
    if difference > 5 * NEAR:
        raise TrainingFailed(f"{path} loads differently in diffusers: {difference:.2%} of the LoRA's effect off")
    return difference


def _sixteen_bit(values: Values) -> dict[str, Tensor]:
    """fp16, or bf16 where a value is too large for it."""
    largest = max((float(tensor.abs().max()) for tensor in values.values() if tensor.numel()), default=0.0)
    kind = torch.float16 if largest < 60_000 else torch.bfloat16
    return {name: tensor.to(kind) for name, tensor in values.items()}


def _adapter_metadata(lora: LoraLayers) -> str:
    import json

    config: dict[str, Any] = lora.transformer.peft_config["default"].to_dict()
    packed = {f"transformer.{key}": sorted(v) if isinstance(v, set) else v for key, v in config.items()}
    return json.dumps(packed, indent=2, sort_keys=True, default=str)
