"""What a step costs in operations, and the least time that a card's plain products leave for it. No torch here."""

from benchmarks.gpu.worker import Job
from inference.models.profiles import Profile, load_profile
from inference.models.sizes import ModelSize, size_of


def profile_of(job: Job) -> Profile:
    """The profile at the size and text length that the published figures have."""
    profile = load_profile(job.profile)
    side, text = (64, 16) if job.tiny else (1024, 512)
    steps = job.steps or profile.steps
    return profile.model_copy(update={"width": side, "height": side, "max_sequence_length": text, "steps": steps})


def step_flops(size: ModelSize, profile: Profile) -> float:
    """Floating-point operations of one step for one image: products of block linears, and attention.

    2 a weight and token for the linears (a double block holds one set for each kind of token, of which a token
    meets one), 4 n^2 width a block for attention.
    """
    return _linear_flops(size, profile) + _attention_flops(size, profile)


def limit(job: Job, steps: int, rates: dict[str, float], *, fp8: bool) -> float:
    """Seconds a picture that the card's products alone take, at `rates` in TFLOP/s."""
    profile = profile_of(job)
    size = size_of(profile)
    if size is None or not rates:
        return 0.0
    rate = rates.get("fp8", rates["bf16"]) if fp8 else rates["bf16"]
    linears, attention = _linear_flops(size, profile), _attention_flops(size, profile)
    return steps * (linears / rate + attention / rates["bf16"]) / 1e12


def _linear_flops(size: ModelSize, profile: Profile) -> float:
    return 2.0 * 12 * size.width**2 * (size.double_blocks + size.single_blocks) * size.tokens(profile)


def _attention_flops(size: ModelSize, profile: Profile) -> float:
    return 4.0 * size.tokens(profile) ** 2 * size.width * (size.double_blocks + size.single_blocks)
