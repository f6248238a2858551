"""The LoRA in the transformer: added on the blocks' linears in fp32, averaged, swapped, switched off for comparison."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor

from training.errors import InvalidJob

ADAPTER = "default"


class LoraLayers:
    """The trainable values of one LoRA, raw and averaged, in a fixed order; `names` are the module's own."""

    def __init__(self, transformer: Any, *, rank: int, alpha: float, targets: str, seed: int) -> None:
        """Adds the adapter; a seed gives the same start on any device. Raises InvalidJob where nothing matches."""
        from peft import LoraConfig

        matched = [n for n, m in transformer.named_modules() if _is_linear(m) and re.fullmatch(targets, n)]
        if not matched:
            raise InvalidJob(f"training.targets = {targets!r} matches no linear layer of this model")
        torch.manual_seed(seed)
        config = LoraConfig(r=rank, lora_alpha=alpha, target_modules=matched)  # type: ignore[arg-type]
        transformer.add_adapter(config, adapter_name=ADAPTER)
        self.transformer, self.rank, self.alpha, self.modules = transformer, rank, alpha, matched
        named = sorted((n, p) for n, p in transformer.named_parameters() if "lora_" in n)
        self.names = [name for name, _ in named]
        self.raw: list[torch.nn.Parameter] = [parameter for _, parameter in named]
        for parameter in self.raw:
            # PEFT takes the base's dtype; bf16 has too few digits for AdamW's small steps.
            parameter.data = parameter.data.float()
            parameter.requires_grad_(True)
        self.average = [parameter.detach().clone() for parameter in self.raw]

    def to(self, device: torch.device) -> None:
        """Call after the transformer was moved: the average follows."""
        self.average = [tensor.to(device) for tensor in self.average]

    @torch.no_grad()
    def update_average(self, decay: float, step: int) -> None:
        """Fold the raw values into the average; its memory is short at the start."""
        torch._foreach_lerp_(self.average, [p.data for p in self.raw], 1 - min(decay, (1 + step) / (10 + step)))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Within, the model carries the average; afterwards the raw values, bit for bit."""
        kept = [parameter.data for parameter in self.raw]
        for parameter, tensor in zip(self.raw, self.average, strict=True):
            parameter.data = tensor
        try:
            yield
        finally:
            for parameter, tensor in zip(self.raw, kept, strict=True):
                parameter.data = tensor

    @contextmanager
    def off(self) -> Iterator[None]:
        """Within, the base alone."""
        self.transformer.disable_adapters()
        try:
            yield
        finally:
            self.transformer.enable_adapters()

    @torch.no_grad()
    def load(self, raw: dict[str, Tensor], average: dict[str, Tensor]) -> None:
        """Take over saved values."""
        for name, parameter, mean in zip(self.names, self.raw, self.average, strict=True):
            parameter.copy_(raw[name])
            mean.copy_(average[name])

    def values(self, *, averaged: bool) -> dict[str, Tensor]:
        """Name to tensor, on the CPU: copies."""
        source = self.average if averaged else self.raw
        return {name: tensor.detach().cpu().clone() for name, tensor in zip(self.names, source, strict=True)}

    def finite(self) -> bool:
        """Whether every value is a number. Waits for the device."""
        return bool(torch.stack([torch.isfinite(p).all() for p in self.raw]).all())


def short_names(values: dict[str, Tensor]) -> dict[str, Tensor]:
    """Without PEFT's adapter name: `...to_q.lora_A.default.weight` becomes `...to_q.lora_A.weight`."""
    return {name.replace(f".{ADAPTER}.", "."): tensor for name, tensor in values.items()}


def _is_linear(module: Any) -> bool:
    # Quantized linears (bitsandbytes, torchao) are subclasses of Linear.
    return isinstance(module, torch.nn.Linear)
