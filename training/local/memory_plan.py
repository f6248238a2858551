"""How the model is held while it trains, and how much memory that takes: pure arithmetic, no torch.

Fastest first: bf16 without checkpointing (1.00x the FLOPs), bf16 with checkpointing (1.50x, since frozen
weights need no gradient of their own), then an int8 base, then an nf4 base. The first that fits the card is taken.

Saved activations: 18.5 values of the width a token and block, measured on the real architecture's shapes (10.0, 18.2
and 29.8 GB for FLUX.1 at 512, 768 and 1024). Time is measured while training (`pace.py`), never predicted.
"""

from dataclasses import dataclass

from training.errors import TrainerUnavailable

GIB = 2**30
_SAVED = 18.5
_BYTES = {"fp32": 4.0, "bf16": 2.0, "checkpointing": 2.0, "int8": 1.06, "nf4": 0.56}
_ORDER = ("bf16", "checkpointing", "int8", "nf4")
_RESERVE = 1.5 * GIB
# On a CPU the interpreter with its libraries is counted too: the demo FLUX, 0.1 GB by itself, took 0.5 to 0.8 GB.
_PROGRAM = 0.7 * GIB


@dataclass(frozen=True)
class ModelSize:
    """The shape of a base model: parameters, parameters outside the block's linears, width, blocks, text tokens."""

    parameters: int
    width: int
    blocks: int
    text_tokens: int
    grain: int = 16
    quantizable: float = 0.99

    def tokens(self, resolution: int) -> int:
        """Tokens of image and text at `resolution` squared."""
        return (resolution // self.grain) ** 2 + self.text_tokens


FLUX1 = ModelSize(11_901_408_320, 3072, 57, 512)
FLUX2_KLEIN_4B = ModelSize(3_875_000_000, 3072, 25, 512)


@dataclass(frozen=True)
class MemoryPlan:
    """One way to hold the model. `peak` in bytes."""

    kind: str
    checkpointing: bool
    base: str
    peak: int

    @property
    def eight_bit(self) -> bool:
        """Whether the optimizer's moments are kept in 8 bits: where the base itself had to be quantized to fit."""
        return self.base in ("int8", "nf4")

    def line(self) -> str:
        """The plan as one line for people."""
        base = {"bf16": "bf16 base", "fp32": "fp32 base"}.get(self.base, f"{self.base} base")
        how = f"{base}, {'with' if self.checkpointing else 'no'} checkpointing"
        return f"plan: {how}; predicted peak {self.peak / GIB:.1f} GB"


def make_plan(
    model: ModelSize,
    memory: int,
    *,
    resolutions: tuple[int, ...],
    batch: int,
    rank: int,
    wanted: str = "auto",
    name: str = "this card",
) -> MemoryPlan:
    """The fastest plan that fits `memory` bytes, or the `wanted` one.

    Raises TrainerUnavailable, with what to change, where none fits. A wanted plan is taken as it is.
    """
    if wanted != "auto":
        return _plan(model, wanted, resolutions, batch, rank)
    for kind in _ORDER:
        plan = _plan(model, kind, resolutions, batch, rank)
        if plan.peak <= memory:
            return plan
    smallest = _plan(model, _ORDER[-1], resolutions, batch, rank)
    way_out = (
        f"take --resolution {min(resolutions)}" if len(resolutions) > 1 else "take a smaller --resolution or --rank"
    )
    raise TrainerUnavailable(
        f"{name} has {memory / GIB:.1f} GB, and the smallest plan needs {smallest.peak / GIB:.1f}: {way_out}, "
        "a smaller base (--profile flux2-klein-4b), or --backend replicate"
    )


def lora_parameters(model: ModelSize, rank: int) -> int:
    """About how many values a LoRA on attention and feed-forward has: 24 widths of `rank` a block."""
    return round(24 * model.width * rank * model.blocks)


def _plan(model: ModelSize, kind: str, resolutions: tuple[int, ...], batch: int, rank: int) -> MemoryPlan:
    checkpointing = kind in ("checkpointing", "int8", "nf4")
    value = 4 if kind == "fp32" else 2
    tokens = max(model.tokens(r) for r in resolutions) * batch
    weights = model.parameters * (model.quantizable * _BYTES[kind] + (1 - model.quantizable) * value)
    one_block = tokens * model.width * _SAVED * value
    # Checkpointing keeps each block's input (image and text) and one block's inside.
    saved = model.blocks * tokens * model.width * value + one_block if checkpointing else model.blocks * one_block
    # In fp32: weights, gradients and the average; two Adam moments, of 8 bits each beside a quantized base.
    quantized = kind in ("int8", "nf4")
    lora = lora_parameters(model, rank) * (14 if quantized else 20)
    dequantized = 12 * model.width**2 * value if quantized else 0
    peak = round(weights + saved + lora + dequantized + (_PROGRAM if kind == "fp32" else _RESERVE))
    return MemoryPlan(kind, checkpointing, _base(kind), peak)


def _base(kind: str) -> str:
    return "bf16" if kind == "checkpointing" else kind
