"""What `python -m training.demo.model.upscaler_training` does: the pairs, the training and its weights."""

import argparse
import json
import logging
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from inference.upscale.network import FACTOR, Upscaler, load
from training.demo.drawing.aidbox import TRIGGER, draw_aidbox
from training.demo.drawing.captions import STYLE
from training.demo.drawing.illustrator import draw
from training.demo.drawing.things import THINGS
from training.demo.model.loop import Schedule, device, train

log = logging.getLogger("training.demo")

SIDE = 256
PAIRS, REDRAWN = 600, 0.4
"""How many drawings, and the share of them that goes through image-to-image."""
AIDBOX_SHARE = 0.3
NOISE = 0.15
"""The most noise that is added to latents, in their standard deviations."""
STRENGTHS = (0.15, 0.35)
"""Of image-to-image: below, nothing changes; above, outlines move by more than the loss forgives."""
MOVED = 9.0
"""Grey levels, the mean over a picture: a redrawing that differs by more shows something else, and is not used."""
CROP, INNER, BATCH = 48, 36, 8
"""Crops of the small picture; the loss counts their inner part, whose surroundings the network sees in full."""
EDGES = 1.5
"""The weight of neighbours' differences: at 1 the median outline was still 2.54 pixels wide after 6,000 steps."""
GAIN = 1.2
"""L1 makes networks timid at outlines. On eight pairs 1 gives 2.52 pixels, L1 4.89; 1.2 gives 2.35 and 4.93."""
PLAN = Schedule(4200, warmup=50, decay_from=0.0, ema=0.995, save_every=200, log_every=100)
RATE = 2e-3
WEIGHTS = Path(__file__).resolve().parents[4] / "inference" / "upscale" / "upscaler.safetensors"


def large_drawing(seed: int) -> tuple[Image.Image, str]:
    """A drawing of 1024 pixels and a prompt that names what it shows; some in the shipped LoRA's style."""
    rng = random.Random(seed)
    thing = rng.choice(list(THINGS))
    if rng.random() < AIDBOX_SHARE:
        drawing = draw_aidbox(seed, thing)
        return drawing.image, ", ".join((drawing.caption, *STYLE))
    drawing = draw(seed, thing=thing, size=SIDE * FACTOR, supersample=2)
    return drawing.image, drawing.caption


class Maker:
    """Makes of a drawing what the demo FLUX in `folder` would have made."""

    def __init__(self, folder: Path) -> None:
        from diffusers import FluxImg2ImgPipeline

        self.pipe: Any = FluxImg2ImgPipeline.from_pretrained(folder, dtype=torch.float32).to(device())
        self.pipe.set_progress_bar_config(disable=True)

    def through_vae(self, small: Image.Image, noise: float, generator: torch.Generator) -> Image.Image:
        """`small` encoded, its latents disturbed, and decoded."""
        pipe, vae = self.pipe, self.pipe.vae
        with torch.no_grad():
            pixels = pipe.image_processor.preprocess(small).to(device())
            latents = vae.encode(pixels).latent_dist.mean
            latents = latents + noise * latents.std() * torch.randn(latents.shape, generator=generator).to(device())
            image: Image.Image = pipe.image_processor.postprocess(vae.decode(latents).sample)[0]
        return image

    def redrawn(self, small: Image.Image, prompt: str, strength: float, generator: torch.Generator) -> Image.Image:
        """`small` by image-to-image."""
        image: Image.Image = self.pipe(
            prompt.lower(), image=small, strength=strength, num_inference_steps=16, guidance_scale=3.5,
            width=SIDE, height=SIDE, max_sequence_length=48, generator=generator,
        ).images[0]  # fmt: skip
        return image


def drawings(work: Path, count: int) -> tuple[NDArray[np.uint8], list[str]]:
    """count x 1024 x 1024 x 3 and their prompts, drawn first if they are not there yet."""
    path, prompts = work / "upscaler_large.npy", work / "upscaler_prompts.json"
    if not prompts.exists():
        work.mkdir(parents=True, exist_ok=True)
        large = np.lib.format.open_memmap(path, "w+", np.uint8, (count, SIDE * FACTOR, SIDE * FACTOR, 3))  # 3 MB each
        said = []
        for i in range(count):
            image, prompt = large_drawing(30_000_000 + i)
            large[i] = np.asarray(image)
            said.append(prompt)
        large.flush()
        aside = prompts.with_suffix(".part")
        aside.write_text(json.dumps(said), encoding="utf-8")
        aside.replace(prompts)
        log.info("drew %d pictures", count)
    return np.load(path, mmap_mode="r"), json.loads(prompts.read_text(encoding="utf-8"))


