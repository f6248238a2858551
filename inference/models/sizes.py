"""How large each full-size model is, as numbers: the architecture, and the bytes that follow from it.

The configurations are those of the published repositories; `tests/inference/local/test_plan.py` builds every one of
them on the meta device and counts. Nothing here loads torch, so a plan can be made anywhere.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from inference.models.profiles import Profile

FLUX1_CONFIG: Mapping[str, object] = MappingProxyType(
    {
        "patch_size": 1,
        "in_channels": 64,
        "num_layers": 19,
        "num_single_layers": 38,
        "attention_head_dim": 128,
        "num_attention_heads": 24,
        "joint_attention_dim": 4096,
        "pooled_projection_dim": 768,
        "guidance_embeds": True,
        "axes_dims_rope": (16, 56, 56),
    }
)
FLUX2_KLEIN_4B_CONFIG: Mapping[str, object] = MappingProxyType(
    {
        "patch_size": 1,
        "in_channels": 128,
        "num_layers": 5,
        "num_single_layers": 20,
        "attention_head_dim": 128,
        "num_attention_heads": 24,
        "joint_attention_dim": 7680,
        "guidance_embeds": False,
    }
)


@dataclass(frozen=True)
class ModelSize:
    """Parameters of the parts of a model. `modulation` is the share of `transformer` that never sees the image."""

    width: int
    double_blocks: int
    single_blocks: int
    transformer: int
    modulation: int
    block_linears: int
    encoders: int
    vae: int
    text_width: int
    pooled: int = 0

    def tokens(self, profile: Profile) -> int:
        """Tokens in the transformer: 16x16-pixel patches of the image, and the text."""
        return profile.width * profile.height // 256 + profile.max_sequence_length

    def prompt_values(self, profile: Profile) -> int:
        """Values of one encoded prompt."""
        return profile.max_sequence_length * self.text_width + self.pooled


FLUX1 = ModelSize(
    width=3072,
    double_blocks=19,
    single_blocks=38,
    transformer=11_901_408_320,
    modulation=3_247_448_064,
    block_linears=8_606_711_808,
    encoders=4_762_310_656 + 123_060_480,  # T5-XXL's encoder, CLIP-L's text model
    vae=83_819_683,
    text_width=4096,
    pooled=768,
)
FLUX2_KLEIN_4B = ModelSize(
    width=3072,
    double_blocks=5,
    single_blocks=20,
    transformer=3_875_544_576,
    modulation=0,  # three layers shared by all blocks: not worth a table
    block_linears=3_680_501_760,
    encoders=4_022_468_096,  # Qwen3-4B
    vae=84_046_115,
    text_width=7680,
)


def size_of(profile: Profile) -> ModelSize | None:
    """The size of a full-size profile's model; None for the demo, which fits everywhere."""
    if profile.folder:
        return None
    return FLUX2_KLEIN_4B if profile.family == "flux2" else FLUX1
