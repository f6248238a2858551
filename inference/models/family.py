"""What a family of base models has of its own: how a prompt is encoded, and how its pipeline is called.

Drawing and training speak to `Family`; the families stand in `flux1.py`, `flux2.py` and `z_image.py`, one dozen lines
each. A family is chosen by the profile (`choice.family_of`), never by words in a model's name.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Text:
    """One encoded prompt: `embeds` 1 x length x width; `pooled` 1 x width for FLUX.1, else None."""

    embeds: "torch.Tensor"
    pooled: "torch.Tensor | None" = None

    @classmethod
    def of(cls, tensors: "Mapping[str, torch.Tensor]") -> Self:
        """The opposite of `tensors`."""
        return cls(tensors["embeds"], tensors.get("pooled"))

    @property
    def tensors(self) -> "dict[str, torch.Tensor]":
        """By name, as a safetensors file keeps them."""
        return {"embeds": self.embeds} | ({} if self.pooled is None else {"pooled": self.pooled})

    def to(self, device: "torch.device | str") -> "Text":
        """The same on another device; this very object where it is there already."""
        import torch

        if self.embeds.device.type == torch.device(device).type:
            return self
        return Text(self.embeds.to(device), self.pooled.to(device) if self.pooled is not None else None)


@dataclass(frozen=True)
class Tokens:
    """A picture's posterior in the transformer's form: `mean` and `std` n x channels, a grid of `rows` x `columns`.

    Tokens are packed, shifted and scaled latents, so that they can be kept in the very form that the transformer takes.
    """

    mean: "torch.Tensor"
    std: "torch.Tensor"
    rows: int
    columns: int

    def to(self, device: "torch.device") -> "Tokens":
        """The same on another device."""
        return Tokens(self.mean.to(device), self.std.to(device), self.rows, self.columns)


class Family(ABC):
    """One family of base models, and what is peculiar to it."""

    name: ClassVar[str]
    title: ClassVar[str]
    vae_class: ClassVar[str]
    transformer_class: ClassVar[str]
    targets: ClassVar[str] = ""
    """The layers that training puts a LoRA on, as a pattern of their whole names; "" for a family not trained here."""

    @abstractmethod
    def encode(self, encoders: Any, prompt: str, length: int, device: "torch.device | str") -> Text:
        """`prompt` encoded by a pipeline that holds the encoders; `length` in tokens."""

    @abstractmethod
    def text_arguments(self, text: Text, empty: Text | None) -> dict[str, Any]:
        """The encoded prompt under the names that the pipeline's call takes; `empty` is the empty prompt's, or None."""

    def to_tokens(self, vae: Any, mean: "torch.Tensor", std: "torch.Tensor") -> Tokens:
        """The VAE's posterior, 1 x channels x rows x columns, as tokens."""
        raise NotImplementedError(f"{self.title} is not trained here")

    def velocity(
        self,
        transformer: Any,
        noisy: "torch.Tensor",
        sigma: "torch.Tensor",
        text: Text,
        grid: tuple[int, int],
        guidance: float,
    ) -> "torch.Tensor":
        """What the transformer predicts, noise minus latents: noisy is b x n x channels, sigma b values in 0..1."""
        raise NotImplementedError(f"{self.title} is not trained here")

    def guides(self, guidance: float, distilled: bool) -> bool:
        """Whether a step runs twice at this guidance, with the prompt and with the empty one."""
        return False

    def trim(self, encoders: Any) -> None:
        """Take out of freshly loaded encoders what nobody reads the output of."""
        return


def text_parts(pipeline: Any) -> list[str]:
    """Which of the text parts a pipeline class has."""
    import inspect

    parts = ("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")
    return [name for name in parts if name in inspect.signature(pipeline.__init__).parameters]


def without_logits(encoder: Any) -> None:
    """A causal language model that gives hidden states only: its output layer is most of a short prompt's work."""
    import torch

    encoder.lm_head = torch.nn.Identity()
