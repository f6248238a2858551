"""FLUX.1's modulation as a table: all steps' adaptive layer-norm values in one batch, and the weights out of the way.

A block's shift, scale and gate are a linear layer of silu(embedding of timestep, guidance and pooled text) (Peebles and
Xie 2023, arXiv:2212.09748): they never see the image. 3.25 of FLUX.1's 11.9 billion parameters do nothing else, and a
plain pipeline reads them all at every step. Here they are read once a prompt, for all steps together, and may live
in main memory meanwhile. The values are the plain pipeline's up to rounding in a product of several rows.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from inference.local.plan import TABLES_KEPT

_NAMES = ("norm1.linear", "norm1_context.linear", "norm.linear", "norm_out.linear")


def is_modulation(name: str) -> bool:
    """Whether the linear layer called `name` (in the transformer or in a block) is one of them."""
    return name.endswith(_NAMES) or "adaLN_modulation" in name


def modulation_layers(transformer: Any) -> dict[str, nn.Linear]:
    """The linear layers of a FLUX.1 transformer that see only timestep, guidance and pooled text, by name."""
    return {
        name: layer
        for name, layer in transformer.named_modules()
        if isinstance(layer, nn.Linear) and is_modulation(name)
    }


class _Row(nn.Module):
    """Stands where the linear layer stood, and gives the present step's values whatever it is asked."""

    def __init__(self, out: torch.Tensor) -> None:
        super().__init__()
        # A plain attribute, no buffer: whoever moves the model's buffers about must not take this view with them.
        self.out = out

    def forward(self, embedding: torch.Tensor) -> torch.Tensor:
        """(batch, outputs) of the present step."""
        return self.out


@dataclass(frozen=True)
class _Known:
    """A table, (steps, batch, outputs of all layers), and what it was computed for."""

    pooled: torch.Tensor
    timesteps: tuple[float, ...]
    guidance: float | None
    values: torch.Tensor

    def is_for(self, pooled: torch.Tensor, timesteps: tuple[float, ...], guidance: float | None) -> bool:
        return self.pooled is pooled and self.timesteps == timesteps and self.guidance == guidance


class ModulationTable:
    """The table in its place: the pipeline is called as ever, and finds the present step's values by itself."""

    def __init__(self, pipe: Any, device: str, *, evict: bool, keep: int = TABLES_KEPT) -> None:
        """Take the layers out of the pipeline's transformer.

        `evict`: their weights go to main memory and only pass through `device` once a prompt; else they stay there.
        The last `keep` prompts' tables are remembered on `device`.
        """
        self._transformer, self._pipe = pipe.transformer, pipe
        self._device = torch.device(device)
        self._layers = modulation_layers(self._transformer)
        self._sizes = [layer.out_features for layer in self._layers.values()]
        self._dtype: torch.dtype = next(iter(self._layers.values())).weight.dtype
        self._keep = keep
        self._known: list[_Known] = []
        self._table = torch.empty(0)
        for layer in self._layers.values():
            layer.to("cpu" if evict else self._device)
            if evict and self._device.type == "cuda":
                for weight in layer.parameters():
                    weight.data = weight.data.pin_memory()  # crosses the bus twice as fast
        # One buffer for all layers: a step is one copy, and compiled code always sees the same addresses.
        self._current = torch.empty(0)
        self._make_room(1)
        self._transformer.register_forward_pre_hook(self._step, with_kwargs=True)

    def forget(self) -> None:
        """Drop all tables: the weights have changed (another LoRA)."""
        self._known.clear()

    def _make_room(self, batch: int) -> None:
        if len(self._current) == batch:
            return
        self._current = torch.empty(batch, sum(self._sizes), dtype=self._dtype, device=self._device)
        for name, out in zip(self._layers, torch.split(self._current, self._sizes, dim=1), strict=True):
            self._transformer.set_submodule(name, _Row(out))

    def _step(self, _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before each call of the transformer: the scheduler knows which step it is."""
        index = self._pipe.scheduler.step_index
        if index is None:
            self._begin(kwargs["pooled_projections"], kwargs.get("guidance"))
        self._current.copy_(self._table[index or 0])

    def _begin(self, pooled: torch.Tensor, guidance: torch.Tensor | None) -> None:
        timesteps = tuple(self._pipe.scheduler.timesteps.tolist())
        scale = None if guidance is None else float(guidance[0])
        self._make_room(len(pooled))
        for known in self._known:
            if known.is_for(pooled, timesteps, scale):
                self._table = known.values
                return
        self._table = self._compute(self._pipe.scheduler.timesteps, guidance, pooled)
        self._known = [*self._known, _Known(pooled, timesteps, scale, self._table)][-self._keep :]

    def _compute(self, timesteps: torch.Tensor, guidance: torch.Tensor | None, pooled: torch.Tensor) -> torch.Tensor:
        """(steps, batch, outputs of all layers), on the table's device."""
        steps, batch = len(timesteps), len(pooled)
        embed = self._transformer.time_text_embed
        here = next(embed.parameters()).device  # main memory, where the model is streamed
        pooled = pooled.to(here, self._dtype).repeat(steps, 1)
        # As the pipeline and the model do it: divided by 1000 in the model's dtype, and multiplied again.
        times = (timesteps.to(here, self._dtype) / 1000) * 1000
        times = times.repeat_interleave(batch)
        if guidance is None:
            embedding = embed(times, pooled)
        else:
            scales = (guidance.to(here, self._dtype) * 1000).repeat(steps)
            embedding = embed(times, scales, pooled)
        embedding = nn.functional.silu(embedding).to(self._device)
        table = torch.empty(steps * batch, sum(self._sizes), dtype=self._dtype, device=self._device)
        start = 0
        for layer, size in zip(self._layers.values(), self._sizes, strict=True):
            bias = None if layer.bias is None else layer.bias.to(self._device, non_blocking=True)
            weight = layer.weight.to(self._device, non_blocking=True)
            table[:, start : start + size] = nn.functional.linear(embedding, weight, bias)
            start += size
        return table.view(steps, batch, -1)
