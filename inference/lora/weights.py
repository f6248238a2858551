"""Reading a LoRA strictly: every tensor of the file lands on a layer of the model, or the file is refused by name.

A low-rank change of a linear layer is W + scale * (alpha / rank) * up @ down (Hu et al. 2021, arXiv:2106.09685).
`read_lora` gives these parts in the model's own names, whatever dialect the file speaks (`names.py`), and
raises `LoraError` for what would silently do nothing or something else: names left over, wrong shapes, a wrong base
model, contradicting metadata, NaN, a pair with one half, kinds of adapters that are not low-rank sums.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from inference.lora.file import LoraError, LoraHeader
from inference.lora.names import Place, Shapes, guess_model, name_table
from inference.lora.source import LoraFile

if TYPE_CHECKING:
    import torch

_ROLES = (
    (
        "down",
        r"\.(lora_A(\.[\w-]+)?|lora_down|lora\.down|lora_linear_layer\.down)\.weight$|\.lora_A$|(?<=lora)\.down\.weight$",
    ),
    ("up", r"\.(lora_B(\.[\w-]+)?|lora_up|lora\.up|lora_linear_layer\.up)\.weight$|\.lora_B$|(?<=lora)\.up\.weight$"),
    ("down", r"(?<=lora[12])\.down\.weight$"),
    ("up", r"(?<=lora[12])\.up\.weight$"),
    ("alpha", r"\.(lora_)?alpha$"),
)
_OTHER_KINDS = {
    "DoRA": r"dora_scale|lora_magnitude_vector",
    "LoHa": r"\.hada_w",
    "LoKr": r"\.lokr_w",
    "OFT": r"\.oft_",
    "a LoRA with changed biases or norms": r"lora_B\.bias$|\.diff_b$|\.diff$|\.set_weight$",
}
_FAMILIES = {"flux1": r"flux[-_.]?1|^flux$|flux[-_ ]?dev|flux[-_ ]?schnell|krea", "flux2": r"flux[-_.]?2|klein"}


@dataclass(frozen=True)
class LoraPart:
    """One layer's change: `up` [outputs, rank] @ `down` [rank, inputs] * `scale`, float32 on the CPU."""

    component: str
    layer: str
    down: "torch.Tensor"
    up: "torch.Tensor"
    scale: float


@dataclass(frozen=True)
class LoraWeights:
    """A LoRA that fits the model: its parts, and its file's name and SHA-256."""

    name: str
    sha256: str
    parts: tuple[LoraPart, ...]


@dataclass
class _Group:
    """What the file holds under one name: the two halves and alpha, by role, with the tensors' own names."""

    keys: dict[str, str] = field(default_factory=dict)


def read_lora(file: LoraFile, shapes: Shapes, family: str) -> LoraWeights:
    """The LoRA in `file` for a model with these layers. `family` is the profile's (`flux1`, `flux2`).

    Raises LoraError, which names the file, what is wrong with it and up to five tensors.
    """
    header = file.header()
    _check_family(file, header.metadata, family)
    groups, left = _grouped(list(header.tensors))
    table = name_table(shapes)
    unknown = [key for name, group in groups.items() if name not in table for key in group.keys.values()]
    if left or unknown:
        raise LoraError(_left_over(file, [*left, *unknown], len(header.tensors), list(header.tensors)))
    half = [key for group in groups.values() if not {"down", "up"} <= set(group.keys) for key in group.keys.values()]
    if half:
        raise LoraError(f"the LoRA {file.path} is damaged: without its other half: {_some(half)}")
    tensors = _load(file)
    alphas = _Alphas(file, header.metadata)
    parts: list[LoraPart] = []
    for name, group in groups.items():
        parts += _parts(
            file, name, {role: tensors[key] for role, key in group.keys.items()}, table[name], shapes, alphas
        )
    _check_whole(file, parts, header.metadata)
    return LoraWeights(file.name, file.sha256, tuple(parts))


def touches_encoders(header: LoraHeader) -> bool:
    """Whether a LoRA has anything for the text encoders, so that prompts are encoded differently with it."""
    return any(re.match(r"lora_te\d?_|text_encoder", name) for name in header.tensors)


def _grouped(keys: list[str]) -> tuple[dict[str, _Group], list[str]]:
    groups: dict[str, _Group] = {}
    left = []
    for key in keys:
        for role, pattern in _ROLES:
            found = re.search(pattern, key)
            if found:
                groups.setdefault(key[: found.start()], _Group()).keys[role] = key
                break
        else:
            left.append(key)
    return groups, left


def _parts(
    file: LoraFile,
    name: str,
    tensors: Mapping[str, "torch.Tensor"],
    places: tuple[Place, ...],
    shapes: Shapes,
    alphas: "_Alphas",
) -> list[LoraPart]:
    """The parts of one name: one, or as many as layers that the file's layer covers."""
    import torch

    down, up = (tensors[role].float().flatten(1) for role in ("down", "up"))
    for role, tensor in (("down", down), ("up", up)):
        if not torch.isfinite(tensor).all():
            raise LoraError(f"the LoRA {file.path} is broken: NaN or infinity in the {role} half of {name}")
    sizes = [shapes[place.component][place.layer] for place in places]
    outputs, inputs = sum(size[0] for size in sizes), sizes[0][1]
    rank = down.shape[0]
    if down.shape[1] != inputs or up.shape != (outputs, rank):
        raise LoraError(
            f"the LoRA {file.path} was made for another model: {name} is {up.shape[0]}x{down.shape[1]} with ranks "
            f"{up.shape[1]} and {rank}, this model's layer is {outputs}x{inputs}"
        )
    alpha = float(tensors["alpha"]) if "alpha" in tensors else None
    scale = alphas.scale(name, places[0].layer, rank, alpha)
    parts, row = [], 0
    for place, (rows, _inputs) in zip(places, sizes, strict=True):
        chunk = up[row : row + rows]
        row += rows
        if place.swapped:
            chunk = torch.cat(tuple(reversed(chunk.chunk(2))))
        parts.append(LoraPart(place.component, place.layer, down, chunk.contiguous(), scale))
    return parts


