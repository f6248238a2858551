"""One model drawn in several ways, in a process of its own: `python -m benchmarks.gpu.drawing JOB` (see `worker.Job`).

Ways: `bounds` (rates of plain products), `diffusers` (the pipeline as documented, LoRA unfused, eager), `diffusers
compiled` (LoRA fused, blocks compiled), our tiers `exact`, `fast`, `turbo`, `int8` (fast as on a card without fp8), and
`TIER@N`: the tier on a card capped to N GB, two steps, only to see whether its plan draws.
"""

import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks.gpu.flops import profile_of
from benchmarks.gpu.models import RANK, base_of, random_lora, random_pipe, random_texts
from benchmarks.gpu.worker import Job, Worker, job_from, versions
from inference.local.assembly import Assembled, assemble
from inference.local.plan import plan
from inference.lora.merge import LoraSlot
from inference.models.hardware import Card, find_card
from inference.models.profiles import Profile

GIB = 2**30
# CUDA's context lies outside of what torch counts and caps.
CONTEXT = 0.6 * GIB
# Seconds, by hand: a way is left out where less is left, rather than begun and cut off.
_LEAST_S = {"bounds": 4.0, "diffusers": 12.0, "exact": 25.0, "diffusers compiled": 25.0}


class Drawing:
    """Measures ways of one profile on one card."""

    def __init__(self, worker: Worker) -> None:
        self._worker, self._job = worker, worker.job
        self._profile = profile_of(worker.job)
        self._card = find_card(worker.job.device)
        worker.tell("card", name=self._card.name, memory=self._card.memory, versions=versions())

    def measure(self, way: str) -> dict[str, Any]:
        """What a row says of one way."""
        if way == "bounds":
            with self._worker.alone():
                return {"rates": bounds(self._job, self._card)}
        tier, _, cap = way.partition("@")
        if cap:
            return self._capped(tier, float(cap))
        return self._timed(way)

    def _timed(self, way: str) -> dict[str, Any]:
        began = time.perf_counter()
        pipe, what = self._plain(compiled="compiled" in way) if way.startswith("diffusers") else self._ours(way)
        counter = _count_reuse(pipe.transformer) if way == "turbo" else None
        self._draw(pipe, self._texts(pipe), min(2, self._profile.steps), seed=0)  # compiles
        self._settle()
        setup = time.perf_counter() - began
        if self._card.is_cuda:
            torch.cuda.reset_peak_memory_stats()
        seconds: list[float] = []
        if counter:
            counter.clear()
        with self._worker.alone():
            for number in range(self._job.images if way != "diffusers" else max(1, self._job.images // 2)):
                texts = self._texts(pipe)
                self._settle()
                begin = time.perf_counter()
                picture = self._draw(pipe, texts, self._profile.steps, seed=number + 1)
                self._settle()
                seconds.append(time.perf_counter() - begin)
        fine = bool((picture == picture).all()) and float(picture.std()) > 0
        note = "" if fine else "NOT A PICTURE: not finite, or one colour"
        if counter is not None:
            note = f"{sum(not computed for computed in counter)} of {len(counter)} steps reused {note}".strip()
        return {
            "seconds": sorted(seconds)[len(seconds) // 2], "each": seconds, "setup": setup,
            "steps": self._profile.steps, "plan": what, "note": note, **self._peaks(),
        }  # fmt: skip

    def _capped(self, tier: str, cap: float) -> dict[str, Any]:
        """Whether the tier's plan for a card of `cap` GB draws in no more than that."""
        card, total = replace(self._card, memory=int(cap * GIB)), self._card.memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, (cap * GIB - CONTEXT) / total))
        try:
            pipe, what = self._ours(tier, card, compiled=False)
            self._settle()
            torch.cuda.reset_peak_memory_stats()
            self._draw(pipe, self._texts(pipe), 2, seed=0)
            self._settle()
            return {"draws": True, "cap": cap, "plan": what, "steps": 2, **self._peaks()}
        finally:
            torch.cuda.set_per_process_memory_fraction(1.0)

    def _texts(self, pipe: Any) -> dict[str, torch.Tensor]:
        """A prompt that was never seen before, encoded: the encoders are not what is measured here."""
        return random_texts(pipe, self._profile, self._card.device)

    def _draw(self, pipe: Any, texts: dict[str, torch.Tensor], steps: int, seed: int) -> Any:
        """One picture, as a numpy array."""
        profile = self._profile
        return pipe(
            **texts,
            width=profile.width,
            height=profile.height,
            num_inference_steps=steps,
            guidance_scale=profile.guidance,
            generator=torch.Generator().manual_seed(seed),
            max_sequence_length=profile.max_sequence_length,
            output_type="np",
        ).images[0]

    def _plain(self, *, compiled: bool) -> tuple[Any, str]:
        """What a user of diffusers writes. A fused LoRA leaves plain weights: none is needed then."""
        pipe = random_pipe(self._profile, self._card.device, self._card.device, tiny=self._job.tiny)
        pipe.transformer.set_attention_backend("native")  # the choice is global: another way may have made another
        if compiled:
            if self._job.compiled:
                pipe.transformer.compile_repeated_blocks(fullgraph=True)
            return pipe, "diffusers, LoRA fused, blocks compiled"
        from peft import LoraConfig

        targets = _targets(self._profile, pipe.transformer)
        pipe.transformer.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=targets))
        return pipe, "diffusers, LoRA unfused, eager"

    def _ours(self, way: str, card: Card | None = None, *, compiled: bool = True) -> tuple[Any, str]:
        """A tier, put together by the code that serves badges."""
        card = card or self._card
        if way == "int8":
            way, card = "fast", replace(card, capability=(8, 6))
        tier: Any = way
        made = plan(self._profile, card, tier, compiled=compiled and self._job.compiled)
        if self._job.tiny:
            made = replace(made, modulation="table" if self._profile.family == "flux1" else "live")
        # Where all fits, weights are made on the card; else where the plan expects them, in main memory.
        roomy = card.memory == self._card.memory and made.placement == "whole" and made.modulation != "table-evicted"
        pipe = random_pipe(self._profile, card.device if roomy else "cpu", card.device, tiny=self._job.tiny)
        pipe.transformer.set_attention_backend("native")
        slot = LoraSlot(pipe.transformer, device=card.device, clean=_OnlyOnce())
        slot.want(random_lora(pipe.transformer, _targets(self._profile, pipe.transformer)), 1.0)
        cache = Path(self._job.cache) if self._job.cache else None
        made_ready: Assembled = assemble(pipe, made, slot, lambda _what: None, cache)
        return made_ready.pipe, made.line()

    def _settle(self) -> None:
        if self._card.is_cuda:
            torch.cuda.synchronize()

    def _peaks(self) -> dict[str, int]:
        if not self._card.is_cuda:
            return {}
        return {"allocated": torch.cuda.max_memory_allocated(), "reserved": torch.cuda.max_memory_reserved()}


