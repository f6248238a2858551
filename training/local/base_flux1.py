"""FLUX.1 (dev, schnell, krea, the demo) as a `Base`."""

from typing import Any

import torch
from torch import Tensor

from training.local.base import Base, Text, Tokens, _translated
from training.local.memory_plan import FLUX1_KEPT


class Flux1(Base):
    """T5 and CLIP texts, 2 x 2 patches packed row by row, a distilled guidance input where the model has one."""

    vae_class = "AutoencoderKL"
    transformer_class = "FluxTransformer2DModel"
    kept = FLUX1_KEPT
    # The bare name proj_out would also take the model's last layer, hence whole names.
    targets = (
        r"transformer_blocks\.\d+\.(attn\.(to_q|to_k|to_v|to_out\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)"
        r"|ff(_context)?\.net\.(0\.proj|2))"
        r"|single_transformer_blocks\.\d+\.(attn\.(to_q|to_k|to_v)|proj_mlp|proj_out)"
    )

    def load_encoders(self, dtype: torch.dtype) -> Any:
        import diffusers

        with _translated(self.profile):
            return diffusers.FluxPipeline.from_pretrained(
                self.source, transformer=None, vae=None, dtype=dtype, use_safetensors=True
            )

    def encode(self, encoders: Any, prompt: str) -> Text:
        with torch.no_grad():
            embeds, pooled, _ids = encoders.encode_prompt(
                prompt=prompt, prompt_2=None, max_sequence_length=self.profile.max_sequence_length
            )
        return Text(embeds, pooled)

    def to_tokens(self, vae: Any, mean: Tensor, std: Tensor) -> Tokens:
        shift, scale = vae.config.shift_factor or 0.0, vae.config.scaling_factor
        rows, columns = mean.shape[2] // 2, mean.shape[3] // 2
        return Tokens(_pack((mean - shift) * scale), _pack(std * scale), rows, columns)

    def velocity(
        self, transformer: Any, noisy: Tensor, sigma: Tensor, text: Text, grid: tuple[int, int], guidance: float
    ) -> Tensor:
        place = noisy.device
        told = torch.full_like(sigma, guidance) if transformer.config.guidance_embeds else None
        predicted: Tensor = transformer(
            hidden_states=noisy,
            timestep=sigma,
            guidance=told,
            pooled_projections=text.pooled,
            encoder_hidden_states=text.embeds,
            txt_ids=torch.zeros(text.embeds.shape[1], 3, device=place),
            img_ids=_image_ids(grid, place),
            return_dict=False,
        )[0]
        return predicted

    def pipeline(self, transformer: Any, vae: Any) -> Any:
        import diffusers

        scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(self.source, subfolder="scheduler")
        pipe = diffusers.FluxPipeline(
            scheduler=scheduler, vae=vae, text_encoder=None, tokenizer=None, text_encoder_2=None, tokenizer_2=None,
            transformer=transformer,
        )  # fmt: skip
        pipe.vae_scale_factor = self.grain // 2
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def text_arguments(self, text: Text, empty: Text) -> dict[str, Tensor | None]:
        return {"prompt_embeds": text.embeds, "pooled_prompt_embeds": text.pooled}


def _pack(latents: Tensor) -> Tensor:
    """1 x c x h x w to (h/2 * w/2) x 4c, as FluxPipeline packs."""
    _, c, h, w = latents.shape
    return latents.view(c, h // 2, 2, w // 2, 2).permute(1, 3, 0, 2, 4).reshape(h * w // 4, c * 4)


def _image_ids(grid: tuple[int, int], device: torch.device) -> Tensor:
    rows, columns = grid
    ids = torch.zeros(rows, columns, 3, device=device)
    ids[..., 1] = torch.arange(rows, device=device)[:, None]
    ids[..., 2] = torch.arange(columns, device=device)[None, :]
    return ids.view(rows * columns, 3)
