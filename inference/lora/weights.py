"""Reading a LoRA strictly: every tensor of the file lands on a layer of the model, or the file is refused by name.

`read_lora` gives the changes (`parts.py`) in the model's own names, whatever dialect the file speaks (`names.py`), and
raises `LoraError` for what would silently do nothing or something else: names left over, wrong shapes, a wrong base
model, contradicting metadata, numbers that are not finite, a pair with one half, kinds of adapters that are neither
low-rank sums nor Kronecker products.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from configs.printable import printable
from inference.lora.alpha import Alphas
from inference.lora.family import check_family
from inference.lora.file import LoraError, LoraHeader
from inference.lora.names import LinearLayer, Resolver, Shapes, for_encoder, guess_model
from inference.lora.parts import LARGEST, KroneckerPart, LoraPart, LowRankPart
from inference.lora.source import LoraFile

if TYPE_CHECKING:
    import torch

__all__ = ["LoraPart", "LoraWeights", "read_lora", "touches_encoders"]

_ROLES = (
    (
        "down",
        r"\.(lora_A(\.[\w-]+)?|lora_down|lora\.down|lora_linear_layer\.down)\.weight$|\.lora_A$|(?<=lora)\.down\.weight$",
    ),
    ("up", r"\.(lora_B(\.[\w-]+)?|lora_up|lora\.up|lora_linear_layer\.up)\.weight$|\.lora_B$|(?<=lora)\.up\.weight$"),
    ("down", r"(?<=lora[12])\.down\.weight$"),
    ("up", r"(?<=lora[12])\.up\.weight$"),
    ("alpha", r"\.(lora_)?alpha$"),
    *((role, rf"\.lokr_{role}$") for role in ("w1", "w2", "w1_a", "w1_b", "w2_a", "w2_b")),
)
_OTHER_KINDS = {
    "DoRA": r"dora_scale|lora_magnitude_vector",
    "LoHa": r"\.hada_w",
    "LoKr of convolutions": r"\.lokr_t2",
    "OFT": r"\.oft_",
    "a LoRA with changed biases or norms": r"lora_B\.bias$|\.diff_b$|\.diff$|\.set_weight$",
}
_FLOATS = ("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2")


@dataclass(frozen=True)
class LoraWeights:
    """A LoRA that fits the model: its parts, and its file's name and SHA-256."""

    name: str
    sha256: str
    parts: tuple[LoraPart, ...]


@dataclass
class _Group:
    """What the file holds under one name: by role (halves, factors, alpha) the tensors' own names."""

    keys: dict[str, str] = field(default_factory=dict)

    @property
    def is_kronecker(self) -> bool:
        return any(role.startswith("w") for role in self.keys)

    def is_whole(self) -> bool:
        have = self.keys.keys() - {"alpha"}
        if not self.is_kronecker:
            return have == {"down", "up"}
        factors = [{"w1"}, {"w1_a", "w1_b"}], [{"w2"}, {"w2_a", "w2_b"}]
        return any(have == one | two for one in factors[0] for two in factors[1])


def read_lora(file: LoraFile, shapes: Shapes, family: str) -> LoraWeights:
    """The LoRA in `file` for a model with these layers. `family` is the profile's (`flux1`, `flux2`).

    Raises LoraError, which names the file, what is wrong with it and up to five tensors.
    """
    header = file.header()
    check_family(str(file.path), header.metadata, family)
    groups, left = _grouped(file, list(header.tensors))
    resolver = Resolver(shapes)
    places = {name: found for name in groups if (found := resolver.places(name))}
    unknown = [key for name, group in groups.items() if name not in places for key in group.keys.values()]
    if left or unknown:
        raise LoraError(_left_over(file, [*left, *unknown], len(header.tensors), list(header.tensors)))
    half = [key for group in groups.values() if not group.is_whole() for key in group.keys.values()]
    if half:
        raise LoraError(f"the LoRA {file.path} is damaged: without its other half: {_some(half)}")
    alphas = Alphas(str(file.path), header.metadata, file.config)
    fitting = {name: _rank(file, name, group, places[name], shapes, header) for name, group in groups.items()}
    tensors = _load(file)
    parts: list[LoraPart] = []
    for name, group in groups.items():
        if fitting[name] == 0:
            continue  # a layer of rank 0 was left out of the training
        own = {role: tensors[key] for role, key in group.keys.items()}
        parts += _parts(file, name, own, places[name], shapes, alphas)
    _check_whole(file, parts, header.metadata)
    return LoraWeights(file.name, file.sha256, tuple(parts))


