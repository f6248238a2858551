"""FLUX.1 (dev, schnell, krea, the demo): T5 and CLIP texts, a distilled guidance input where the model has one."""

from typing import TYPE_CHECKING, Any

from inference.models.family import Family, Text, Tokens

if TYPE_CHECKING:
    import torch


class Flux1(Family):
    """Its pipeline takes T5's sequence and CLIP's pooled vector, and never an empty prompt."""

    name = "flux1"
    title = "FLUX.1"
    vae_class = "AutoencoderKL"
    transformer_class = "FluxTransformer2DModel"
    # The bare name proj_out would also take the model's last layer, hence whole names.
    targets = (
        r"transformer_blocks\.\d+\.(attn\.(to_q|to_k|to_v|to_out\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)"
        r"|ff(_context)?\.net\.(0\.proj|2))"
        r"|single_transformer_blocks\.\d+\.(attn\.(to_q|to_k|to_v)|proj_mlp|proj_out)"
    )

    def encode(self, encoders: Any, prompt: str, length: int, device: "torch.device | str") -> Text:
        import torch

        with torch.no_grad():
            embeds, pooled, _ids = encoders.encode_prompt(
                prompt=prompt, prompt_2=None, max_sequence_length=length, device=device
            )
        return Text(embeds, pooled)

    def text_arguments(self, text: Text, empty: Text | None) -> dict[str, Any]:
        return {"prompt_embeds": text.embeds, "pooled_prompt_embeds": text.pooled}

    def to_tokens(self, vae: Any, mean: "torch.Tensor", std: "torch.Tensor") -> Tokens:
        shift, scale = vae.config.shift_factor or 0.0, vae.config.scaling_factor
        rows, columns = mean.shape[2] // 2, mean.shape[3] // 2
        return Tokens(_pack((mean - shift) * scale), _pack(std * scale), rows, columns)

    def velocity(
        self,
        transformer: Any,
        noisy: "torch.Tensor",
        sigma: "torch.Tensor",
        text: Text,
        grid: tuple[int, int],
        guidance: float,
    ) -> "torch.Tensor":
        import torch

        place = noisy.device
        told = torch.full_like(sigma, guidance) if transformer.config.guidance_embeds else None
        predicted: torch.Tensor = transformer(
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


def _pack(latents: "torch.Tensor") -> "torch.Tensor":
    """1 x c x h x w to (h/2 * w/2) x 4c, as FluxPipeline packs."""
    _, c, h, w = latents.shape
    return latents.view(c, h // 2, 2, w // 2, 2).permute(1, 3, 0, 2, 4).reshape(h * w // 4, c * 4)


def _image_ids(grid: tuple[int, int], device: "torch.device") -> "torch.Tensor":
    import torch

    rows, columns = grid
    ids = torch.zeros(rows, columns, 3, device=device)
    ids[..., 1] = torch.arange(rows, device=device)[:, None]
    ids[..., 2] = torch.arange(columns, device=device)[None, :]
    return ids.view(rows * columns, 3)
