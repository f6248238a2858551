"""One plan: what is done to a model on a card, in which order, and in how much memory. Pure; nothing is loaded.

`plan(profile, card, tier)` takes the fastest way that fits; `Plan.smaller` is the next way down, for when the card
was fuller than thought. Tiers:

    exact   no approximation: bf16 (float32 on a CPU), compiled, modulation from an exact table
    fast    the block's linear layers in fp8 (int8 before Ada), compiled
    turbo   fast, and steps reuse earlier ones where the first block says that little changed

Bytes follow from the parameter counts in `models/sizes.py` and the shapes that are alive at once; what they come to
on a real card is measured by `benchmarks/gpu.py`, which also tries every plan under a memory cap.
"""

from dataclasses import dataclass, replace
from typing import Literal

from inference.errors import BackendUnavailable
from inference.models.hardware import GB, Card
from inference.models.profiles import Profile
from inference.models.sizes import ModelSize, size_of

Tier = Literal["exact", "fast", "turbo"]
TIERS: tuple[Tier, ...] = ("exact", "fast", "turbo")

# CUDA's own context and cuBLAS workspaces, and what a desktop or a neighbour takes.
_CONTEXT = 0.8 * GB
# A fifth of a decoded picture's widest feature maps (256 channels at full size) suffices with tiles.
_TILED_SHARE = 0.2
# With fewer steps no two are alike enough for one to stand in for the other.
_STEPS_TO_CACHE = 12


@dataclass(frozen=True)
class Plan:
    """What is done. The fields stand in the order in which it happens; `need` is the peak in bytes of the card."""

    profile: str
    device: str
    tier: Tier
    dtype: Literal["float32", "bfloat16", "float16"]
    modulation: Literal["live", "table", "table-evicted"]
    weights: Literal["plain", "fp8", "int8"]
    encoders: Literal["resident", "streamed"]
    placement: Literal["whole", "streamed"]
    tiled_vae: bool
    attention: str
    step_cache: bool
    compiled: bool
    need: int
    way: int = 0

    @property
    def label(self) -> str:
        """What a badge records: the tier, and what besides it touches pixels."""
        return self.tier + ("+tiles" if self.tiled_vae else "")

    @property
    def steps(self) -> tuple[str, ...]:
        """What is done, in order. The order matters: a quantized weight cannot take a LoRA, a compiled one no hooks."""
        todo = [f"load {self.dtype}", "check LoRA", "fuse LoRA"]
        if self.modulation != "live":
            todo.append("modulation table" + (", weights evicted" if self.modulation == "table-evicted" else ""))
        if self.weights != "plain":
            todo.append(f"quantize {self.weights}")
        todo.append(f"place {'on ' + self.device if self.placement == 'whole' else 'streamed to ' + self.device}")
        todo.append(f"encoders {self.encoders}")
        if self.tiled_vae:
            todo.append("decode in tiles")
        if self.attention != "native":
            todo.append(f"attention {self.attention}")
        if self.step_cache:
            todo.append("first-block cache")
        if self.compiled:
            todo += ["compile", "warm"]
        return tuple(todo)

    def line(self) -> str:
        """The plan as one line for people."""
        need = f", about {self.need / GB:.1f} GB" if self.need else ""
        return f"plan: {self.profile} {self.label}{need}: {' > '.join(self.steps)}"


def plan(profile: Profile, card: Card, tier: Tier = "exact", *, compiled: bool = True, way: int = 0) -> Plan:
    """The fastest plan of `tier` for `profile` that fits `card`; `way` skips the first so many ways.

    Raises BackendUnavailable, naming what would fit, where none does.
    """
    ways = [each for each in _ways(profile, card, tier, compiled) if not card.is_cuda or each.need <= card.memory]
    ways = [each for each in ways if each.way >= way]
    if not ways:
        raise BackendUnavailable(
            f"{profile.title} does not fit {card.name} ({card.memory / GB:.0f} GB): "
            "choose --profile flux2-klein-4b, or --generator replicate"
        )
    return ways[0]


def smaller(current: Plan, profile: Profile, card: Card) -> Plan:
    """The next smaller way down from `current`. Raises BackendUnavailable where it was the smallest."""
    return plan(profile, card, current.tier, compiled=current.compiled, way=current.way + 1)


def _ways(profile: Profile, card: Card, tier: Tier, compiled: bool) -> list[Plan]:
    size = size_of(profile)
    base = Plan(
        profile=profile.name, device=card.device, tier=tier, dtype="float32", modulation="live", weights="plain",
        encoders="resident", placement="whole", tiled_vae=False, attention="native", step_cache=False, compiled=False,
        need=0,
    )  # fmt: skip
    if not card.is_cuda or size is None:
        # Small, or without matrix units to win anything on: exactly what a bare pipeline does, then in tiles.
        dtype: Literal["float32", "bfloat16"] = "bfloat16" if size and card.device == "mps" else "float32"
        plain = replace(base, tier="exact", dtype=dtype)
        return [plain, replace(plain, tiled_vae=True, way=1)]
    weights: Literal["plain", "fp8", "int8"] = "plain"
    if tier != "exact":
        weights = "fp8" if card.has_fp8 else "int8" if card.has_int8 else "plain"
    table = size.modulation > 0
    base = replace(
        base,
        dtype="bfloat16" if card.has_bf16 else "float16",
        weights=weights,
        modulation="table" if table else "live",
        attention="_native_cudnn" if card.capability >= (9, 0) else "native",
        step_cache=tier == "turbo" and profile.steps >= _STEPS_TO_CACHE,
        compiled=compiled,
    )
    evicted = replace(base, encoders="streamed", modulation="table-evicted" if table else "live")
    # Streaming moves weights all the time: it goes with neither compiled nor quantized layers, so it is exact.
    streamed = replace(evicted, placement="streamed", tiled_vae=True, weights="plain", compiled=False)
    streamed = replace(streamed, step_cache=False, tier="exact")
    ways = [base, replace(base, encoders="streamed")]
    ways += [evicted] if table else []
    ways += [replace(evicted, tiled_vae=True), streamed]
    return [replace(each, need=need(each, profile, size), way=n) for n, each in enumerate(ways)]


def need(plan: Plan, profile: Profile, size: ModelSize) -> int:
    """Peak bytes on the card while `plan` draws: weights that stay, the widest moment, and CUDA's own share.

    The widest moment is the largest of denoising, decoding, and encoding with streamed encoders.
    """
    half = 2  # bytes a value in bf16 and fp16
    if plan.placement == "streamed":
        linears = 2 * 24 * size.width**2 * half  # two double blocks: one at work, one on its way
    else:
        linears = size.block_linears * (half if plan.weights == "plain" else 1)
    weights = linears + (size.transformer - size.block_linears - size.modulation) * half + size.vae * half
    if plan.modulation != "live":
        weights += size.modulation // size.width * profile.steps * half  # the table of one prompt
    if plan.modulation != "table-evicted":
        weights += size.modulation * half
    if plan.encoders == "resident":
        weights += size.encoders * half
    # In units of the width: input, output and residual, attention's three, and the wide half before and after.
    denoising = size.tokens(profile) * size.width * 14 * half
    # Three feature maps of 256 channels, as large as the picture or as a tile.
    decoding = profile.width * profile.height * 256 * 3 * half * (_TILED_SHARE if plan.tiled_vae else 1)
    encoding = 0 if plan.encoders == "resident" else size.encoders * half // 12
    return int(weights + max(denoising, decoding, encoding) + _CONTEXT)