def touches_encoders(header: LoraHeader) -> bool:
    """Whether a LoRA has anything for the text encoders, so that prompts are encoded differently with it."""
    return any(for_encoder(name) for name in header.tensors)


def _grouped(file: LoraFile, keys: list[str]) -> tuple[dict[str, _Group], list[str]]:
    groups: dict[str, _Group] = {}
    left = []
    for key in keys:
        for role, pattern in _ROLES:
            found = re.search(pattern, key)
            if found:
                group = groups.setdefault(key[: found.start()], _Group())
                if role in group.keys:
                    both = _some([group.keys[role], key])
                    raise LoraError(f"the LoRA {file.path} holds two adapters, {both}: save each one alone")
                group.keys[role] = key
                break
        else:
            left.append(key)
    return groups, left


def _rank(
    file: LoraFile, name: str, group: _Group, places: tuple[LinearLayer, ...], shapes: Shapes, header: LoraHeader
) -> int:
    """The rank of one name's tensors (1 for Kronecker products), known to fit the model's layers by the header alone.

    0 is a change of nothing. Raises LoraError where they do not fit, so that nothing of a wrong size is ever loaded.
    """
    kinds = {role: header.tensors[key] for role, key in group.keys.items()}
    odd = sorted({kind for kind, _shape in kinds.values()} - set(_FLOATS))
    if odd:
        raise LoraError(f"the LoRA {file.path} holds numbers of type {odd[0]} in {printable(name)}, not floats")
    sizes = {role: shape for role, (_kind, shape) in kinds.items()}
    if math.prod(sizes.pop("alpha", ())) != 1:
        raise LoraError(f"the LoRA {file.path} is damaged: alpha of {printable(name)} is not one number")
    outputs = sum(shapes[place.component][place.layer][0] for place in places)
    inputs = shapes[places[0].component][places[0].layer][1]
    flat = {role: _as_matrix(shape) for role, shape in sizes.items()}
    if group.is_kronecker:
        first, second = (_product(flat, which) for which in ("w1", "w2"))
        fits = first[0] * second[0] == outputs and first[1] * second[1] == inputs
        made, rank = f"{first[0] * second[0]}x{first[1] * second[1]}", 1
    else:
        down, up, rank = flat["down"], flat["up"], flat["down"][0]
        fits = down[1] == inputs and up == (outputs, rank)
        made = f"{up[0]}x{down[1]} with ranks {up[1]} and {rank}"
    if not fits:
        raise LoraError(
            f"the LoRA {file.path} was made for another model: {printable(name)} is {made}, "
            f"this model's layer is {outputs}x{inputs}"
        )
    return rank


def _as_matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    """Linear layers are sometimes stored as 1 x 1 convolutions, and as vectors where one side is 1."""
    return (shape[0], math.prod(shape[1:])) if shape else (1, 1)


def _product(flat: Mapping[str, tuple[int, int]], which: str) -> tuple[int, int]:
    """(rows, columns) of a Kronecker factor, whole or the product of two; (-1, -1) where the two do not match."""
    if which in flat:
        return flat[which]
    a, b = flat[f"{which}_a"], flat[f"{which}_b"]
    return (a[0], b[1]) if a[1] == b[0] and a[1] else (-1, -1)


