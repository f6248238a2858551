"""One plan: what is done to a model on a card, in which order, and in how much memory. Pure; nothing is loaded.

`plan(profile, card, tier)` takes the fastest way that fits the card and main memory; `smaller` is the next way down,
for when either was fuller than thought. Tiers:

    exact   no approximation: bf16 (float32 on a CPU), compiled, modulation from an exact table
    fast    the block's linear layers in fp8 (int8 before Ada), compiled
    turbo   fast, and steps reuse earlier ones where the first block says that little changed
    small   the block's linear layers in nf4, four bits a weight (Dettmers et al. 2023, arXiv:2305.14314)

Where `fast` and `turbo` do not fit, `small` is tried before weights are streamed. Bytes follow from the parameter
counts in `models/sizes.py` and the shapes that are alive at once; `python -m benchmarks.memory` holds them against a
simulation of every plan.
"""

from dataclasses import dataclass, replace
from typing import Literal

from inference.errors import OperatorNeeded
from inference.local.tiers import Tier
from inference.models.hardware import GB, Card
from inference.models.profiles import Profile
from inference.models.sizes import ModelSize, size_of
from inference.models.text_cache import PROMPTS_KEPT

Weights = Literal["plain", "fp8", "int8", "nf4"]

# CUDA's own context and cuBLAS workspaces, and what a desktop or a neighbour takes.
CONTEXT = 0.8 * GB
# Main memory of the process itself: Python, torch with CUDA's libraries, what the compiler holds.
_PROCESS = 3 * GB
# A tile of 512 pixels is a quarter of the area of a 1024-pixel picture.
TILE = 512
# Prompts whose modulation tables stay on the card.
TABLES_KEPT = 4
# With fewer steps no two are alike enough for one to stand in for the other.
_STEPS_TO_CACHE = 12
# Of so few steps decoding is a share worth compiling for: a tenth to a fifth of a 4-step drawing.
_STEPS_TO_COMPILE_VAE = 8
# Bytes a value. int8: one, and a scale in four bytes a row. nf4: half a byte, and for each 64 values a scale in one
# byte, of which 256 share one in four.
_BYTES = {"plain": 2.0, "fp8": 1.0, "int8": 1.0 + 4 / 3072, "nf4": 0.5 + 1 / 64 + 4 / (64 * 256)}


@dataclass(frozen=True)
class Plan:
    """What is done. The fields stand in the order in which it happens.

    `need` is the peak in bytes of the card, `ram` of main memory; `wanted` is the tier that was asked for.
    """

    profile: str
    device: str
    tier: Tier
    dtype: Literal["float32", "bfloat16", "float16"]
    modulation: Literal["live", "table", "table-evicted"]
    weights: Weights
    encoders: Literal["resident", "streamed", "mapped"]
    placement: Literal["whole", "streamed"]
    tiled_vae: bool
    attention: str
    step_cache: bool
    compiled: bool
    need: int
    way: int = 0
    ram: int = 0
    compiled_vae: bool = False
    wanted: Tier = "exact"

    @property
    def vae_dtype(self) -> str:
        """float32 where the rest is fp16, in whose range a VAE's activations do not fit, and on a CPU."""
        return "float32" if self.dtype == "float16" or self.device == "cpu" else self.dtype

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
        need += f" and {self.ram / GB:.0f} GB of main memory" if self.ram else ""
        return f"plan: {self.profile} {self.label}{need}: {' > '.join(self.steps)}"


def plan(profile: Profile, card: Card, tier: Tier = "exact", *, compiled: bool = True, way: int = 0) -> Plan:
    """The fastest plan of `tier` for `profile` that fits `card` and main memory; `way` skips the first so many ways.

    Raises OperatorNeeded, naming what would fit, where none does.
    """
    ways = [each for each in all_ways(profile, card, tier, compiled=compiled) if each.way >= way]
    fitting = [each for each in ways if not card.is_cuda or each.need <= _room(card)]
    for each in fitting:
        if card.ram is None or not card.is_cuda or each.ram <= card.ram:
            return each
    raise OperatorNeeded(_no_way(profile, card, tier, fitting))


