"""The change that a LoRA makes to one linear layer, as a low-rank product or a Kronecker product.

Low rank: scale * up @ down (Hu et al. 2021, arXiv:2106.09685). Kronecker, LyCORIS's LoKr: scale * kron(w1, w2), each
factor whole or a product itself (Yeh et al. 2023, arXiv:2309.14859, section 3.2).
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

LARGEST = 65_504.0
"""The largest number of 16-bit floats. Weights of FLUX are below 100; a change beyond this is a broken file."""


@dataclass(frozen=True)
class LoraPart(ABC):
    """One layer's change. Tensors are float32 on the CPU."""

    component: str
    layer: str

    @abstractmethod
    def change(self, device: str = "cpu") -> "torch.Tensor":
        """What is added to the layer's weight at scale 1: [outputs, inputs], float32 on `device`."""

    @abstractmethod
    def is_zero(self) -> bool:
        """Whether the change is nothing at all."""

    @abstractmethod
    def bound(self) -> float:
        """A number that no value of the change exceeds, cheap to compute; NaN or infinity where it is not finite."""


@dataclass(frozen=True)
class LowRankPart(LoraPart):
    """`up` [outputs, rank] @ `down` [rank, inputs] * `scale`."""

    down: "torch.Tensor"
    up: "torch.Tensor"
    scale: float

    def change(self, device: str = "cpu") -> "torch.Tensor":
        return (self.up.to(device) @ self.down.to(device)) * self.scale

    def is_zero(self) -> bool:
        return not (self.scale and self.up.any() and self.down.any())

    def bound(self) -> float:
        # Cauchy-Schwarz: a value is a row of `up` times a column of `down`.
        return float(self.up.double().norm(dim=1).max() * self.down.double().norm(dim=0).max() * abs(self.scale))


@dataclass(frozen=True)
class KroneckerPart(LoraPart):
    """kron(`w1`, `w2`) * `scale`; of a layer that covers several, `rows` are those of this one.

    `swapped`: the two halves of these rows stand the other way round in the file.
    """

    w1: "torch.Tensor"
    w2: "torch.Tensor"
    scale: float
    rows: tuple[int, int]
    swapped: bool = False

    def change(self, device: str = "cpu") -> "torch.Tensor":
        import torch

        start, stop = self.rows
        high = self.w2.shape[0]
        first, last = start // high, -(-stop // high)  # only the rows of w1 that reach into these
        whole = torch.kron(self.w1[first:last].to(device), self.w2.to(device))
        rows = whole[start - first * high : stop - first * high] * self.scale
        return torch.cat(tuple(reversed(rows.chunk(2)))) if self.swapped else rows

    def is_zero(self) -> bool:
        return not (self.scale and self.w1.any() and self.w2.any())

    def bound(self) -> float:
        return float(self.w1.double().abs().max() * self.w2.double().abs().max() * abs(self.scale))
