"""One optimizer step after another: tokens and texts in, LoRA gradients out, nothing read back from the device.

Flow matching: noisy = (1 - sigma) z + sigma noise, the target is noise - z (Lipman et al. 2023, arXiv 2210.02747;
FLUX's own convention). z is drawn anew from the VAE's posterior each step. Noise is made on the CPU from the item's
seed, so a step gives the same numbers whatever ran before it, and the same on any number of processes.
"""

import logging
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from configs.printable import first_line
from inference.models.broken_card import is_compiler_failure
from inference.models.family import Text, Tokens
from training.local.base import Base
from training.local.lora_layers import LoraLayers
from training.local.ranks import Ranks
from training.local.sampler import Item, Sampler
from training.local.speed import uncompile

if TYPE_CHECKING:
    from training.job import TrainingJob

log = logging.getLogger(__name__)

Variant = tuple[int, int, bool]


@dataclass(frozen=True)
class Material:
    """All that is trained on, on the device: tokens by (picture, size, mirrored), each picture's caption, the trigger
    alone, and the base's own pictures with their prompts."""

    tokens: dict[Variant, Tokens]
    captions: list[Text]
    trigger: Text
    priors: list[tuple[Tokens, Text]]

    def of(self, item: Item) -> tuple[Tokens, Text]:
        """What the item trains on: a picture and its own caption are looked up by the same number."""
        if item.prior >= 0:
            return self.priors[item.prior]
        tokens = self.tokens[item.picture, item.size, item.flip]
        return tokens, self.trigger if item.dropped else self.captions[item.picture]


def learning_rate(step: int, job: "TrainingJob") -> float:
    """The rate at `step` from 0: up over `warmup`, level, then down along a cosine over the last `decay` of them."""
    rate = job.learning_rate * min(1.0, (step + 1) / (job.warmup + 1))
    start = job.steps * (1 - job.decay)
    if step <= start or job.decay == 0:
        return rate
    return rate * (0.5 + 0.5 * math.cos(math.pi * (step - start) / (job.steps - start)))


def make_optimizer(lora: LoraLayers, job: "TrainingJob", *, eight_bit: bool = False) -> torch.optim.Optimizer:
    """torch's fused AdamW; `eight_bit` takes bitsandbytes' instead, whose moments need a quarter of the memory.

    The 8-bit one makes the host wait for the card after each of FLUX.1's 836 tensors, so it is for cards that are
    short of memory: `MemoryPlan.eight_bit`.
    """
    if eight_bit:
        from bitsandbytes.optim import AdamW8bit

        optimizer: torch.optim.Optimizer = AdamW8bit(
            lora.raw, lr=job.learning_rate, betas=job.betas, weight_decay=job.weight_decay
        )
        return optimizer
    return torch.optim.AdamW(lora.raw, lr=job.learning_rate, betas=job.betas, weight_decay=job.weight_decay, fused=True)