def smaller(current: Plan, profile: Profile, card: Card) -> Plan:
    """The next smaller way down from `current`. Raises BackendUnavailable where it was the smallest."""
    return plan(profile, card, current.wanted, compiled=current.compiled, way=current.way + 1)


def _room(card: Card) -> float:
    """Bytes of the card for us. What was free was asked with CUDA's context in place, which `need` counts again."""
    return card.memory if card.free is None else min(card.memory, card.free + CONTEXT)


def _no_way(profile: Profile, card: Card, tier: Tier, fitting: list[Plan]) -> str:
    room = f"{card.memory / GB:.0f} GB"
    if card.free is not None and card.free + CONTEXT < 0.9 * card.memory:
        room += f", {card.free / GB:.1f} GB of it free"
    fault = f"{profile.title} does not fit {card.name} ({room})"
    if fitting and card.ram is not None:
        least = min(each.ram for each in fitting) / GB
        fault = f"{profile.title} needs {least:.0f} GB of main memory on {card.name}, {card.ram / GB:.0f} GB are free"
    ways_out = [] if tier == "small" or not _would_fit_small(profile, card) else ["--tier small"]
    ways_out += [] if profile.name == "flux2-klein-4b" else ["--profile flux2-klein-4b"]
    return f"{fault}: choose {', '.join([*ways_out, 'or --generator replicate'])}"


def _would_fit_small(profile: Profile, card: Card) -> bool:
    return any(
        each.weights == "nf4" and each.need <= _room(card) and (card.ram is None or each.ram <= card.ram)
        for each in all_ways(profile, card, "small", compiled=False)
    )


def all_ways(profile: Profile, card: Card, tier: Tier, *, compiled: bool) -> list[Plan]:
    """Every way of `tier` on a card like this one, from the fastest to the smallest, whether it fits or not."""
    size = size_of(profile)
    base = Plan(
        profile=profile.name, device=card.device, tier=tier, dtype="float32", modulation="live", weights="plain",
        encoders="resident", placement="whole", tiled_vae=False, attention="native", step_cache=False, compiled=False,
        need=0, wanted=tier,
    )  # fmt: skip
    if size is not None and card.device == "cpu":
        # Held as on the disk; a processor without bf16 units computes in float32, a layer at a time, and in tiles.
        full = replace(base, tier="exact", dtype="bfloat16", encoders="mapped", tiled_vae=True)
        return [replace(full, ram=_ram_on_cpu(size))]
    if not card.is_cuda or size is None:
        # Small, or without matrix units to win anything on: exactly what a bare pipeline does, then in tiles.
        dtype: Literal["float32", "bfloat16"] = "bfloat16" if size and card.device == "mps" else "float32"
        plain = replace(base, tier="exact", dtype=dtype)
        return [plain, replace(plain, tiled_vae=True, way=1)]
    weights: Weights = "plain"
    if tier == "small":
        weights = "nf4"
    elif tier != "exact":
        weights = "fp8" if card.has_fp8 else "int8" if card.has_int8 else "plain"
    table = size.modulation > 0
    base = replace(
        base,
        dtype="bfloat16" if card.has_bf16 else "float16",
        weights=weights,
        modulation="table" if table else "live",
        attention="_native_cudnn" if card.capability >= (9, 0) else "native",
        # FLUX.2's blocks do not go with the cache (https://github.com/huggingface/diffusers/issues/14280).
        step_cache=tier == "turbo" and profile.family == "flux1" and profile.steps >= _STEPS_TO_CACHE,
        compiled=compiled,
        compiled_vae=compiled and profile.steps <= _STEPS_TO_COMPILE_VAE,
    )
    evicted = replace(base, encoders="streamed", modulation="table-evicted" if table else "live")
    tiled = replace(evicted, tiled_vae=True, compiled_vae=False)
    # Streaming moves weights all the time: it goes with neither compiled nor quantized layers, so it is exact.
    streamed = replace(tiled, placement="streamed", weights="plain", compiled=False)
    streamed = replace(streamed, step_cache=False, tier="exact")
    ways = [base, replace(base, encoders="streamed")]
    ways += [evicted] if table else []
    ways += [tiled]
    if tier in ("fast", "turbo"):
        ways += [replace(each, weights="nf4", tier="small", step_cache=False) for each in (evicted, tiled)]
    ways += [streamed]
    counted = [replace(each, need=need(each, profile, size), ram=_ram(each, size)) for each in ways]
    return [replace(_in_little_ram(each, size, card), way=n) for n, each in enumerate(counted)]


