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
FLUX2_KLEIN_9B_CONFIG: Mapping[str, object] = MappingProxyType(
    {
        **FLUX2_KLEIN_4B_CONFIG,
        "num_layers": 8,
        "num_single_layers": 24,
        "num_attention_heads": 32,
        "joint_attention_dim": 12288,
    }
)
Z_IMAGE_CONFIG: Mapping[str, object] = MappingProxyType(
    {"dim": 3840, "n_layers": 30, "n_heads": 30, "cap_feat_dim": 2560}
)


@dataclass(frozen=True)
class ModelSize:
    """Parameters of the parts of a model. `modulation` is the share of `transformer` that never sees the image.

    `text_visit`: values of an encoder on the card at once while its layers pass one by one: the widest, its table of
    words, and the first linear layer, which is copied meanwhile.
    `denoising`: values that are alive at once at the widest moment of an eager step, in tokens times `width`, by how
    the weights are held (quantized products cast their inputs). From `python -m benchmarks.memory.drawing`.
    """

    width: int
    double_blocks: int
    single_blocks: int
    transformer: int
    modulation: int
    block_linears: int
    encoders: int
    vae: int
    text_width: int
    text_visit: int
    denoising: Mapping[str, float]
    pooled: int = 0

    def tokens(self, profile: Profile) -> int:
        """Tokens in the transformer: 16x16-pixel patches of the image, and the text."""
        return profile.width * profile.height // 256 + profile.max_sequence_length

    def prompt_values(self, profile: Profile) -> int:
        """Values of one encoded prompt."""
        return profile.max_sequence_length * self.text_width + self.pooled


_FLUX1_DENOISING = MappingProxyType({"plain": 17.4, "fp8": 46.3, "int8": 33.6, "nf4": 18.0})
_FLUX2_DENOISING = MappingProxyType({"plain": 21.9, "fp8": 47.0, "int8": 39.7, "nf4": 24.6})
_Z_IMAGE_DENOISING = MappingProxyType({"plain": 16.0, "fp8": 25.4, "int8": 19.5, "nf4": 16.1})

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
    text_visit=32_128 * 4096 + 4096 * 4096,
    denoising=_FLUX1_DENOISING,
    pooled=768,
)
FLUX2_KLEIN_4B = ModelSize(
    width=3072,
    double_blocks=5,
    single_blocks=20,
    transformer=3_875_544_576,
    modulation=0,  # three layers shared by all blocks: not worth a table
    block_linears=3_680_501_760,
    encoders=3_114_088_192,  # 27 layers of Qwen3-4B, see `flux2.py`
    vae=84_046_115,
    text_width=7680,
    text_visit=151_936 * 2560 + 2560 * 4096,
    denoising=_FLUX2_DENOISING,
)
FLUX2_KLEIN_9B = ModelSize(
    width=4096,
    double_blocks=8,
    single_blocks=24,
    transformer=9_078_581_248,
    modulation=0,
    block_linears=8_724_152_320,
    encoders=5_831_883_520,  # 27 layers of Qwen3-8B
    vae=84_046_115,
    text_width=12_288,
    text_visit=151_936 * 4096 + 4096 * 4096,
    denoising=_FLUX2_DENOISING,
)
Z_IMAGE = ModelSize(
    width=3840,
    double_blocks=0,
    single_blocks=34,  # two of them refine the noise, two the text
    transformer=6_154_908_736,
    modulation=0,  # of 256 inputs each
    block_linears=6_016_204_800,
    encoders=4_022_468_096,  # Qwen3-4B
    vae=83_819_683,
    text_width=2560,
    text_visit=151_936 * 2560 + 2560 * 4096,
    denoising=_Z_IMAGE_DENOISING,
)
SIZES: Mapping[str, ModelSize] = MappingProxyType(
    {"flux1": FLUX1, "flux2-klein-4b": FLUX2_KLEIN_4B, "flux2-klein-9b": FLUX2_KLEIN_9B, "z-image": Z_IMAGE}
)


def size_of(profile: Profile) -> ModelSize | None:
    """The size of a full-size profile's model; None for the demo, which fits everywhere."""
    return SIZES[profile.size] if profile.size else None