class Loop:
    """Does steps. `losses` stay on the device until `read_loss`."""

    def __init__(
        self,
        job: "TrainingJob",
        base: Base,
        lora: LoraLayers,
        optimizer: torch.optim.Optimizer,
        material: Material,
        sampler: Sampler,
        ranks: Ranks,
    ) -> None:
        self._job, self._base, self._lora, self._optimizer = job, base, lora, optimizer
        self._material, self._sampler, self._ranks = material, sampler, ranks
        self._device = ranks.device
        self._loss = torch.zeros((), device=self._device)
        self.open_steps = 0

    def step(self, step: int) -> None:
        """One optimizer step, number `step` from 0."""
        items = self._sampler.step(step)[self._ranks.index :: self._ranks.count]
        try:
            loss = self._gradients(items)
        except Exception as error:
            if not is_compiler_failure(error) or not uncompile(self._lora.transformer):
                raise
            log.warning(
                "training goes on uncompiled, slower: torch's compiler fails here (%s): install a C compiler "
                "(Debian, Ubuntu: apt install gcc g++ python3-dev), or set training.compile = false",
                first_line(error),
            )
            self._optimizer.zero_grad(set_to_none=True)
            loss = self._gradients(items)
        self._loss += loss
        self.open_steps += 1
        self._share_gradients()
        torch.nn.utils.clip_grad_norm_(self._lora.raw, self._job.clip)
        for setting in self._optimizer.param_groups:
            setting["lr"] = learning_rate(step, self._job)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        self._lora.update_average(self._job.ema, step)

    def _gradients(self, items: list[Item]) -> Tensor:
        """Adds the items' gradients to the LoRA's; their share of the step's loss, on the device."""
        total = torch.zeros((), device=self._device)
        for group in _by_shape(items, self._material):
            loss = self._group_loss(group) / self._job.batch
            torch.autograd.backward(loss)
            total += loss.detach()
        return total

    def read_loss(self) -> float:
        """The mean loss since the last reading. The one place where the host waits for the device."""
        mean = float(self._ranks.sum(self._loss)) / max(1, self.open_steps)
        self._loss = torch.zeros((), device=self._device)
        self.open_steps = 0
        return mean

    @property
    def open_loss(self) -> float:
        """This process's sum since the last reading, for a checkpoint between two readings. Waits for the device."""
        return float(self._loss)

    def continue_loss(self, total: float, steps: int) -> None:
        """Take over `open_loss` and `open_steps` of a checkpoint."""
        self._loss.fill_(total if self._ranks.first else 0.0)
        self.open_steps = steps

    def velocity(self, noisy: Tensor, sigma: Tensor, text: Text, grid: tuple[int, int]) -> Tensor:
        """The model's prediction as training computes it."""
        with precision(self._device, text.embeds.dtype):
            return self._base.family.velocity(
                self._lora.transformer, noisy.to(text.embeds.dtype), sigma, text, grid, self._job.guidance
            )

    def _group_loss(self, items: list[Item]) -> Tensor:
        """The sum of the items' losses, each a mean over its tokens."""
        pairs = [self._material.of(item) for item in items]
        draws = [_draw(item, tokens) for item, (tokens, _) in zip(items, pairs, strict=True)]
        spread, noise = (self._up(torch.stack(each)) for each in zip(*draws, strict=True))
        sigma = self._up(torch.tensor([item.sigma for item in items]))
        mean = torch.stack([tokens.mean for tokens, _ in pairs])
        clean = mean + spread * torch.stack([tokens.std for tokens, _ in pairs])
        noisy = torch.lerp(clean, noise, sigma[:, None, None])
        first = pairs[0][0]
        predicted = self.velocity(noisy, sigma, _stack([text for _, text in pairs]), (first.rows, first.columns))
        return (predicted.float() - (noise - clean)).square().mean(dim=(1, 2)).sum()

    def _up(self, tensor: Tensor) -> Tensor:
        if self._device.type != "cuda":
            return tensor
        # Pinned memory goes up beside the computation; pageable memory would make the host wait.
        return tensor.pin_memory().to(self._device, non_blocking=True)

    def _share_gradients(self) -> None:
        """Sum the gradients over the processes, in one message. A LoRA's are small: no overlap is needed."""
        if self._ranks.count == 1:
            return
        gradients = [p.grad if p.grad is not None else torch.zeros_like(p) for p in self._lora.raw]
        whole = self._ranks.sum(torch.cat([g.flatten() for g in gradients]))
        for parameter, part in zip(self._lora.raw, torch.split(whole, [g.numel() for g in gradients]), strict=True):
            parameter.grad = part.view_as(parameter)


def _draw(item: Item, tokens: Tokens) -> tuple[Tensor, Tensor]:
    """(posterior's noise, flow's noise), each n x channels, from the item's seed."""
    generator = torch.Generator().manual_seed(item.noise_seed)
    shape = tokens.mean.shape
    return torch.randn(shape, generator=generator), torch.randn(shape, generator=generator)


def _by_shape(items: list[Item], material: Material) -> list[list[Item]]:
    groups: dict[tuple[int, int], list[Item]] = {}
    for item in items:
        tokens, _ = material.of(item)
        groups.setdefault((tokens.rows, tokens.columns), []).append(item)
    return list(groups.values())


def _stack(texts: list[Text]) -> Text:
    if len(texts) == 1:
        return texts[0]
    pooled = [text.pooled for text in texts if text.pooled is not None]
    return Text(torch.cat([text.embeds for text in texts]), torch.cat(pooled) if pooled else None)


@contextmanager
def precision(device: torch.device, base: torch.dtype) -> Iterator[None]:
    """Within, a base in 16 bits and a LoRA in fp32 compute together: in the base's dtype, by autocast.

    Whatever runs the model while `uncast_inputs` is in force has to be in here.
    """
    if base == torch.float32:
        yield
        return
    with torch.autocast(device.type, base):
        yield


@contextmanager
def uncast_inputs(transformer: Any) -> Iterator[None]:
    """Within, PEFT casts no LoRA input to fp32: autocast does what is needed, and 13% of the saved values go.

    The gradients are the same, bit for bit.
    """
    from peft.helpers import disable_input_dtype_casting

    with disable_input_dtype_casting(transformer):
        yield
