"""Goes on with the shipped transformer alone, on few things in one pose: `training.demo.model.train --stage refine`.

A first training on everything (370 things, six poses, colours) learns who holds what and where, but its things stay
smudged: where the thing will lie is the largest uncertainty. On calm looks of the shipped vocabulary, with the thing's
tokens weighted fourfold, a CPU core gets them sharp. Text encoders, autoencoder and its scale stay as they are.
"""

import copy
import logging
import shutil
import time
from pathlib import Path

import torch
from diffusers import AutoencoderKL, FluxTransformer2DModel
from transformers import CLIPTextModel, T5EncoderModel

from training.demo.drawing.things import THINGS
from training.demo.drawing.vocabulary import shipped
from training.demo.model import Flux, transformer
from training.demo.model.latents import Latents
from training.demo.model.loop import Schedule
from training.demo.model.store import Store
from training.demo.model.stream import Pair, Words, trained_pairs

log = logging.getLogger("training.demo")
BATCH, ROOM, ENOUGH = 24, 20_000, 512
PLAN = Schedule(4000, warmup=30, decay_from=0.1, ema=0.996, save_every=25, save_seconds=240, log_every=25)
RATE = 0.55  # of the first training's learning rates


def pairs() -> list[Pair]:
    """The shipped things with every character that was trained; hand-drawn ones and the samurai oftener."""
    return [
        (character, thing)
        for character, thing in trained_pairs()
        if thing in shipped()
        for _ in range((2 if THINGS[thing].emoji else 3) * (2 if character == "samurai warrior" else 1))
    ]


def refine(folder: Path, work: Path, workers: int, ends: float | None, compiled: bool) -> None:
    """Replaces the transformer of the pipeline in `folder`; goes on from its checkpoint in `work`."""
    work.mkdir(parents=True, exist_ok=True)
    tokenizers = work / "tokenizers"
    tokenizers.mkdir(exist_ok=True)
    for ours, theirs in (("t5", "tokenizer_2"), ("clip", "tokenizer")):
        shutil.copytree(folder / theirs, tokenizers / ours, dirs_exist_ok=True)
    model, vae, clip, t5 = (
        kind.from_pretrained(folder / name).float().eval()
        for kind, name in (
            (FluxTransformer2DModel, "transformer"),
            (AutoencoderKL, "vae"),
            (CLIPTextModel, "text_encoder"),
            (T5EncoderModel, "text_encoder_2"),
        )
    )
    for frozen in (vae, clip, t5):
        frozen.requires_grad_(False)
    store = Store(ROOM, torch.device("cpu"))
    store.fill(workers, tokenizers, pairs())
    store.wait(ENOUGH)
    latents = Latents(store, vae, (vae.config.shift_factor, vae.config.scaling_factor))
    ids = [torch.from_numpy(some).long() for some in Words(tokenizers).ids([""])]

    def plan() -> Schedule:
        return PLAN if ends is None else Schedule(**{**vars(PLAN), "steps": 10**7, "seconds": ends - time.monotonic()})

    def save(average: Flux, step: int) -> None:
        copy.deepcopy(average).to(torch.float16).save_pretrained(work / "transformer")
        log.info("refined weights of step %d are in %s", step, work / "transformer")

    source = transformer.BatchSource(store, latents, (clip, t5), (ids[0], ids[1]))
    transformer.fit(work / "refine.pt", source, plan, save, BATCH, model, compiled=compiled, rate=RATE, inside_weight=4)
    store.close()
    weights = "diffusion_pytorch_model.safetensors"  # not its config, which names folders of this machine
    shutil.copy(work / "transformer" / weights, folder / "transformer" / weights)
