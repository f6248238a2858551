"""The text encoders of a pipeline: loaded at the first prompt that nobody has encoded yet, and kept off the card.

What they give for a prompt is a few named tensors, exactly the arguments of the pipeline's call.
"""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inference.local.plan import Plan
from inference.lora.merge import LoraSlot, shapes_of
from inference.lora.names import Shapes
from inference.lora.parts import LoraPart
from inference.models.profiles import Profile

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

NAMES = ("text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2")


def encoder_names(pipeline: Any) -> list[str]:
    """Which of the text parts a pipeline class has."""
    import inspect

    return [name for name in NAMES if name in inspect.signature(pipeline.__init__).parameters]


class Encoders:
    """Encodes prompts for one profile; the encoders are loaded at the first one."""

    def __init__(self, profile: Profile, folder: Path, plan: Plan, pipe: Any = None) -> None:
        """`pipe` is a pipeline whose encoders are loaded already."""
        self._profile = profile
        self._folder = folder
        self._plan = plan
        self._pipe = pipe
        self._slots: dict[str, LoraSlot] = {}
        self._parts: tuple[LoraPart, ...] = ()
        self._scale = 1.0

    def shapes(self) -> Shapes:
        """The encoders' linear layers, for a LoRA that changes them. Loads them."""
        return shapes_of(self._components(self._loaded()))

    def put(self, parts: "tuple[LoraPart, ...]", scale: float) -> None:
        """Use this LoRA from now on; it is put on at once where the encoders are loaded."""
        self._parts, self._scale = parts, scale
        for name, slot in self._slots.items():
            slot.put([part for part in parts if part.component == name], scale)

    def encode(self, prompt: str, *, with_empty: bool) -> "Mapping[str, torch.Tensor]":
        """The pipeline's text arguments for `prompt`; `with_empty` adds the empty prompt's, for real guidance."""
        import torch

        pipe = self._loaded()
        length = self._profile.max_sequence_length
        with torch.no_grad():
            if self._profile.family == "flux2":
                embeds, _ids = pipe.encode_prompt(prompt=prompt, max_sequence_length=length)
                result = {"prompt_embeds": embeds}
                if with_empty:
                    empty, _ids = pipe.encode_prompt(prompt="", max_sequence_length=length)
                    result["negative_prompt_embeds"] = empty
            else:
                embeds, pooled, _ids = pipe.encode_prompt(prompt=prompt, prompt_2=None, max_sequence_length=length)
                result = {"prompt_embeds": embeds, "pooled_prompt_embeds": pooled}
        return result

    def _loaded(self) -> Any:
        if self._pipe is None:
            self._pipe = self._load()
        if not self._slots:
            self._slots = {name: LoraSlot(part) for name, part in self._components(self._pipe).items()}
            if self._parts:
                self.put(self._parts, self._scale)
        return self._pipe

    def _load(self) -> Any:
        import diffusers
        import torch

        log.info("loading the text encoders of %s", self._profile.title)
        pipeline = getattr(diffusers, self._profile.pipeline)
        pipe = pipeline.from_pretrained(
            self._folder, transformer=None, vae=None, use_safetensors=True, dtype=getattr(torch, self._plan.dtype)
        )
        if self._plan.encoders == "resident":
            return pipe.to(self._plan.device)
        from diffusers.hooks.group_offloading import apply_group_offloading

        for part in self._components(pipe).values():
            # Layer after layer passes through the card, so that beside the transformer little room is needed.
            apply_group_offloading(
                part,
                onload_device=torch.device(self._plan.device),
                offload_device=torch.device("cpu"),
                offload_type="leaf_level",
                use_stream=self._plan.device.startswith("cuda"),
            )
        return pipe

    @staticmethod
    def _components(pipe: Any) -> dict[str, Any]:
        found = {name: getattr(pipe, name, None) for name in ("text_encoder", "text_encoder_2")}
        return {name: part for name, part in found.items() if part is not None}
