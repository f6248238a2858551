"""Which checkpoint is best: loss on fixed (seed, sigma) pairs of held-out pictures, and drift without the trigger.

The training loss cannot tell, since its noise differs each step. Here picture, noise and sigma are the same at every
checkpoint. Drift is how far the LoRA moves the velocity for prompts about others, without the trigger, relative to the
base's own: the mean of ||v_lora - v_base||^2 / ||v_base||^2 over noise levels, of the stranger that moves furthest.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from inference.models.family import Text, Tokens
from training.local.lora_layers import LoraLayers
from training.local.sampler import noise_seed
from training.local.speed import eager
from training.verdict import HARMS, REMEDIES, unaffected

SIGMAS = (0.15, 0.35, 0.55, 0.75, 0.9)
"""From nearly clean to nearly noise, by hand: each costs a prediction for every held-out picture and candidate."""
DRIFT_SIGMAS = (0.8, 0.95, 1.0)
"""The noisy end alone, by hand. Drift is a mean over these: with others `HARMS` would have to be measured anew."""
CLOSE = 1.01
"""Losses within 1% count as equal, and drift decides; by hand. More prefers little drift to a low loss."""

Velocity = Callable[[Tensor, Tensor, Text, tuple[int, int]], Tensor]
"""(noisy 1 x n x c, sigma 1, text, grid) to the predicted velocity."""


@dataclass(frozen=True)
class Score:
    """One candidate: losses on the held-out pictures (raw and averaged weights), drift of the averaged ones."""

    step: int
    loss: float
    average_loss: float
    drift: float

    @property
    def best_loss(self) -> float:
        """The lower of the two; those weights are the candidate."""
        return min(self.loss, self.average_loss)

    @property
    def averaged(self) -> bool:
        """Whether the averaged weights are the candidate."""
        return self.average_loss <= self.loss


class Judge:
    """Scores the LoRA as it stands. Makes its reference from the base alone when it is made."""

    def __init__(
        self,
        lora: LoraLayers,
        velocity: Velocity,
        held_out: list[tuple[Tokens, Text]],
        strangers: list[Text],
        seed: int,
    ) -> None:
        self._lora, self._velocity, self._seed = lora, velocity, seed
        self.held_out, self._strangers = held_out, strangers
        with torch.no_grad(), eager(lora.transformer), lora.off():
            self._reference = [[self._stranger(n, sigma) for sigma in DRIFT_SIGMAS] for n in range(len(strangers))]
            self.base_loss = self._loss()

    @torch.no_grad()
    def score(self, step: int) -> Score:
        """Loss of raw and averaged weights and drift. Waits for the device."""
        with eager(self._lora.transformer):
            raw = self._loss()
            with self._lora.averaged():
                return Score(step, raw, self._loss(), self._drift())

    def _loss(self) -> float:
        losses = []
        for number, (tokens, text) in enumerate(self.held_out):
            for sigma in SIGMAS:
                noise = self._noise("held", tokens, number, sigma)
                at = torch.full((1,), sigma, device=noise.device)
                noisy = torch.lerp(tokens.mean[None], noise, at[:, None, None])
                predicted = self._velocity(noisy, at, text, (tokens.rows, tokens.columns)).float()
                losses.append((predicted - (noise - tokens.mean)).square().mean())
        return float(torch.stack(losses).mean())

    def _drift(self) -> float:
        """Of the stranger that moves furthest: one dissolved robot is harm, however many others stay."""
        worst = 0.0
        for number in range(len(self._strangers)):
            moved = [
                (self._stranger(number, sigma) - reference).square().sum() / reference.square().sum()
                for sigma, reference in zip(DRIFT_SIGMAS, self._reference[number], strict=True)
            ]
            worst = max(worst, float(torch.stack(moved).mean()))
        return worst

    def _stranger(self, number: int, sigma: float) -> Tensor:
        tokens = self.held_out[number % len(self.held_out)][0]
        noise = self._noise("drift", tokens, number, sigma)
        at = torch.full((1,), sigma, device=noise.device)
        noisy = torch.lerp(tokens.mean[None], noise, at[:, None, None])
        return self._velocity(noisy, at, self._strangers[number], (tokens.rows, tokens.columns)).float()

    def _noise(self, purpose: str, tokens: Tokens, *parts: object) -> Tensor:
        generator = torch.Generator().manual_seed(noise_seed(self._seed, purpose, *parts))
        return torch.randn(tokens.mean.shape, generator=generator).to(tokens.mean.device)[None]


def choose(scores: list[Score], base_loss: float) -> tuple[Score, tuple[str, ...]]:
    """The best candidate and the reasons, in sentences.

    One that leaves others as they are, where there is any that learned something; of those the lowest held-out loss,
    and among those within 1% of it the one that drifts least.
    """
    harmless = [s for s in scores if unaffected(s.drift, HARMS) and (s.best_loss < base_loss or not base_loss)]
    every, scores = scores, harmless or scores
    lowest = min(scores, key=lambda score: score.best_loss)
    near = [score for score in scores if score.best_loss <= lowest.best_loss * CLOSE]
    best = min(near, key=lambda score: (score.drift, score.step))
    share = 1 - best.best_loss / base_loss if base_loss else 0.0
    kind = "averaged" if best.averaged else "raw"
    reasons = [
        f"step {best.step}, {kind} weights: held-out loss {best.best_loss:.4f}, {share:.0%} below the base's "
        f"{base_loss:.4f}",
        f"drift of prompts without the trigger {best.drift:.4f}",
    ]
    if not unaffected(best.drift, HARMS):
        reasons.append(f"this changes others too (more than {HARMS:g}); what helps: {REMEDIES}")
    harmful = min(every, key=lambda score: score.best_loss)
    if harmful.best_loss < best.best_loss and harmful not in scores:
        reasons.append(
            f"step {harmful.step} had a lower loss ({harmful.best_loss:.4f}), but changes others too (drift"
            f" {harmful.drift:.4f}, at most {HARMS:g})"
        )
    if best is not lowest:
        reasons.append(
            f"step {lowest.step} had the lowest loss ({lowest.best_loss:.4f}), less than 1% better, and drifts "
            f"{lowest.drift:.4f}"
        )
    last = every[-1]
    if last is not best and last.best_loss > best.best_loss * CLOSE:
        reasons.append(
            f"the last step {last.step} is worse ({last.best_loss:.4f}): the pictures were being learned by heart"
        )
    return best, tuple(reasons)
