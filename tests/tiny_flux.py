"""A FLUX of real classes that is small enough for any test: random weights, seeded, about 1 MB on disk.

`make_tiny_flux(folder)` writes a folder that `FluxPipeline.from_pretrained` loads like any other FLUX (32-pixel
images and larger), `make_tiny_flux2(folder)` the same for FLUX.2 klein. What they draw means nothing; that they draw,
with which weights and how often, is what tests look at. The same call writes the same bytes.
"""

from pathlib import Path
from typing import Any

WORDS = "samurai warrior badge character holding telescope sword camera lantern a the in hand style cartoon , . :"
FLUX1 = {
    "patch_size": 1,
    "in_channels": 16,
    "num_layers": 2,
    "num_single_layers": 2,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": 32,
    "pooled_projection_dim": 32,
    "guidance_embeds": True,
    "axes_dims_rope": (4, 6, 6),
}
FLUX2 = {
    "patch_size": 1,
    "in_channels": 16,
    "num_layers": 1,
    "num_single_layers": 2,
    "attention_head_dim": 16,
    "num_attention_heads": 2,
    "joint_attention_dim": 96,
    "timestep_guidance_channels": 32,
    "mlp_ratio": 2.0,
    "axes_dims_rope": (4, 4, 4, 4),
    "guidance_embeds": False,
}
Z_IMAGE = {
    "in_channels": 4,
    "dim": 32,
    "n_layers": 2,
    "n_refiner_layers": 1,
    "n_heads": 2,
    "n_kv_heads": 2,
    "cap_feat_dim": 32,
    "axes_dims": [4, 6, 6],
    "axes_lens": [256, 64, 64],
}
_VAE = {
    "down_block_types": ("DownEncoderBlock2D",) * 2,
    "up_block_types": ("UpDecoderBlock2D",) * 2,
    "block_out_channels": (8, 16),
    "layers_per_block": 1,
    "latent_channels": 4,
    "norm_num_groups": 4,
    "use_quant_conv": False,
    "use_post_quant_conv": False,
}


def make_tiny_flux(folder: Path, seed: int = 0, **transformer: Any) -> Path:
    """Write a tiny FLUX.1 into `folder` and return it. `transformer` replaces values of `FLUX1`."""
    import torch
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, FluxPipeline, FluxTransformer2DModel
    from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    clip_words, t5_words = clip_tokenizer(), t5_tokenizer()
    clip = CLIPTextConfig(
        vocab_size=len(clip_words), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=2,
        max_position_embeddings=77, bos_token_id=0, eos_token_id=1, pad_token_id=1, projection_dim=32,
    )  # fmt: skip
    t5 = T5Config(vocab_size=len(t5_words), d_model=32, d_kv=16, d_ff=64, num_layers=2, num_heads=2)
    pipe = FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0, use_dynamic_shifting=True),
        vae=AutoencoderKL(**_VAE, scaling_factor=0.36, shift_factor=0.11),
        text_encoder=CLIPTextModel(clip),
        tokenizer=clip_words,
        text_encoder_2=T5EncoderModel(t5),
        tokenizer_2=t5_words,
        transformer=FluxTransformer2DModel(**{**FLUX1, **transformer}),
    )
    _liven(pipe.transformer)
    pipe.save_pretrained(folder)
    torch.random.set_rng_state(state)
    return folder


def make_tiny_flux2(folder: Path, seed: int = 0, **transformer: Any) -> Path:
    """Write a tiny FLUX.2 klein into `folder` and return it. `transformer` replaces values of `FLUX2`."""
    import torch
    from diffusers import (
        AutoencoderKLFlux2,
        FlowMatchEulerDiscreteScheduler,
        Flux2KleinPipeline,
        Flux2Transformer2DModel,
    )
    from transformers import Qwen3Config, Qwen3ForCausalLM

    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    words = qwen_tokenizer()
    # The pipeline takes hidden states 9, 18 and 27, so the encoder has at least 27 layers.
    qwen = Qwen3Config(
        vocab_size=len(words), hidden_size=32, intermediate_size=32, num_hidden_layers=27, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=512,
    )  # fmt: skip
    pipe = Flux2KleinPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=1.0),
        # The published one has both of these layers, unlike FLUX.1's.
        vae=AutoencoderKLFlux2(**{**_VAE, "use_quant_conv": True, "use_post_quant_conv": True}, sample_size=32),
        text_encoder=Qwen3ForCausalLM(qwen),
        tokenizer=words,
        transformer=Flux2Transformer2DModel(**{**FLUX2, **transformer}),
        is_distilled=True,
    )
    _liven(pipe.transformer)
    pipe.save_pretrained(folder)
    torch.random.set_rng_state(state)
    return folder


