"""The base's own pictures of others, trained on beside the style so that it stays with its trigger.

DreamBooth's prior preservation (Ruiz et al. 2023, arXiv 2208.12242): before training, the base draws strangers without
the trigger; a share of the steps trains on those. They are kept as tokens; no picture is decoded.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors.torch import load_file

from inference.models.family import Text, Tokens
from training.local.artifacts.checkpoint import save_aside
from training.local.base import Base
from training.local.sampler import noise_seed

if TYPE_CHECKING:
    from training.job import TrainingJob


def stranger_prompts(job: "TrainingJob", things: list[str], count: int) -> list[str]:
    """`count` prompts without trigger: the settings' strangers with the objects in turn, half with the style words."""
    if not job.strangers:
        return []
    prompts = []
    for number in range(count):
        prompt = job.strangers[number % len(job.strangers)].replace(
            "{object}", things[(number * 7 + number // 3) % len(things)]
        )
        prompts.append(f"{prompt}, {job.style_words}" if number % 2 and job.style_words else prompt)
    return prompts


def draw_priors(
    base: Base,
    transformer: Any,
    texts: list[Text],
    empty: Text,
    size: tuple[int, int],
    folder: Path,
    job: "TrainingJob",
    on_each: Callable[[], None] = lambda: None,
) -> list[tuple[Tokens, Text]]:
    """Tokens that the base draws for each text, kept in `folder` by number, so that a continuation draws none again."""
    pipe: Any = None
    drawn = []
    for number, text in enumerate(texts):
        file = folder / f"prior-{number:03d}.safetensors"
        if not file.exists():
            if pipe is None:
                pipe = base.pipeline(transformer, base.load_vae(transformer.dtype).to(transformer.device))
            latents = _latents(base, pipe, text, empty, size, noise_seed(job.seed, "prior", number) % 2**32)
            save_aside({"mean": latents.cpu()}, file, {})
        mean = load_file(file)["mean"].to(text.embeds.device).float()
        rows, columns = size[1] // base.grain, size[0] // base.grain
        drawn.append((Tokens(mean, torch.zeros_like(mean), rows, columns), text))
        on_each()
    return drawn


def _latents(base: Base, pipe: Any, text: Text, empty: Text, size: tuple[int, int], seed: int) -> torch.Tensor:
    last: list[torch.Tensor] = []

    def keep(_pipe: Any, _step: int, _time: Any, values: dict[str, Any]) -> dict[str, Any]:
        last[:] = [values["latents"]]
        return values

    with torch.no_grad():
        base.draw(pipe, text, empty, size, seed, base.profile.steps, "latent", keep)
    return last[0][0].float()