def _in_little_ram(made: Plan, size: ModelSize, card: Card) -> Plan:
    """`made`, with encoders read from their file each time where there is no room to hold them in main memory."""
    if made.encoders != "streamed" or card.ram is None or made.ram <= card.ram:
        return made
    mapped = replace(made, encoders="mapped")
    return replace(mapped, ram=_ram(mapped, size))


def _ram(plan: Plan, size: ModelSize) -> int:
    """Peak bytes of main memory. Weights that only pass through stay on disk: their pages are the file's.

    What has to be there: modulation and streamed blocks, which are pinned, and streamed encoders. A file in another
    dtype than the plan's (bf16 on a card without it) is converted, whole, while loading.
    """
    half = 2
    held = size.modulation * half if plan.modulation == "table-evicted" else 0
    if plan.placement == "streamed":
        held += (size.transformer - size.modulation) * half
    encoders = size.encoders * half if plan.encoders == "streamed" else 0
    if plan.dtype == "float16":
        return int(_PROCESS + max(size.transformer * half, held + size.encoders * half))
    return int(_PROCESS + held + encoders)


def _ram_on_cpu(size: ModelSize) -> int:
    """Peak bytes of main memory without a card: the transformer as on the disk, and its widest companion in float32."""
    outside = size.transformer - size.block_linears - size.modulation
    widest = max(TILE * TILE * 256 * 3 * 4, size.text_visit * 4)
    return int(_PROCESS + size.transformer * 2 + outside * 2 + size.vae * 4 + widest)


def need(plan: Plan, profile: Profile, size: ModelSize) -> int:
    """Peak bytes on the card while `plan` draws: weights that stay, the widest moment, and CUDA's own share.

    The widest moment is the largest of denoising, decoding, and encoding with streamed encoders.
    """
    half = 2  # bytes a value in bf16 and fp16
    if plan.placement == "streamed":
        linears = 2 * 24 * size.width**2 * half  # two double blocks: one at work, one on its way
    else:
        linears = int(size.block_linears * _BYTES[plan.weights])
    vae = 4 if plan.vae_dtype == "float32" else half
    weights = linears + (size.transformer - size.block_linears - size.modulation) * half + size.vae * vae
    if plan.modulation != "live":
        # Each remembered prompt's table; the rows of one step.
        weights += (size.modulation // size.width) * (profile.steps * TABLES_KEPT + 1) * half
    if plan.modulation != "table-evicted":
        weights += size.modulation * half
    if plan.encoders == "resident":
        weights += size.encoders * half
    # Besides the kept prompts the one that is being encoded or drawn. A guided pipeline repeats both of its prompts for
    # the batch, and keeps what the first of two passes gave.
    weights += (PROMPTS_KEPT + 1 + 2 * profile.guided) * size.prompt_values(profile) * half
    # Z-Image guides with both prompts in one batch, FLUX.2 with one after the other.
    batch = 2 if profile.family == "z-image" and profile.guided else 1
    denoising = batch * size.tokens(profile) * size.width * size.denoising[plan.weights] * half
    # Three feature maps of 256 channels, as large as the picture or as a tile; and the picture in three forms.
    pixels = profile.width * profile.height
    picture = pixels * 3 * (vae + 4 + half)
    if plan.tiled_vae:
        pixels = min(pixels, TILE * TILE)
    decoding = pixels * 256 * 3 * vae + picture
    encoding = 0 if plan.encoders == "resident" else size.text_visit * half
    return int(weights + max(denoising, decoding, encoding) + CONTEXT)