class _Alphas:
    """alpha / rank of each layer: from the file's alpha tensor, else from metadata or PEFT's configuration, else 1."""

    def __init__(self, file: LoraFile, metadata: Mapping[str, str]) -> None:
        self._file = file
        self._configs: list[dict[str, Any]] = []
        try:
            if file.config:
                self._configs.append(json.loads(file.config))
            if "lora_adapter_metadata" in metadata:
                flat: dict[str, Any] = json.loads(metadata["lora_adapter_metadata"])
                self._configs.append({key.removeprefix("transformer."): value for key, value in flat.items()})
            if not self._configs and "rank" in metadata and "alpha" in metadata:
                self._configs.append({"r": int(metadata["rank"]), "lora_alpha": float(metadata["alpha"])})
        except (ValueError, AttributeError) as error:
            raise LoraError(f"the LoRA {file.path} has unreadable metadata: {error}") from error
        if any(config.get("use_dora") for config in self._configs):
            raise LoraError(f"the LoRA {file.path} is DoRA, which is not supported: train a plain LoRA")

    def scale(self, name: str, layer: str, rank: int, alpha: float | None) -> float:
        """What up @ down of this layer is multiplied with. Raises LoraError where the metadata contradicts itself."""
        if alpha is not None:
            return alpha / rank
        for config in self._configs:
            stated = _by_pattern(config.get("rank_pattern"), layer, config.get("r"))
            if stated is not None and int(stated) != rank:
                raise LoraError(
                    f"the LoRA {self._file.path} contradicts itself: its metadata says rank {stated}, {name} has {rank}"
                )
            alpha = _by_pattern(config.get("alpha_pattern"), layer, config.get("lora_alpha"))
            if alpha is not None:
                return float(alpha) / (rank**0.5 if config.get("use_rslora") else rank)
        return 1.0


def _by_pattern(patterns: Any, layer: str, default: Any) -> Any:
    """PEFT's per-layer values: a pattern counts where the layer's name ends with it, after a dot or whole."""
    for pattern, value in (patterns or {}).items():
        if re.search(rf"(^|\.)({pattern})$", layer):
            return value
    return default


def _check_family(file: LoraFile, metadata: Mapping[str, str], family: str) -> None:
    fields = ("modelspec.architecture", "ss_base_model_version", "family", "base_model")
    said = " ".join(metadata.get(key, "") for key in fields).strip().lower()
    if not said or any(re.search(_FAMILIES[family], metadata.get(key, "").lower()) for key in fields):
        return
    for other, pattern in _FAMILIES.items():
        if other != family and any(re.search(pattern, metadata.get(key, "").lower()) for key in fields):
            raise LoraError(
                f"the LoRA {file.path} was made for {'FLUX.2' if other == 'flux2' else 'FLUX.1'} ({said}) and does not "
                "fit this model: choose another --profile or another LoRA"
            )


def _check_whole(file: LoraFile, parts: list[LoraPart], metadata: Mapping[str, str]) -> None:
    places = [(part.component, part.layer) for part in parts]
    twice = sorted({layer for component, layer in places if places.count((component, layer)) > 1})
    if twice:
        raise LoraError(f"the LoRA {file.path} changes layers twice, under two names: {_some(twice)}")
    if not any(part.up.any() and part.down.any() and part.scale for part in parts):
        raise LoraError(f"the LoRA {file.path} changes nothing: all its weights are zero")
    stated = metadata.get("ss_network_dim", "")
    ranks = {part.down.shape[0] for part in parts}
    # kohya may keep fused layers at three or four times the stated rank, one block a part.
    if stated.isdigit() and not ranks & {int(stated) * n for n in (1, 3, 4)} and "dims" not in str(metadata):
        raise LoraError(
            f"the LoRA {file.path} contradicts itself: its metadata says rank {stated}, its tensors {sorted(ranks)}"
        )


def _left_over(file: LoraFile, left: list[str], count: int, keys: list[str]) -> str:
    for kind, pattern in _OTHER_KINDS.items():
        if any(re.search(pattern, key) for key in left):
            return f"the LoRA {file.path} is {kind}, which is not supported: {_some(left)}"
    model = guess_model(keys)
    hint = f"; it looks made for {model}" if model else ""
    share = "none" if len(left) == count else f"{count - len(left)} of {count}"
    return f"the LoRA {file.path} does not fit this model: {share} of its tensors have a place, not {_some(left)}{hint}"


def _load(file: LoraFile) -> dict[str, "torch.Tensor"]:
    from safetensors import SafetensorError
    from safetensors.torch import load, load_file

    try:
        return load(file.data()) if file.member else load_file(file.path)
    except (SafetensorError, OSError) as error:
        raise LoraError(f"the LoRA file {file.path} is damaged: {error}; copy it again") from error


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