class _OnlyOnce:
    """Random weights have no file to be read from again, and this LoRA is never changed for another."""

    def __contains__(self, layer: object) -> bool:
        return True

    def read(self, layer: str) -> torch.Tensor:
        raise OSError(f"{layer} was made at random")


def _targets(profile: Profile, transformer: Any) -> list[str]:
    """The layers that our training puts a LoRA on."""
    import re

    pattern = base_of(profile).targets
    linear = torch.nn.Linear
    return [name for name, m in transformer.named_modules() if isinstance(m, linear) and re.fullmatch(pattern, name)]


def _count_reuse(transformer: Any) -> list[bool] | None:
    """From now on one entry a step: whether the blocks behind the first were computed."""
    computed: list[bool] = []
    for module in transformer.modules():
        registry = getattr(module, "_diffusers_hook", None)
        for hook in registry.hooks.values() if registry else ():
            asked = getattr(hook, "_should_compute_remaining_blocks", None)
            if asked is None:
                continue

            @torch.compiler.disable
            def noted(residual: torch.Tensor, asked: Any = asked) -> bool:
                computed.append(bool(asked(residual)))
                return computed[-1]

            hook._should_compute_remaining_blocks = noted
            return computed
    return None


def bounds(job: Job, card: Card) -> dict[str, float]:
    """TFLOP/s of a square matrix product, the best of five, in bf16 and, where the card has it, in fp8."""
    side = 256 if job.tiny else 8192
    a = torch.randn(side, side, device=card.device, dtype=torch.bfloat16)
    rates = {"bf16": _rate(lambda: a @ a, side, card)}
    if card.is_cuda and card.has_fp8:
        x, one = a.to(torch.float8_e4m3fn), torch.ones((), device=card.device)

        def product() -> torch.Tensor:
            return torch._scaled_mm(x, x.t(), scale_a=one, scale_b=one, out_dtype=torch.bfloat16, use_fast_accum=True)

        rates["fp8"] = _rate(product, side, card)
    return rates


def _rate(product: Any, side: int, card: Card) -> float:
    best = 0.0
    for _ in range(6):  # the first warms
        begin = time.perf_counter()
        for _ in range(10):
            product()
        if card.is_cuda:
            torch.cuda.synchronize()
        best = max(best, 10 * 2 * side**3 / (time.perf_counter() - begin) / 1e12)
    return best


def main(argv: list[str]) -> int:
    """Measure the job given as JSON."""
    worker = Worker(job_from(argv[0]))
    worker.each(Drawing(worker).measure, lambda way: 0.0 if worker.job.tiny else _LEAST_S.get(way, 25.0))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
