"""How the model is held while it trains, and how much memory that takes: pure arithmetic, no torch.

Fastest first: bf16 without checkpointing (1.00x the FLOPs), bf16 with checkpointing (1.50x, since frozen
weights need no gradient of their own), then an int8 base, then an nf4 base. The first that fits the card is taken.

What a step keeps for its way back was counted on a card that is not there (`python -m benchmarks.memory`), with the
real architecture run eagerly; compiled blocks keep less, by an estimate. Time is measured while training
(`training.pace`), never predicted.
"""

from dataclasses import dataclass

from training.errors import TrainerUnavailable

GIB = 2**30
# Bytes a parameter: nf4 has 4 bits and a 32-bit scale for each 64 values, int8 one for each row.
_BYTES = {"fp32": 4.0, "bf16": 2.0, "checkpointing": 2.0, "int8": 1.002, "nf4": 0.563}
_ORDER = ("bf16", "checkpointing", "int8", "nf4")
# CUDA's context and workspaces 0.8 GB, latents and encoded captions on the card 0.4, fragments 0.4.
RESERVE = round(1.5 * GIB)
# On a CPU the interpreter with its libraries is counted too: the demo FLUX, 0.1 GB by itself, took 0.5 to 0.8 GB.
_PROGRAM = 0.7 * GIB


@dataclass(frozen=True)
class Kept:
    """What one step keeps, in values of the model's width a token: by block, and at the widest moment around the
    blocks without and with checkpointing; `compiled` is the share of it that compiled blocks keep. `lora_*`: LoRA
    values of a block, in widths times rank."""

    double: float
    single: float
    rest: float
    rest_checkpointing: float
    compiled: float
    lora_double: int
    lora_single: int


# 0.78 is an estimate, from the compiled graphs; 0.70 was measured on an H100 with klein (0.68).
FLUX1_KEPT = Kept(25.2, 23.2, 24.3, 49.7, 0.78, 36, 17)
FLUX2_KEPT = Kept(29.4, 27.3, 27.4, 56.5, 0.70, 38, 15)
KEPT = {"flux1": FLUX1_KEPT, "flux2": FLUX2_KEPT}


@dataclass(frozen=True)
class BaseShape:
    """The shape of a base model. `quantizable` is the share of the parameters that a quantized base holds in few bits;
    `grain` the pixels of a token's side."""

    parameters: int
    width: int
    double_blocks: int
    single_blocks: int
    text_tokens: int
    kept: Kept
    grain: int = 16
    quantizable: float = 0.999

    def tokens(self, resolution: int) -> int:
        """Tokens of image and text at `resolution` squared."""
        return (resolution // self.grain) ** 2 + self.text_tokens

    @property
    def blocks(self) -> int:
        """Of both kinds."""
        return self.double_blocks + self.single_blocks


# Parameters, width, double and single blocks of the published transformers; text tokens of their profiles.
FLUX1 = BaseShape(11_901_408_320, 3072, 19, 38, 256, FLUX1_KEPT)
FLUX2_KLEIN_4B = BaseShape(3_875_544_576, 3072, 5, 20, 512, FLUX2_KEPT)


@dataclass(frozen=True)
class MemoryPlan:
    """One way to hold the model. `peak` in bytes."""

    kind: str
    checkpointing: bool
    base: str
    peak: int
    compiled: bool = False

    @property
    def eight_bit(self) -> bool:
        """Whether the optimizer's moments are kept in 8 bits: where the base itself had to be quantized to fit."""
        return self.base in ("int8", "nf4")

    def line(self) -> str:
        """The plan as one line for people."""
        base = {"bf16": "bf16 base", "fp32": "fp32 base"}.get(self.base, f"{self.base} base")
        how = f"{base}, {'with' if self.checkpointing else 'no'} checkpointing"
        estimate = " (an estimate, for compiled blocks)" if self.compiled else ""
        return f"plan: {how}; predicted peak {self.peak / GIB:.1f} GB{estimate}"


def make_plan(
    model: BaseShape,
    memory: int,
    *,
    resolutions: tuple[int, ...],
    batch: int,
    rank: int,
    wanted: str = "auto",
    name: str = "this card",
    compiled: bool = False,
) -> MemoryPlan:
    """The fastest plan that fits `memory` bytes, or the `wanted` one; `compiled` says whether blocks are compiled.

    Raises TrainerUnavailable, with what to change, where none fits. A wanted plan is taken as it is.
    """
    if wanted != "auto":
        return _plan(model, wanted, resolutions, batch, rank, compiled)
    for kind in _ORDER:
        plan = _plan(model, kind, resolutions, batch, rank, compiled)
        if plan.peak <= memory:
            return plan
    smallest = _plan(model, _ORDER[-1], resolutions, batch, rank, compiled)
    way_out = (
        f"take --resolution {min(resolutions)}" if len(resolutions) > 1 else "take a smaller --resolution or --rank"
    )
    raise TrainerUnavailable(
        f"{name} has {memory / GIB:.1f} GB, and the smallest plan needs {smallest.peak / GIB:.1f}: {way_out}, "
        "a smaller base (--profile flux2-klein-4b), or --backend replicate"
    )


def next_smaller(plan: MemoryPlan) -> str | None:
    """The kind of plan that needs less memory than `plan`; None where there is none."""
    later = _ORDER[_ORDER.index(plan.kind) + 1 :] if plan.kind in _ORDER else ()
    return later[0] if later else None


def lora_parameters(model: BaseShape, rank: int) -> int:
    """How many values a LoRA on attention and feed-forward has."""
    kept = model.kept
    widths = kept.lora_double * model.double_blocks + kept.lora_single * model.single_blocks
    return widths * model.width * rank


def _plan(
    model: BaseShape, kind: str, resolutions: tuple[int, ...], batch: int, rank: int, compiled: bool
) -> MemoryPlan:
    checkpointing = kind in ("checkpointing", "int8", "nf4")
    compiled = compiled and not checkpointing
    kept, value = model.kept, 4 if kind == "fp32" else 2
    weights = model.parameters * (model.quantizable * _BYTES[kind] + (1 - model.quantizable) * value)
    if checkpointing:  # each block's input, and one block's inside
        widths = model.blocks + kept.rest_checkpointing
    else:
        blocks = kept.double * model.double_blocks + kept.single * model.single_blocks
        widths = blocks * (kept.compiled if compiled else 1) + kept.rest
    saved = max(model.tokens(r) for r in resolutions) * batch * model.width * widths * value
    quantized = kind in ("int8", "nf4")
    # In fp32: weights and their average; two Adam moments, of 8 bits each beside a quantized base; a 16-bit copy.
    lora = lora_parameters(model, rank) * (12 if quantized else 18)
    dequantized = 4 * model.width**2 if quantized else 0  # of the widest weight, at work
    peak = round(weights + saved + lora + dequantized + (_PROGRAM if kind == "fp32" else RESERVE))
    return MemoryPlan(kind, checkpointing, _base(kind), peak, compiled)


def _base(kind: str) -> str:
    return "bf16" if kind == "checkpointing" else kind
