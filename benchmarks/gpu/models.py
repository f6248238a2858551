"""Models of the published architectures with random weights, made where they are used: nothing is downloaded.

Weights are drawn from a normal distribution of the spread that keeps activations at the size of their inputs, so that
products see numbers like real ones (a card runs faster on constants) and nothing overflows; biases are 0, norms 1.
"""

from typing import Any

import torch

from inference.lora.parts import LowRankPart
from inference.models.profiles import Profile
from inference.models.sizes import FLUX1_CONFIG, FLUX2_KLEIN_4B_CONFIG
from training.local.base import Base

RANK = 16  # the recipe's ([training] in configs/badge.toml)


def base_of(profile: Profile) -> Base:
    """The family's arithmetic for training; its weights are never asked for."""
    return Base(profile)


def transformer_config(profile: Profile, *, tiny: bool) -> dict[str, Any]:
    """The published configuration, or a tiny one of the same shape."""
    flux2 = profile.family == "flux2"
    config: dict[str, Any] = dict(FLUX2_KLEIN_4B_CONFIG if flux2 else FLUX1_CONFIG)
    if not flux2:
        config["guidance_embeds"] = profile.guidance > 0
    if tiny:
        config |= {"num_layers": 1, "num_single_layers": 2, "num_attention_heads": 2, "attention_head_dim": 32}
        config["axes_dims_rope"] = (8, 8, 8, 8) if flux2 else (8, 12, 12)
        config["joint_attention_dim"] = 96
    return config


def random_transformer(profile: Profile, device: str, card: str, *, tiny: bool) -> Any:
    """The transformer on `device`; random numbers are drawn on `card`, one weight at a time."""
    import diffusers

    model = diffusers.Flux2Transformer2DModel if profile.family == "flux2" else diffusers.FluxTransformer2DModel
    return _made(model, transformer_config(profile, tiny=tiny), device, card, tiny)


def random_pipe(profile: Profile, device: str, card: str, *, tiny: bool) -> Any:
    """A pipeline without text encoders."""
    import diffusers

    flux2 = profile.family == "flux2"
    if flux2:
        vae, config = diffusers.AutoencoderKLFlux2, {"sample_size": 1024}
    else:
        vae = diffusers.AutoencoderKL
        config = {
            "down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4,
            "block_out_channels": (128, 256, 512, 512), "layers_per_block": 2, "latent_channels": 16,
            "use_quant_conv": False, "use_post_quant_conv": False, "scaling_factor": 0.3611, "shift_factor": 0.1159,
            "sample_size": 1024,
        }  # fmt: skip
    if tiny:
        config |= {"block_out_channels": (32, 32, 32, 32), "layers_per_block": 1}
    texts = {"text_encoder": None, "tokenizer": None}
    texts |= {} if flux2 else {"text_encoder_2": None, "tokenizer_2": None}
    pipe = getattr(diffusers, profile.pipeline)(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=profile.guidance > 0),
        transformer=random_transformer(profile, device, card, tiny=tiny),
        vae=_made(vae, config, device, card, tiny),
        **texts,
        **({"is_distilled": True} if flux2 else {}),
    )
    pipe.set_progress_bar_config(disable=True)
    return pipe


def random_lora(transformer: Any, targets: list[str]) -> list[LowRankPart]:
    """A LoRA on these layers, small enough to leave the numbers as they are."""
    layers = dict(transformer.named_modules())
    return [
        LowRankPart(
            "transformer", name, torch.randn(RANK, layers[name].in_features),
            torch.randn(layers[name].out_features, RANK), 1e-4,
        )
        for name in targets
    ]  # fmt: skip


def random_texts(pipe: Any, profile: Profile, device: str) -> dict[str, torch.Tensor]:
    """A prompt that nobody has encoded: what the pipeline takes in place of words."""
    config, dtype = pipe.transformer.config, pipe.vae.dtype
    tokens = (1, profile.max_sequence_length, config.joint_attention_dim)
    texts = {"prompt_embeds": torch.randn(tokens, dtype=dtype).to(device)}
    if profile.family == "flux1":
        texts["pooled_prompt_embeds"] = torch.randn(1, config.pooled_projection_dim, dtype=dtype).to(device)
    return texts


@torch.no_grad()
def _made(model: Any, config: dict[str, Any], device: str, card: str, tiny: bool) -> Any:
    dtype = torch.float32 if tiny else torch.bfloat16
    with torch.device("meta"):
        part = model(**config)
    for weight in part.parameters():
        weight.data = weight.data.to(dtype)
    part.to_empty(device=device)
    for name, buffer in part.named_buffers():
        buffer.fill_(1 if name.endswith("running_var") else 0)  # a batch norm's, the only ones
    for name, weight in part.named_parameters():
        if weight.ndim < 2:
            weight.fill_(0.0 if name.endswith("bias") else 1.0)
            continue
        spread = (weight.numel() / weight.shape[0]) ** -0.5
        if weight.device.type == torch.device(card).type:
            weight.normal_(0, spread)
        else:
            weight.copy_(torch.empty(weight.shape, dtype=dtype, device=card).normal_(0, spread))
    return part.eval().requires_grad_(False)
