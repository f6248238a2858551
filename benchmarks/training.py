"""Our trainer beside a faithful plain loop, on the same tiny FLUX in one run: `python -m benchmarks.training`.

The plain loop does what diffusers' documented DreamBooth LoRA recipe does (examples/dreambooth,
train_dreambooth_lora_flux.py): captions encoded anew each step, latents cached in one shuffled order and read in
another, checkpointing on, PEFT's input cast on, the loss read back each step. Both in bf16 autocast, the LoRA in fp32.
Counts hold on any machine: operations (FlopCounterMode), bytes saved for the backward pass, encoder calls, reads of a
value by the host, and pictures trained with another picture's caption.
"""

import logging
import random
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

from inference.models.profiles import Profile
from tests.tiny_flux import make_tiny_flux
from tests.training.pictures import TRIGGER, fill_folder, job_for
from training.dataset.captions import CaptionRule
from training.dataset.checks import load_data_set
from training.local.base import Base, open_base
from training.local.loop import Loop, make_optimizer, uncast_inputs
from training.local.lora_layers import LoraLayers
from training.local.prepare import prepare
from training.local.ranks import Ranks
from training.local.sampler import Sampler

STEPS, PICTURES, SIDE = 20, 20, 96  # a data set as people have it; steps and pixels by hand, small for a CPU
# Than the tests' tiny FLUX, by hand: more of a step is spent in its blocks.
WIDER = {"num_layers": 3, "num_single_layers": 6, "num_attention_heads": 4, "attention_head_dim": 16}


@dataclass(frozen=True)
class Row:
    """What one way of training costs a step; `mismatched` is a share of all pictures."""

    name: str
    mflop: float
    saved_kib: float
    encoder_calls: float
    syncs: float
    mismatched: float