def _parts(
    file: LoraFile,
    name: str,
    tensors: Mapping[str, "torch.Tensor"],
    places: tuple[LinearLayer, ...],
    shapes: Shapes,
    alphas: Alphas,
) -> list[LoraPart]:
    """The parts of one name: one, or as many as layers that the file's layer covers."""
    import torch

    own = {role: tensor.float().reshape(_as_matrix(tuple(tensor.shape))) for role, tensor in tensors.items()}
    for role, tensor in own.items():
        if not torch.isfinite(tensor).all():
            raise LoraError(f"the LoRA {file.path} is broken: NaN or infinity in {_WORDS.get(role, role)} of {name}")
    alpha = float(own["alpha"]) if "alpha" in own else None
    ends, row = [], 0
    for place in places:
        row += shapes[place.component][place.layer][0]
        ends.append(row)
    spans = list(zip([0, *ends[:-1]], ends, strict=True))
    parts: list[LoraPart]
    if "down" in own:
        scale = alphas.scale(name, places[0].component, places[0].layer, own["down"].shape[0], alpha)
        parts = [
            LowRankPart(place.component, place.layer, own["down"], _rows(own["up"], span, place.swapped), scale)
            for place, span in zip(places, spans, strict=True)
        ]
    else:
        w1, w2, scale = _kronecker(own, alpha)
        parts = [
            KroneckerPart(place.component, place.layer, w1, w2, scale, span, place.swapped)
            for place, span in zip(places, spans, strict=True)
        ]
    for part in parts:
        bound = part.bound()
        # The bound is often far above the truth, but never below it.
        if not bound <= LARGEST and not float(part.change().abs().max()) <= LARGEST:
            raise LoraError(f"the LoRA {file.path} is broken: its change of {name} overflows (alpha {alpha})")
    return parts


_WORDS = {"down": "the down half", "up": "the up half", "alpha": "alpha"}


def _rows(up: "torch.Tensor", span: tuple[int, int], swapped: bool) -> "torch.Tensor":
    import torch

    chunk = up[span[0] : span[1]]
    return torch.cat(tuple(reversed(chunk.chunk(2)))) if swapped else chunk.contiguous()


def _kronecker(own: Mapping[str, "torch.Tensor"], alpha: float | None) -> "tuple[torch.Tensor, torch.Tensor, float]":
    """(w1, w2, scale) of a LoKr. alpha counts over the rank of the factored side; two whole factors have scale 1."""
    w1 = own["w1"] if "w1" in own else own["w1_a"] @ own["w1_b"]
    w2 = own["w2"] if "w2" in own else own["w2_a"] @ own["w2_b"]
    # LyCORIS takes the rank of the second factor last, so it wins where both are products; they are equal anyway.
    rank = next((own[role].shape[0] for role in ("w2_b", "w1_b") if role in own), None)
    return w1, w2, alpha / rank if rank and alpha is not None else 1.0


def _check_whole(file: LoraFile, parts: list[LoraPart], metadata: Mapping[str, str]) -> None:
    places = [(part.component, part.layer) for part in parts]
    twice = sorted({layer for component, layer in places if places.count((component, layer)) > 1})
    if twice:
        raise LoraError(f"the LoRA {file.path} changes layers twice, under two names: {_some(twice)}")
    if all(part.is_zero() for part in parts):
        raise LoraError(f"the LoRA {file.path} changes nothing: all its weights are zero")
    stated = metadata.get("ss_network_dim", "").strip()
    ranks = {part.down.shape[0] for part in parts if isinstance(part, LowRankPart)}
    if not re.fullmatch(r"[0-9]{1,6}", stated) or not ranks or _explains_ranks(metadata):
        return
    # kohya may keep fused layers at three or four times the stated rank, one block a part.
    if not ranks & {int(stated) * n for n in (1, 3, 4)}:
        raise LoraError(
            f"the LoRA {file.path} contradicts itself: its metadata says rank {stated}, its tensors {sorted(ranks)}"
        )


def _explains_ranks(metadata: Mapping[str, str]) -> bool:
    """Whether kohya's arguments give layers ranks of their own: `img_attn_dim`, `single_dim`, `in_dims` ..."""
    return (
        re.search(r"\w_(dim|rank)s?\b|\bdims\b|dynamic|resize", metadata.get("ss_network_args", "").lower()) is not None
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
    except (SafetensorError, OSError, KeyError, ValueError, RuntimeError) as error:
        raise LoraError(f"the LoRA file {file.path} is damaged: {error}; copy it again") from error


def _some(names: list[Any]) -> str:
    shown = [printable(str(name))[:120] for name in names[:5]]
    return ", ".join(shown) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
