"""Muon for weights of any rank (torch.optim.Muon takes matrices only): momentum, then the nearest orthogonal matrix.

After Jordan et al., "Muon: An optimizer for hidden layers" (2024): Newton-Schulz iteration of degree five, four
rounds; the update's scale is matched to AdamW's root mean square (Liu et al., arXiv 2502.16982), so that both share
one learning rate. Convolution kernels count as (out, in x height x width) matrices.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


def orthogonal(grad: Tensor, steps: int = 4) -> Tensor:
    """The (approximately) nearest orthogonal matrices of a B x M x N batch."""
    a, b, c = 3.4445, -4.7750, 2.0315
    x = grad.bfloat16()
    tall = x.size(-2) > x.size(-1)
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = a * x + (b * gram + c * gram @ gram) @ x
    nearest: Tensor = (x.mT if tall else x).to(grad.dtype)
    return nearest


class Muon(torch.optim.Optimizer):
    """Steps weights with two or more dimensions; use AdamW beside it for the rest."""

    def __init__(
        self, params: Iterable[nn.Parameter], lr: float, momentum: float = 0.95, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One step; `closure` is not supported."""
        for group in self.param_groups:
            shapes: dict[tuple[int, int], list[tuple[nn.Parameter, Tensor]]] = {}
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                update = torch.lerp(weight.grad, state["momentum"], group["momentum"]).flatten(1)
                shapes.setdefault((update.size(0), update.size(1)), []).append((weight, update))
            for (rows, columns), members in shapes.items():
                scale = 0.2 * max(rows, columns) ** 0.5
                whole = orthogonal(torch.stack([update for _, update in members]))
                for (weight, _), update in zip(members, whole, strict=True):
                    weight.mul_(1 - group["lr"] * group["weight_decay"])
                    weight.add_(update.view_as(weight), alpha=-group["lr"] * scale)


def optimizers_for(
    model: nn.Module, lr: float, weight_decay: float = 0.0, plain: tuple[str, ...] = (), plain_lr: float | None = None
) -> list[torch.optim.Optimizer]:
    """Muon for the inner weights; AdamW (at `plain_lr`) for vectors and for what has one of `plain` in its name."""
    inner: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, weight in model.named_parameters():
        if weight.requires_grad:
            (rest if weight.ndim < 2 or any(p in name for p in plain) else inner).append(weight)
    return [
        Muon(inner, lr, weight_decay=weight_decay),
        torch.optim.AdamW(rest, plain_lr or lr, betas=(0.9, 0.98), weight_decay=0.0),
    ]