def pairs(work: Path, folders: Sequence[Path], count: int = PAIRS) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(small, large): count x 256 x 256 x 3, what the demo makes of the drawings, and count x 1024 x 1024 x 3.

    Each of the pipelines in `folders` makes an equal share. A LoRA's look goes through the autoencoder alone.
    """
    path = work / "upscaler_small.npy"
    large, prompts = drawings(work, count)
    if not path.exists():
        makers = [Maker(folder) for folder in folders]
        small = np.zeros((count, SIDE, SIDE, 3), np.uint8)
        for i, prompt in enumerate(prompts):
            reduced = Image.fromarray(np.array(large[i])).resize((SIDE, SIDE), Image.Resampling.BOX)
            rng, generator, maker = random.Random(i), torch.Generator().manual_seed(i), makers[i % len(makers)]
            made = None
            if rng.random() < REDRAWN and TRIGGER not in prompt:
                made = maker.redrawn(reduced, prompt, rng.uniform(*STRENGTHS), generator)
            if made is None or _differ(made, reduced) > MOVED:
                made = maker.through_vae(reduced, rng.uniform(0, NOISE), generator)
            small[i] = np.asarray(made)
        aside = path.with_suffix(".part.npy")
        np.save(aside, small)
        aside.rename(path)
        log.info("made %d pairs", count)
    return np.load(path), large


def _differ(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one).astype(np.float32) - np.asarray(other)).mean())


def crops(small: NDArray[np.uint8], large: NDArray[np.uint8], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A batch of crops in 0..1, the small ones with their surroundings; some mirrored, turned, or in other colours."""
    ins, outs = [], []
    edge = (CROP - INNER) // 2
    for index in torch.randint(len(small), (BATCH,), generator=generator).tolist():
        y, x = torch.randint(0, SIDE - CROP + 1, (2,), generator=generator).tolist()
        top, left = (y + edge) * FACTOR, (x + edge) * FACTOR
        given = torch.from_numpy(small[index, y : y + CROP, x : x + CROP].copy())
        wanted = torch.from_numpy(np.array(large[index, top : top + INNER * FACTOR, left : left + INNER * FACTOR]))
        turn, mirror, colours = torch.rand(3, generator=generator).tolist()
        if mirror < 0.5:
            given, wanted = given.flip(1), wanted.flip(1)
        if turn < 0.5:
            given, wanted = given.transpose(0, 1), wanted.transpose(0, 1)
        if colours < 0.2:
            order = torch.randperm(3, generator=generator)
            given, wanted = given[..., order], wanted[..., order]
        ins.append(given)
        outs.append(wanted)
    return tuple(torch.stack(part).permute(0, 3, 1, 2).float().div(255) for part in (ins, outs))  # type: ignore[return-value]


def loss_between(ours: Tensor, real: Tensor) -> dict[str, Tensor]:
    """L1 of the pixels and of the differences between neighbours: crispness."""
    down, across = F.l1_loss(ours.diff(dim=2), real.diff(dim=2)), F.l1_loss(ours.diff(dim=3), real.diff(dim=3))
    return {"l1": F.l1_loss(ours, real), "edges": EDGES * (down + across)}


def fit(
    work: Path,
    small: NDArray[np.uint8],
    large: NDArray[np.uint8],
    plan: Schedule,
    start: Path | None,
    stop_at: int | None = None,
) -> Upscaler:
    """Train, from `start`'s weights where they are given; returns the averaged weights."""
    torch.manual_seed(5)
    model = load(start).train().requires_grad_(True) if start else Upscaler()
    model.to(device())
    edge = (CROP - INNER) // 2 * FACTOR

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        given, wanted = (part.to(device()) for part in crops(small, large, generator))
        return loss_between(model(given)[..., edge:-edge, edge:-edge], wanted)

    optimizer = torch.optim.Adam(model.parameters(), lr=RATE if start is None else RATE / 2)
    average = train(work / "upscaler.pt", model, [optimizer], loss_of, plan, stop_at=stop_at)
    assert isinstance(average, Upscaler)
    return average


def save(model: Upscaler, path: Path) -> None:
    """The weights in fp16 (216 KB), what they add times `GAIN`, whole or not at all."""
    aside = path.with_suffix(".part")
    state = {name: tensor * GAIN if name.startswith("tail.") else tensor for name, tensor in model.state_dict().items()}
    save_file({name: tensor.half().cpu().contiguous() for name, tensor in state.items()}, aside)
    aside.replace(path)


def run(args: argparse.Namespace) -> None:
    """Make the pairs, train and save."""
    if args.threads:
        torch.set_num_threads(args.threads)
    small, large = pairs(args.work, args.pipeline, PAIRS if args.pairs is None else args.pairs)
    plan = PLAN if args.steps is None else replace(PLAN, steps=args.steps)
    out = args.out or WEIGHTS
    save(fit(args.work, small, large, plan, args.start), out)
    log.info("wrote %s", out)
