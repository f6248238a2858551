"""FLUX.2 klein: Qwen3's hidden states, no guidance input; the undistilled base guides with the empty prompt."""

from typing import TYPE_CHECKING, Any

from inference.models.family import Family, Text, Tokens, without_logits

if TYPE_CHECKING:
    import torch

# Flux2KleinPipeline stacks the hidden states behind these layers of Qwen3.
_LAYERS_READ = (9, 18, 27)


class Flux2(Family):
    """Its pipeline takes three layers of Qwen3's hidden states side by side."""

    name = "flux2"
    title = "FLUX.2"
    vae_class = "AutoencoderKLFlux2"
    transformer_class = "Flux2Transformer2DModel"
    targets = (
        r"transformer_blocks\.\d+\.(attn\.(to_q|to_k|to_v|to_out\.0|add_q_proj|add_k_proj|add_v_proj|to_add_out)"
        r"|ff(_context)?\.linear_(in|out))"
        r"|single_transformer_blocks\.\d+\.attn\.(to_qkv_mlp_proj|to_out)"
    )

    def encode(self, encoders: Any, prompt: str, length: int, device: "torch.device | str") -> Text:
        import torch

        with torch.no_grad():
            embeds, _ids = encoders.encode_prompt(
                prompt=prompt,
                max_sequence_length=length,
                device=device,
                text_encoder_out_layers=_LAYERS_READ,
            )
        return Text(embeds)

    def text_arguments(self, text: Text, empty: Text | None) -> dict[str, Any]:
        more = {} if empty is None else {"negative_prompt_embeds": empty.embeds}
        return {"prompt_embeds": text.embeds, **more}

    def guides(self, guidance: float, distilled: bool) -> bool:
        return guidance > 1 and not distilled

    def trim(self, encoders: Any) -> None:
        """Cut Qwen3 behind the last layer that is read: 27 of 36, a quarter of the work and 1.8 GB of the 4B model."""
        import torch

        model, last = encoders.text_encoder.model, max(_LAYERS_READ)
        if len(model.layers) > last:
            del model.layers[last:]
            # The last of the hidden states is the normalized one; behind layer 27 of 36 it is not.
            model.norm = torch.nn.Identity()
        without_logits(encoders.text_encoder)

    def to_tokens(self, vae: Any, mean: "torch.Tensor", std: "torch.Tensor") -> Tokens:
        import torch

        middle = vae.bn.running_mean.view(1, -1, 1, 1).to(mean)
        spread = torch.sqrt(vae.bn.running_var.view(1, -1, 1, 1).to(mean) + vae.config.batch_norm_eps)
        patches, widths = _patches(mean), _patches(std)
        rows, columns = patches.shape[2:]
        return Tokens(_flat((patches - middle) / spread), _flat(widths / spread), rows, columns)

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

        many, length = len(noisy), text.embeds.shape[1]
        predicted: torch.Tensor = transformer(
            hidden_states=noisy,
            timestep=sigma,
            guidance=torch.full_like(sigma, guidance) if transformer.config.guidance_embeds else None,
            encoder_hidden_states=text.embeds,
            txt_ids=_ids((1, 1, 1, length), noisy.device).expand(many, -1, -1),
            img_ids=_ids((1, *grid, 1), noisy.device).expand(many, -1, -1),
            return_dict=False,
        )[0]
        return predicted


def _patches(latents: "torch.Tensor") -> "torch.Tensor":
    """b x c x h x w to b x 4c x h/2 x w/2."""
    b, c, h, w = latents.shape
    return latents.view(b, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(b, c * 4, h // 2, w // 2)


def _flat(patches: "torch.Tensor") -> "torch.Tensor":
    """1 x c x h x w to (h*w) x c."""
    return patches[0].flatten(1).transpose(0, 1).contiguous()


def _ids(ranges: tuple[int, int, int, int], device: "torch.device") -> "torch.Tensor":
    import torch

    """All (time, row, column, text position), 1 x n x 4."""
    return torch.cartesian_prod(*(torch.arange(n, device=device) for n in ranges)).unsqueeze(0)
