"""FLUX.2 klein as a `Base`: Qwen3 text, batch-normalized 2 x 2 patches, no guidance input."""

from typing import Any

import torch
from torch import Tensor

from training.local.base import Base, Text, Tokens, _translated
from training.local.memory_plan import FLUX2_KEPT


class Flux2(Base):
    """The undistilled klein base is what one trains; it draws with real guidance, so it needs the empty prompt too."""

    vae_class = "AutoencoderKLFlux2"
    transformer_class = "Flux2Transformer2DModel"
    kept = FLUX2_KEPT
    targets = (
        r"transformer_blocks\.\d+\.(attn\.(to_q|to_k|to_v|to_out\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)"
        r"|ff(_context)?\.linear_(in|out))"
        r"|single_transformer_blocks\.\d+\.attn\.(to_qkv_mlp_proj|to_out)"
    )

    @property
    def wants_empty_text(self) -> bool:
        return True

    def load_encoders(self, dtype: torch.dtype) -> Any:
        import diffusers

        with _translated(self.profile):
            return diffusers.Flux2KleinPipeline.from_pretrained(
                self.source, transformer=None, vae=None, dtype=dtype, use_safetensors=True
            )

    def encode(self, encoders: Any, prompt: str) -> Text:
        with torch.no_grad():
            embeds, _ids = encoders.encode_prompt(
                prompt=prompt, max_sequence_length=self.profile.max_sequence_length, device=encoders.device
            )
        return Text(embeds)

    def to_tokens(self, vae: Any, mean: Tensor, std: Tensor) -> Tokens:
        middle = vae.bn.running_mean.view(1, -1, 1, 1).to(mean)
        spread = torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1).to(mean) + vae.config.batch_norm_eps)
        patches, widths = _patches(mean), _patches(std)
        rows, columns = patches.shape[2:]
        return Tokens(_flat((patches - middle) / spread), _flat(widths / spread), rows, columns)

    def velocity(
        self, transformer: Any, noisy: Tensor, sigma: Tensor, text: Text, grid: tuple[int, int], guidance: float
    ) -> Tensor:
        many, length = len(noisy), text.embeds.shape[1]
        predicted: Tensor = transformer(
            hidden_states=noisy,
            timestep=sigma,
            guidance=torch.full_like(sigma, guidance) if transformer.config.guidance_embeds else None,
            encoder_hidden_states=text.embeds,
            txt_ids=_ids((1, 1, 1, length), noisy.device).expand(many, -1, -1),
            img_ids=_ids((1, *grid, 1), noisy.device).expand(many, -1, -1),
            return_dict=False,
        )[0]
        return predicted

    def pipeline(self, transformer: Any, vae: Any) -> Any:
        import diffusers

        scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(self.source, subfolder="scheduler")
        pipe = diffusers.Flux2KleinPipeline(
            scheduler=scheduler, vae=vae, text_encoder=None, tokenizer=None, transformer=transformer, is_distilled=False
        )
        pipe.vae_scale_factor = self.grain // 2
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def text_arguments(self, text: Text, empty: Text) -> dict[str, Tensor | None]:
        return {"prompt_embeds": text.embeds, "negative_prompt_embeds": empty.embeds}


def _patches(latents: Tensor) -> Tensor:
    """b x c x h x w to b x 4c x h/2 x w/2."""
    b, c, h, w = latents.shape
    return latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(b, c * 4, h // 2, w // 2)


def _flat(patches: Tensor) -> Tensor:
    """1 x c x h x w to (h*w) x c."""
    return patches[0].flatten(1).transpose(0, 1).contiguous()


def _ids(ranges: tuple[int, int, int, int], device: torch.device) -> Tensor:
    """All (time, row, column, text position), 1 x n x 4."""
    return torch.cartesian_prod(*(torch.arange(n, device=device) for n in ranges)).unsqueeze(0)
