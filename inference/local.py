"""Drawing on this machine: a diffusers pipeline, by profile, with the style LoRA loaded.

The demo FLUX is merely a profile whose weights are a folder in this package. Prompts are encoded once each and
remembered. Noise comes from a CPU generator seeded per portrait, so the same request gives the same pixels whatever
was drawn before it.
"""

import gc
import hashlib
import logging
import threading
import time
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from configs.sections.render import LocalSettings
from inference.errors import BackendUnavailable, InvalidRequest, RenderError, RenderFailed
from inference.generator import GeneratorBase
from inference.lora_file import LoraError, read_header, sha256_of
from inference.profiles import Profile
from inference.types import LoraInfo, ModelInfo, Portrait, PortraitRequest, StepCallback

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_LIBRARIES = ("torch", "diffusers", "transformers")


class LocalGenerator(GeneratorBase):
    """Draws with the weights of `profile` on `settings.device`. Loads at the first drawing, or in `prepare`."""

    def __init__(self, profile: Profile, settings: LocalSettings) -> None:
        """Raises InvalidRequest where the LoRA named in the settings is missing or no safetensors file."""
        self._profile = profile
        self._settings = settings
        self._lora = _find_lora(profile, settings)
        self._lock = threading.Lock()
        self._pipe: Any = None
        self._texts: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    @cached_property
    def model(self) -> ModelInfo:
        lora = None
        if self._lora:
            lora = LoraInfo(self._lora.stem, sha256_of(self._lora), self._settings.lora_scale)
        return ModelInfo(
            generator="local",
            profile=self._profile.name,
            revision=self._profile.revision or _folder_revision(self._profile),
            lora=lora,
            device=self._device,
            versions=tuple((name, version(name)) for name in _LIBRARIES),
        )

    @cached_property
    def _device(self) -> str:
        if self._settings.device != "auto":
            return self._settings.device
        import torch

        return "cuda" if torch.cuda.is_available() else "cpu"

    def prepare(self, prompts: Sequence[str] = ()) -> None:
        with self._lock:
            pipe = self._loaded()
            for prompt in prompts:
                self._encoded(pipe, prompt)

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        steps = request.steps or self._settings.steps or self._profile.steps
        guidance = request.guidance if request.guidance is not None else self._settings.guidance
        if guidance < 0:
            guidance = self._profile.guidance
        with self._lock:
            pipe = self._loaded()
            started = time.perf_counter()
            image = self._draw(pipe, request, steps, guidance, on_step)
        seconds = time.perf_counter() - started
        return Portrait(image, request.prompt, request.seed, steps, guidance, self.model, seconds)

    def close(self) -> None:
        with self._lock:
            self._pipe = None
            self._texts.clear()
            gc.collect()

    def _draw(
        self, pipe: Any, request: PortraitRequest, steps: int, guidance: float, on_step: StepCallback | None
    ) -> Any:
        import torch

        def after_step(_pipe: Any, step: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
            if on_step:
                on_step(step + 1, steps)
            return values

        embeds, pooled = self._encoded(pipe, request.prompt)
        try:
            return pipe(
                prompt_embeds=embeds,
                pooled_prompt_embeds=pooled,
                width=self._profile.width,
                height=self._profile.height,
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=torch.Generator("cpu").manual_seed(request.seed),
                max_sequence_length=self._profile.max_sequence_length,
                callback_on_step_end=after_step,
            ).images[0]
        except torch.OutOfMemoryError as error:
            raise BackendUnavailable(
                f"not enough memory on {self._device} to draw with {self._profile.title}"
            ) from error
        except RenderError:
            raise
        except RuntimeError as error:
            raise RenderFailed(f"{self._profile.title} failed while drawing: {str(error).splitlines()[0]}") from error

    def _encoded(self, pipe: Any, prompt: str) -> "tuple[torch.Tensor, torch.Tensor]":
        if prompt not in self._texts:
            import torch

            with torch.inference_mode():
                embeds, pooled, _ids = pipe.encode_prompt(
                    prompt=prompt, prompt_2=None, max_sequence_length=self._profile.max_sequence_length
                )
            self._texts[prompt] = (embeds, pooled)
        return self._texts[prompt]

    def _loaded(self) -> Any:
        if self._pipe is None:
            self._pipe = self._load()
        return self._pipe

    def _load(self) -> Any:
        import diffusers
        import torch

        diffusers.logging.disable_progress_bar()
        if self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        dtype = torch.bfloat16 if self._device.startswith("cuda") else torch.float32
        try:
            pipe = getattr(diffusers, self._profile.pipeline).from_pretrained(
                self._profile.source, revision=self._profile.revision or None, torch_dtype=dtype, use_safetensors=True
            )
        except (OSError, ValueError) as error:
            raise BackendUnavailable(
                f"the weights of {self._profile.title} cannot be had: {str(error).splitlines()[0]}"
            ) from error
        if self._lora:
            _load_lora(pipe, self._lora, self._settings.lora_scale)
        pipe.set_progress_bar_config(disable=True)
        return pipe.to(self._device)


def _load_lora(pipe: Any, path: Path, scale: float) -> None:
    pipe.load_lora_weights(path.parent, weight_name=path.name, adapter_name="style", use_safetensors=True)
    if not pipe.get_list_adapters():
        raise LoraError(f"the LoRA {path} changes nothing in this model: it was made for another one")
    pipe.set_adapters("style", scale)


def _find_lora(profile: Profile, settings: LocalSettings) -> Path | None:
    if settings.lora == "none":
        return None
    path = Path(settings.lora) if settings.lora else profile.default_lora
    if path is not None:
        read_header(path)
    return path


def _folder_revision(profile: Profile) -> str:
    """A short hash over the weight files of a folder profile; "" for a Hub repository without a pinned revision."""
    if not profile.folder:
        return ""
    root = Path(profile.source)
    files = sorted(root.rglob("*.safetensors"))
    if not files:
        raise InvalidRequest(f"the weights of {profile.title} are missing: {root} holds no .safetensors file")
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(root)} {sha256_of(path)}\n".encode())
    return digest.hexdigest()[:12]
