"""Putting a LoRA into a model's weights, and another one in its place, without drift and without recompiling.

A clean copy of every changed weight stays in main memory. Putting on a LoRA computes clean + change in float32 and
writes the result over the weight in place, so it comes out the same whatever was put on before, and compiled code
stays valid. diffusers' fuse and unfuse drift instead: subtracting in bf16 does not give the old weight back.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from inference.lora.names import Shapes
from inference.lora.parts import LoraPart

if TYPE_CHECKING:
    import torch

Requantize = Callable[["torch.nn.Linear", "torch.Tensor"], None]
"""Puts a weight (in the compute dtype, on the CPU) into a layer whose own weight is quantized."""


def linear_layers(component: Any) -> "dict[str, torch.nn.Linear]":
    """All linear layers of a module by their names, those of CLIP and T5 included."""
    import torch

    return {name: layer for name, layer in component.named_modules() if isinstance(layer, torch.nn.Linear)}


def shapes_of(components: Mapping[str, Any]) -> Shapes:
    """(outputs, inputs) of all linear layers of these modules."""
    return {
        name: {
            layer: (linear.weight.shape[0], linear.weight.shape[1])
            for layer, linear in linear_layers(component).items()
        }
        for name, component in components.items()
        if component is not None
    }


class NotKept(RuntimeError):
    """A clean weight that is needed was not kept: the base model has to be loaded again."""


class LoraSlot:
    """The place of one LoRA in one component. Layers are found once, so they may move or be replaced in the model."""

    def __init__(self, component: Any, device: str = "cpu", requantize: Requantize | None = None) -> None:
        """`device` is where sums are computed, a layer at a time."""
        self._layers = linear_layers(component)
        self._clean: dict[str, torch.Tensor] = {}
        self._changed: set[str] = set()
        self._device = device
        self.requantize = requantize

    def put(self, parts: "Sequence[LoraPart]", scale: float, keep_clean: bool = True) -> None:
        """Replace whatever LoRA is in by these parts at `scale`; no parts give back the base weights, bit for bit.

        Without `keep_clean` nothing is remembered, and nothing can be put on afterwards. Raises NotKept, with nothing
        changed, where a clean weight is gone.
        """
        wanted = {part.layer: part for part in parts}
        touched = sorted(self._changed | wanted.keys())
        gone = [name for name in touched if name not in self._clean and not self._is_clean(name)]
        if gone:
            raise NotKept(f"the clean weights of {len(gone)} layers are gone, {gone[0]} first")
        for name in touched:
            linear, part = self._layers[name], wanted.get(name)
            clean = self._clean.get(name)
            if clean is None:
                clean = linear.weight.detach()
                if keep_clean:
                    self._clean[name] = clean = clean.to("cpu", copy=True)
            self._write(linear, clean if part is None else merged(clean, part, scale, self._device))
        self._changed = set(wanted)

    def _is_clean(self, name: str) -> bool:
        return name not in self._changed and _is_plain(self._layers[name])

    def _write(self, linear: "torch.nn.Linear", weight: "torch.Tensor") -> None:
        import torch

        with torch.no_grad():
            if _is_plain(linear):
                linear.weight.copy_(weight)
            elif self.requantize is not None:
                self.requantize(linear, weight)
            else:
                raise NotKept("a quantized layer cannot take a LoRA without the means to quantize it again")


def _is_plain(linear: "torch.nn.Linear") -> bool:
    import torch

    return type(linear.weight.data) is torch.Tensor and linear.weight.dtype.is_floating_point


def merged(clean: "torch.Tensor", part: LoraPart, scale: float, device: str = "cpu") -> "torch.Tensor":
    """clean + scale * the part's change, computed in float32 on `device`, in the dtype of `clean`."""
    return (clean.to(device).float() + part.change(device) * scale).to(clean.dtype)