class _Syncs(TorchDispatchMode):
    """Counts values that the host waits for: `.item()`, `float(tensor)`, `bool(tensor)`."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


class _Saved:
    """Bytes kept for the backward pass: each storage once, the model's own weights left out."""

    def __init__(self, model: Any) -> None:
        self._own = {p.untyped_storage().data_ptr() for p in model.parameters()}
        self._seen: dict[int, int] = {}

    def keep(self, tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._own:
            self._seen[storage.data_ptr()] = storage.nbytes()
        return tensor

    @property
    def bytes(self) -> int:
        return sum(self._seen.values())


def measure(name: str, model: Any, encoders: Any, step: Callable[[int], None], mismatched: float) -> Row:
    """Run `STEPS` steps and count; operations and saved bytes are those of one step."""
    calls = [0]

    def count(*_: Any) -> None:
        calls[0] += 1

    hooks = [part.register_forward_hook(count) for part in (encoders.text_encoder, encoders.text_encoder_2)]
    with FlopCounterMode(display=False) as flops:
        step(0)
    saved = _Saved(model)
    with torch.autograd.graph.saved_tensors_hooks(saved.keep, lambda tensor: tensor):
        step(1)
    calls[0] = 0
    with _Syncs() as syncs:
        for number in range(2, 2 + STEPS):
            step(number)
    for hook in hooks:
        hook.remove()
    mflop = flops.get_total_flops() / 1e6
    return Row(name, mflop, saved.bytes / 1024, calls[0] / STEPS, syncs.count / STEPS, mismatched)


def ours(base: Base, data: Path, out: Path, encoders: Any, *, checkpointing: bool) -> Row:
    """The shipped loop."""
    job = job_for(data=data, out=out, resolutions=(SIDE,), batch=1, caption_dropout=0.0, held_out=0, log_every=10)
    pictures = load_data_set(data, CaptionRule(job.trigger, job.base_prompt, job.style_words))
    ready = prepare(job, pictures, base, torch.device("cpu"), torch.bfloat16, lambda: None)
    transformer, lora, optimizer = _lora(base, job, checkpointing)
    sampler = Sampler(ready.sizes, 1, job.seed)
    loop = Loop(job, base, lora, optimizer, ready.material([]), sampler, Ranks(torch.device("cpu")))
    # A picture and its caption are found by one number; checked against the tables that they came from.
    wrong = sum(
        ready.material([]).of(item)[1] is not ready.texts[pictures.caption(pictures.pictures[item.picture])]
        for number in range(STEPS)
        for item in sampler.step(number)
    )

    def step(number: int) -> None:
        with torch.autocast("cpu", torch.bfloat16):
            loop.step(number)
        if (number + 1) % job.log_every == 0:
            loop.read_loss()

    with uncast_inputs(transformer):
        name = "ours, checkpointing on" if checkpointing else "ours"
        return measure(name, transformer, encoders, step, wrong / STEPS)


def plain(base: Base, data: Path, out: Path, encoders: Any, *, checkpointing: bool) -> Row:
    """The documented recipe."""
    job = job_for(data=data, out=out, resolutions=(SIDE,), batch=1, steps=STEPS + 2)
    pictures = load_data_set(data, CaptionRule(job.trigger, job.base_prompt, job.style_words))
    ready = prepare(job_for(data=data, out=out, resolutions=(SIDE,), held_out=0), pictures, base, torch.device("cpu"),
                    torch.bfloat16, lambda: None)  # fmt: skip
    transformer, lora, optimizer = _lora(base, job, checkpointing)
    count = len(pictures.pictures)
    captions = [pictures.caption(picture) for picture in pictures.pictures]
    shuffle = random.Random(0)
    # The script's cache is filled while a shuffling loader is read once, and indexed by step while it is read again.
    cached = shuffle.sample(range(count), count)
    epochs = [shuffle.sample(range(count), count) for _ in range(2 + STEPS // count + 1)]
    order = [picture for epoch in epochs for picture in epoch]
    wrong = sum(cached[n % count] != order[n] for n in range(count)) / count

    def step(number: int) -> None:
        tokens = ready.tokens[cached[number % count], 0, False]
        text = base.encode(encoders, captions[order[number]])
        clean = tokens.mean + tokens.std * torch.randn_like(tokens.std)
        noise = torch.randn_like(clean)
        sigma = torch.sigmoid(torch.randn(1))
        noisy = torch.lerp(clean, noise, sigma[:, None])[None].bfloat16()
        with torch.autocast("cpu", torch.bfloat16):
            predicted = base.family.velocity(transformer, noisy, sigma, text, (tokens.rows, tokens.columns), 1.0)
            loss = (predicted.float() - (noise - clean)).square().mean()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(lora.raw, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.detach().item()

    name = "plain recipe" if checkpointing else "plain recipe, checkpointing off"
    return measure(name, transformer, encoders, step, wrong)


def _lora(base: Base, job: Any, checkpointing: bool) -> tuple[Any, LoraLayers, torch.optim.Optimizer]:
    transformer = base.load_transformer(torch.bfloat16)
    lora = LoraLayers(transformer, rank=job.rank, alpha=job.alpha, targets=base.targets, seed=0)
    if checkpointing:
        transformer.enable_gradient_checkpointing()
    return transformer, lora, make_optimizer(lora, job)


def rows(folder: Path) -> list[Row]:
    """All four measurements, in `folder`."""
    torch.manual_seed(0)
    made = make_tiny_flux(folder / "flux", **WIDER)
    profile = Profile(
        name="tiny", title="a tiny FLUX", folder=str(made), pipeline="FluxPipeline", family="flux1", steps=2,
        guidance=3.5, width=64, height=64, max_sequence_length=64, licence="none",
    )  # fmt: skip
    base = open_base(profile)
    data = fill_folder(folder / "data", PICTURES)
    for number, path in enumerate(sorted(data.glob("*.txt"))):
        path.write_text(f"{TRIGGER}, samurai, holding thing {number}\n")
    encoders = base.load_encoders(torch.bfloat16)
    return [
        plain(base, data, folder / "out", encoders, checkpointing=True),
        plain(base, data, folder / "out", encoders, checkpointing=False),
        ours(base, data, folder / "out", encoders, checkpointing=True),
        ours(base, data, folder / "out", encoders, checkpointing=False),
    ]


def main() -> None:
    """Print the table."""
    torch.set_num_threads(1)
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        found = rows(Path(folder))
    print(
        f"Tiny FLUX ({WIDER['num_layers']} + {WIDER['num_single_layers']} blocks), {PICTURES} pictures, {STEPS} steps\n"
    )
    print("| a step | MFLOP | saved KiB | encoder calls | host reads | mismatched pairs |")
    print("|---|---|---|---|---|---|")
    for row in found:
        counts = (
            f"{row.mflop:.1f} | {row.saved_kib:.0f} | {row.encoder_calls:.2f} | {row.syncs:.2f} | {row.mismatched:.1%}"
        )
        print(f"| {row.name} | {counts} |")
    base, best = found[0], found[-1]
    print(f"\n{base.mflop / best.mflop:.2f}x the operations of ours in the plain recipe.")


if __name__ == "__main__":
    main()
