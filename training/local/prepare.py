"""From pictures and captions to what the loop eats: variants by size, held-out pictures, texts."""

from collections.abc import Callable
from dataclasses import dataclass

import torch

from inference.models.family import Text, Tokens
from training.dataset.pictures import DataSet, Picture
from training.job import TrainingJob
from training.local.artifacts.samples import Samples
from training.local.base import Base
from training.local.loop import Material
from training.local.material.buckets import usable_sizes
from training.local.material.cache import Cache
from training.local.prior import stranger_prompts

DRIFT_PROMPTS = 6
"""Strangers whose drift is watched, by hand: each costs three predictions a candidate, and the worst of them counts."""


@dataclass(frozen=True)
class Prepared:
    """Material without priors yet, the held-out pairs, the texts of strangers and samples, all on the device."""

    tokens: dict[tuple[int, int, bool], Tokens]
    sizes: tuple[int, ...]
    captions: list[Text]
    trigger: Text
    held_out: list[tuple[Tokens, Text]]
    strangers: list[Text]
    prior_texts: list[Text]
    prior_size: tuple[int, int]
    texts: dict[str, Text]

    def material(self, priors: list[tuple[Tokens, Text]]) -> Material:
        """What the loop takes."""
        return Material(self.tokens, self.captions, self.trigger, priors)


def split(data: DataSet, held_out: int) -> tuple[list[Picture], list[Picture]]:
    """(trained on, held out): the held-out ones by their hash, at most a fifth; all of them where none is held out."""
    count = min(held_out, len(data.pictures) // 5)
    held = sorted(data.pictures, key=lambda picture: picture.sha256)[:count]
    rest = [picture for picture in data.pictures if picture not in held]
    return rest, held or rest


def prepare(
    job: TrainingJob, data: DataSet, base: Base, device: torch.device, dtype: torch.dtype, on_each: Callable[[], None]
) -> Prepared:
    """Encode what is not in the cache yet; encoders and VAE are gone from memory when this returns."""
    cache = Cache(job.out / "cache", base, device, dtype)
    trained, held = split(data, job.held_out)
    sizes = [usable_sizes(p.width, p.height, job.resolutions, base.grain) for p in trained]
    flips = (False, True) if job.flip else (False,)
    variants = [(n, s, flip) for n, each in enumerate(sizes) for s in range(len(each)) for flip in flips]
    wanted = [(trained[n].path, trained[n].sha256, sizes[n][s], flip) for n, s, flip in variants]
    held_sizes = [usable_sizes(p.width, p.height, job.resolutions, base.grain)[0] for p in held]
    wanted += [(p.path, p.sha256, size, False) for p, size in zip(held, held_sizes, strict=True)]
    tokens = [each.to(device) for each in cache.pictures(wanted, on_each)]

    things = list(dict.fromkeys(picture.thing for picture in data.pictures))
    priors = stranger_prompts(job, things, job.preserve_pictures) if job.preserve else []
    strangers = stranger_prompts(job, things, DRIFT_PROMPTS)
    captions = [data.caption(picture) for picture in trained]
    held_captions = [data.caption(picture) for picture in held]
    empty = [""] if base.wants_empty_text else []
    prompts = [*captions, *held_captions, job.trigger, *priors, *strangers, *Samples.prompts(job), *empty]
    texts = {prompt: text.to(device) for prompt, text in cache.texts(dict.fromkeys(prompts), on_each).items()}
    side = usable_sizes(1024, 1024, (min(job.resolutions),), base.grain)[0]
    return Prepared(
        tokens=dict(zip(variants, tokens, strict=False)),
        sizes=tuple(len(each) for each in sizes),
        captions=[texts[caption] for caption in captions],
        trigger=texts[job.trigger],
        held_out=list(zip(tokens[len(variants) :], [texts[c] for c in held_captions], strict=True)),
        strangers=[texts[prompt] for prompt in strangers],
        prior_texts=[texts[prompt] for prompt in priors],
        prior_size=side,
        texts=texts,
    )