def make_tiny_z_image(folder: Path, seed: int = 0) -> Path:
    """Write a tiny Z-Image into `folder` and return it."""
    import torch
    from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, ZImagePipeline, ZImageTransformer2DModel
    from transformers import Qwen3Config, Qwen3Model

    state = torch.random.get_rng_state()
    torch.manual_seed(seed)
    words = qwen_tokenizer()
    qwen = Qwen3Config(
        vocab_size=len(words), hidden_size=32, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2,
        num_key_value_heads=1, head_dim=16, max_position_embeddings=512,
    )  # fmt: skip
    pipe = ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=AutoencoderKL(**_VAE, scaling_factor=0.36, shift_factor=0.11),
        text_encoder=Qwen3Model(qwen),
        tokenizer=words,
        transformer=ZImageTransformer2DModel(**Z_IMAGE),
    )
    _liven(pipe.transformer)
    pipe.save_pretrained(folder)
    torch.random.set_rng_state(state)
    return folder


def clip_tokenizer() -> Any:
    """A CLIP tokenizer that knows single letters."""
    from transformers import CLIPTokenizer

    tokens = ["<|startoftext|>", "<|endoftext|>"]
    tokens += [letter + end for end in ("", "</w>") for letter in "abcdefghijklmnopqrstuvwxyz0123456789_,.:-"]
    return CLIPTokenizer(vocab={token: n for n, token in enumerate(tokens)}, merges=[], model_max_length=77)


def t5_tokenizer() -> Any:
    """A T5 tokenizer that knows single letters and a few words."""
    from transformers import T5TokenizerFast

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(letter, -8.0) for letter in "abcdefghijklmnopqrstuvwxyz0123456789_,.:-ABCDEFGHIJKLMNOPQRSTUVWXYZ"]
    pieces += [("▁" + word, -4.0) for word in WORDS.split() if len(word) > 1]
    return T5TokenizerFast(vocab=pieces, extra_ids=0, additional_special_tokens=[], model_max_length=512)


def qwen_tokenizer() -> Any:
    """A byte-level tokenizer without merges, with a chat template."""
    from tokenizers import pre_tokenizers
    from transformers import Qwen2TokenizerFast

    tokens = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    tokenizer = Qwen2TokenizerFast(vocab={token: n for n, token in enumerate(tokens)}, merges=[], model_max_length=512)
    tokenizer.chat_template = (
        "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    )
    return tokenizer


def _liven(transformer: Any) -> None:
    """Random weights everywhere: fresh models start with values so small that changes would drown in rounding."""
    import torch

    with torch.no_grad():
        for parameter in transformer.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, parameter.shape[1] ** -0.5)
            else:
                parameter.add_(torch.randn_like(parameter), alpha=0.1)


def make_tiny_clip(folder: Path) -> Path:
    """A CLIP of real classes and random weights, as transformers saves one, in `folder`; the folder."""
    from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPTextConfig, CLIPVisionConfig

    words = clip_tokenizer()
    sizes = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 1}
    text = CLIPTextConfig(vocab_size=len(words), bos_token_id=0, eos_token_id=1, pad_token_id=1, **sizes)
    config = CLIPConfig(
        text_config=text.to_dict(),
        vision_config=CLIPVisionConfig(image_size=32, patch_size=16, **sizes).to_dict(),
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    words.save_pretrained(folder)
    CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=32).save_pretrained(folder)
    return folder
