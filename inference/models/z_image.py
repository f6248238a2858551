"""Z-Image: one stream of picture and text tokens, Qwen3's last hidden states but one, real guidance where asked for."""

from typing import TYPE_CHECKING, Any

from inference.models.family import Family, Text, without_logits

if TYPE_CHECKING:
    import torch


class ZImage(Family):
    """Its pipeline takes lists: each prompt is as long as it is, and not padded."""

    name = "z-image"
    title = "Z-Image"
    vae_class = "AutoencoderKL"
    transformer_class = "ZImageTransformer2DModel"

    def encode(self, encoders: Any, prompt: str, length: int, device: "torch.device | str") -> Text:
        import torch

        with torch.no_grad():
            embeds, _none = encoders.encode_prompt(
                prompt=prompt, do_classifier_free_guidance=False, max_sequence_length=length, device=device
            )
        return Text(embeds[0][None])

    def text_arguments(self, text: Text, empty: Text | None) -> dict[str, Any]:
        more = {} if empty is None else {"negative_prompt_embeds": [empty.embeds[0]]}
        return {"prompt_embeds": [text.embeds[0]], **more}

    def guides(self, guidance: float, distilled: bool) -> bool:
        return guidance > 0

    def trim(self, encoders: Any) -> None:
        without_logits(encoders.text_encoder)
