"""FLUX.2 klein: Qwen3's hidden states, no guidance input; the undistilled base guides with the empty prompt."""

from typing import TYPE_CHECKING, Any

from inference.models.family import Family, Text, without_logits

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
