"""FLUX.1 (dev, schnell, krea, the demo): T5 and CLIP texts, a distilled guidance input where the model has one."""

from typing import TYPE_CHECKING, Any

from inference.models.family import Family, Text

if TYPE_CHECKING:
    import torch


class Flux1(Family):
    """Its pipeline takes T5's sequence and CLIP's pooled vector, and never an empty prompt."""

    name = "flux1"
    title = "FLUX.1"
    vae_class = "AutoencoderKL"
    transformer_class = "FluxTransformer2DModel"

    def encode(self, encoders: Any, prompt: str, length: int, device: "torch.device | str") -> Text:
        import torch

        with torch.no_grad():
            embeds, pooled, _ids = encoders.encode_prompt(
                prompt=prompt, prompt_2=None, max_sequence_length=length, device=device
            )
        return Text(embeds, pooled)

    def text_arguments(self, text: Text, empty: Text | None) -> dict[str, Any]:
        return {"prompt_embeds": text.embeds, "pooled_prompt_embeds": text.pooled}
