"""The frozen base model as training needs it: pictures to tokens, captions to embeddings, tokens to a velocity.

What FLUX.1 and FLUX.2 have of their own stands in `inference/models`, for drawing and training alike; everything else
in training speaks to `Base`.
"""

import gc
import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import torch

from inference.errors import BackendUnavailable
from inference.files import sha256_of
from inference.models.base_weights import fetch
from inference.models.choice import family_of
from inference.models.family import Text, text_parts
from inference.models.profiles import Profile
from training.errors import InvalidJob, TrainerUnavailable
from training.local.memory_plan import KEPT, BaseShape


class Base:
    """One base model. Parts are loaded when asked for and belong to the caller, who lets them go."""

    def __init__(self, profile: Profile, token: str = "") -> None:
        self.profile = profile
        self.family = family_of(profile)
        self._token = token

    @property
    def targets(self) -> str:
        """The layers that a LoRA goes on, as a pattern of their whole names."""
        return self.family.targets

    @cached_property
    def source(self) -> str:
        """The folder with the weights, downloaded where they are not on this disk. Raises TrainerUnavailable."""
        if self.profile.folder:
            return self.profile.source
        try:
            return str(fetch(self.profile, self._token))
        except BackendUnavailable as error:
            raise TrainerUnavailable(str(error)) from error

    def load_encoders(self, dtype: torch.dtype) -> Any:
        """A pipeline with text encoders and without transformer and VAE, on the CPU."""
        import diffusers

        source = self.source
        with _translated(self.profile):
            pipe = getattr(diffusers, self.profile.pipeline).from_pretrained(
                source, transformer=None, vae=None, dtype=dtype, use_safetensors=True
            )
        self.family.trim(pipe)
        return pipe

    def encode(self, encoders: Any, prompt: str) -> Text:
        """`prompt` encoded on the encoders' device."""
        return self.family.encode(encoders, prompt, self.profile.max_sequence_length, encoders.device)

    def pipeline(self, transformer: Any, vae: Any) -> Any:
        """A pipeline that draws from encoded prompts with the transformer at hand; `vae` may be None for latents."""
        import diffusers

        kind = getattr(diffusers, self.profile.pipeline)
        scheduler = diffusers.FlowMatchEulerDiscreteScheduler.from_pretrained(self.source, subfolder="scheduler")
        # What is trained is the undistilled model, whatever the profile that drew its name.
        more = {"is_distilled": False} if self.wants_empty_text else {}
        pipe = kind(scheduler=scheduler, transformer=transformer, vae=vae, **dict.fromkeys(text_parts(kind)), **more)
        pipe.vae_scale_factor = self.grain // 2
        pipe.set_progress_bar_config(disable=True)
        return pipe

    def draw(
        self,
        pipe: Any,
        text: Text,
        empty: Text,
        size: tuple[int, int],
        seed: int,
        steps: int,
        output: str,
        on_step: Any,
    ) -> Any:
        """One picture of `size` (width, height): a PIL image for output "pil", tokens 1 x n x channels for "latent"."""
        return pipe(
            **self.family.text_arguments(text, empty if self.wants_empty_text else None),
            width=size[0],
            height=size[1],
            num_inference_steps=steps,
            guidance_scale=self.profile.guidance,
            generator=torch.Generator("cpu").manual_seed(seed),
            max_sequence_length=self.profile.max_sequence_length,
            output_type=output,
            callback_on_step_end=on_step,
        ).images[0 if output == "pil" else slice(None)]

    @property
    def wants_empty_text(self) -> bool:
        """Whether `draw` needs the empty prompt too: FLUX.2's undistilled model guides with it."""
        return self.profile.family == "flux2"

    def load_vae(self, dtype: torch.dtype) -> Any:
        """The VAE, on the CPU."""
        return self._part(self.family.vae_class, "vae", dtype)

    def load_transformer(self, dtype: torch.dtype, quantization: Any = None) -> Any:
        """The transformer, frozen, on the CPU (a quantized one on its card)."""
        more = {"quantization_config": quantization} if quantization is not None else {}
        return self._part(self.family.transformer_class, "transformer", dtype, **more).requires_grad_(False)

    @cached_property
    def transformer_config(self) -> dict[str, Any]:
        """The transformer's configuration, without its weights. Raises TrainerUnavailable where it is not available."""
        return self._config(self.family.transformer_class, "transformer")

    @cached_property
    def grain(self) -> int:
        """Sides of pictures are multiples of this many pixels: the VAE's factor times the 2 x 2 patches."""
        blocks = self._config(self.family.vae_class, "vae")["block_out_channels"]
        return int(2 ** len(blocks))

    @cached_property
    def size(self) -> BaseShape:
        """The model's shape, for the memory plan; parameters counted without loading weights."""
        import diffusers

        config = self.transformer_config
        with torch.device("meta"):
            model = getattr(diffusers, self.family.transformer_class).from_config(config)
        width = config["num_attention_heads"] * config["attention_head_dim"]
        total = sum(p.numel() for p in model.parameters())
        inside = sum(p.numel() for p in model.parameters() if p.ndim == 2)
        length = self.profile.max_sequence_length
        blocks = config["num_layers"], config["num_single_layers"]
        return BaseShape(
            total, width, *blocks, length, KEPT[self.profile.family], self.grain, quantizable=inside / total
        )

    @cached_property
    def identity(self) -> str:
        """What tells these weights from others: a hash over a folder's weight files, or the Hub's commit."""
        root = Path(self.source)
        if not self.profile.folder:
            return root.name
        digest = hashlib.sha256()
        for path in sorted(root.rglob("*.safetensors")) + sorted(root.rglob("tokenizer*.json")):
            digest.update(f"{path.relative_to(root)} {sha256_of(path)}\n".encode())
        return digest.hexdigest()[:16]

    def _config(self, kind: str, part: str) -> dict[str, Any]:
        import diffusers

        source = self.source
        with _translated(self.profile):
            return dict(getattr(diffusers, kind).load_config(source, subfolder=part))

    def _part(self, kind: str, part: str, dtype: torch.dtype, **more: Any) -> Any:
        import diffusers

        source = self.source
        with _translated(self.profile):
            return getattr(diffusers, kind).from_pretrained(
                source, subfolder=part, dtype=dtype, use_safetensors=True, **more
            )


def open_base(profile: Profile, token: str = "") -> Base:
    """The base of `profile`. Raises InvalidJob for a pipeline that cannot be trained."""
    if not family_of(profile).targets:
        way_out = "choose --profile flux2-klein-4b"
        if profile.family == "z-image":
            # Plain training breaks the distillation of Turbo, and what its base learns does not carry over reliably.
            way_out += ", or train a LoRA for Z-Image elsewhere (ai-toolkit): profile z-image draws with it"
        raise InvalidJob(
            f"profile {profile.name} draws with {profile.pipeline}, which cannot be trained here: {way_out}"
        )
    return Base(profile, token)


def free() -> None:
    """Give memory back that nothing refers to any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _no_bars() -> None:
    """The libraries' own progress bars would tear ours."""
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


@contextmanager
def _translated(profile: Profile) -> Iterator[None]:
    _no_bars()
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise TrainerUnavailable(f"not enough memory to load {profile.title}: choose another --profile") from error
    except (OSError, ValueError, json.JSONDecodeError) as error:
        first = re.sub(r"\s+", " ", str(error).strip().split("\n")[0])
        raise TrainerUnavailable(f"the weights of {profile.title} are not available: {first}") from error
