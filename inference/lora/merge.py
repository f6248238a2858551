"""Putting a LoRA into a model's weights, and another one in its place, without drift and without recompiling.

Putting on a LoRA computes clean + change in float32 and writes the result over the weight in place, so it comes out the
same whatever was put on before, and compiled code stays valid. diffusers' fuse and unfuse drift instead: subtracting
in bf16 does not give the old weight back. Clean weights are read again from the model's own file; only where there is
no such file is a copy of every changed weight kept in main memory.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from inference.lora.names import Shapes
from inference.lora.parts import LoraPart

if TYPE_CHECKING:
    import torch

Requantize = Callable[["torch.nn.Linear", "torch.Tensor"], None]
"""Puts a weight (in the compute dtype) into a layer whose own weight is quantized."""


class CleanWeights(Protocol):
    """The base model's own weights by layer name, as its file has them."""

    def __contains__(self, layer: object) -> bool: ...

    def read(self, layer: str) -> "torch.Tensor":
        """The weight of a layer, on the CPU, in the compute dtype. Raises OSError where the file is missing."""
        ...


def linear_layers(component: Any) -> "dict[str, torch.nn.Linear]":
    """All linear layers of a module by their names, those of CLIP and T5 included."""
    import torch

    return {name: layer for name, layer in component.named_modules() if isinstance(layer, torch.nn.Linear)}


def shapes_of(components: Mapping[str, Any]) -> Shapes:
    """(outputs, inputs) of all linear layers of these modules."""
    return {
        name: {layer: (linear.out_features, linear.in_features) for layer, linear in linear_layers(component).items()}
        for name, component in components.items()
        if component is not None
    }


class NotKept(RuntimeError):
    """A clean weight that is needed is not available: the base model has to be loaded again."""


class LoraSlot:
    """The place of one LoRA in one component. Layers are found once, so they may move or be replaced in the model."""

    def __init__(
        self,
        component: Any,
        device: str = "cpu",
        requantize: Requantize | None = None,
        clean: CleanWeights | None = None,
    ) -> None:
        """`device` is where sums are computed, a layer at a time. Without `clean`, copies are kept."""
        self._layers = linear_layers(component)
        self._clean = clean
        self._copies: dict[str, torch.Tensor] = {}
        self._in: dict[str, tuple[LoraPart, float]] = {}
        self._wanted: dict[str, tuple[LoraPart, float]] = {}
        self._device = device
        self.requantize = requantize

    @property
    def shapes(self) -> Mapping[str, tuple[int, int]]:
        """(outputs, inputs) of each layer, those that were taken out of the model since included."""
        return {name: (linear.out_features, linear.in_features) for name, linear in self._layers.items()}

    def put(self, parts: "Sequence[LoraPart]", scale: float) -> None:
        """Replace whatever LoRA is in by these parts at `scale`; no parts give back the base weights, bit for bit.

        Raises NotKept, with nothing changed, where a clean weight is not available.
        """
        before = self._wanted
        self.want(parts, scale)
        gone = [name for name in self._to_do() if not self._has_clean(name)]
        if gone:
            self._wanted = before
            raise NotKept(f"the clean weights of {len(gone)} layers are missing, {gone[0]} first")
        self.place()

    def want(self, parts: "Sequence[LoraPart]", scale: float) -> None:
        """Choose the LoRA that the next calls of `place` put into the layers."""
        self._wanted = {part.layer: (part, scale) for part in parts}

    def place(self, below: str = "") -> None:
        """Put what is wanted into the layers whose names begin with `below`, on whatever device they are by now."""
        for name in self._to_do():
            if not name.startswith(below):
                continue
            linear, wanted = self._layers[name], self._wanted.get(name)
            clean = self._clean_of(name)
            self._write(linear, clean if wanted is None else merged(clean, *wanted, self._device))
            if wanted is None:
                del self._in[name]
            else:
                self._in[name] = wanted

    def replaced(self, name: str, linear: "torch.nn.Linear") -> None:
        """The layer called `name` is another module from now on."""
        self._layers[name] = linear

    def _to_do(self) -> list[str]:
        touched = sorted(self._in.keys() | self._wanted.keys())
        return [name for name in touched if not _same(self._in.get(name), self._wanted.get(name))]

    def _has_clean(self, name: str) -> bool:
        return name in self._copies or self._is_clean(name) or (self._clean is not None and name in self._clean)

    def _clean_of(self, name: str) -> "torch.Tensor":
        if name in self._copies:
            return self._copies[name]
        if self._is_clean(name):
            weight = self._layers[name].weight.detach()
            if self._clean is None or name not in self._clean:
                self._copies[name] = weight = weight.to("cpu", copy=True)
            return weight
        if self._clean is None:
            raise NotKept(f"the clean weight of {name} is missing")
        try:
            return self._clean.read(name)
        except OSError as error:
            raise NotKept(f"the clean weight of {name} cannot be read again: {error}") from error

    def _is_clean(self, name: str) -> bool:
        return name not in self._in and _is_plain(self._layers[name])

    def _write(self, linear: "torch.nn.Linear", weight: "torch.Tensor") -> None:
        import torch

        with torch.no_grad():
            if _is_plain(linear):
                linear.weight.copy_(weight)
            elif self.requantize is not None:
                self.requantize(linear, weight)
            else:
                raise NotKept("a quantized layer cannot take a LoRA without the means to quantize it again")


def _same(one: tuple[LoraPart, float] | None, other: tuple[LoraPart, float] | None) -> bool:
    return one is other or (one is not None and other is not None and one[0] is other[0] and one[1] == other[1])


def _is_plain(linear: "torch.nn.Linear") -> bool:
    from torch.utils._python_dispatch import is_traceable_wrapper_subclass

    weight = linear.weight.data
    return weight.dtype.is_floating_point and not is_traceable_wrapper_subclass(weight)


def merged(clean: "torch.Tensor", part: LoraPart, scale: float, device: str = "cpu") -> "torch.Tensor":
    """clean + scale * the part's change, computed in float32 on `device`, in the dtype of `clean`."""
    import torch

    with torch.no_grad():
        # In place: in float32 the widest layers of a 9B model take 600 MB a copy.
        return part.change(device).mul_(scale).add_(clean.to(device)).to(clean.dtype)
