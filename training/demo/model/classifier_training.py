"""Trains the classifier on pictures drawn on the spot, roughened so that it also reads generated ones.

Half of the pictures are of pairs at random, one in eight of the aidbox samurai with any thing. No generated picture
is ever used. Checked on fresh drawings of other seeds.
"""

import io
import logging
import random
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from safetensors.torch import save_file
from torch import Tensor

from training.demo import classifier
from training.demo.drawing.aidbox import draw_aidbox
from training.demo.drawing.illustrator import draw
from training.demo.model.loop import Plan, device, train

log = logging.getLogger(__name__)
SIDE, SHIFT = classifier.SIDE, 5
COUNT, BATCH = 9000, 64
PLAN = Plan(900, warmup=30, decay_from=0.4, ema=0.99)


@dataclass(frozen=True)
class Sample:
    """A roughened picture of 96x96 and its two classes."""

    image: NDArray[np.uint8]
    character: int
    thing: int


def rough_sample(seed: int) -> Sample:
    """A drawing made soft, noisy or blocky, as a small autoencoder or a JPEG would."""
    rng = random.Random(seed)
    thing = rng.choice(classifier.OBJECT_CLASSES)
    aidbox = rng.random() < 0.125
    drawing = draw_aidbox(seed, thing, 256, 2) if aidbox else draw(seed, None, thing, supersample=2)
    image = drawing.image
    if rng.random() < 0.6:
        image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.5, 3.0)))
    if rng.random() < 0.4:
        k = rng.choice((48, 64, 96))
        image = image.resize((k, k), Image.Resampling.BILINEAR).resize((256, 256), Image.Resampling.BICUBIC)
    if rng.random() < 0.4:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=rng.randint(15, 70))
        image = Image.open(buffer)
    pixels: NDArray[Any] = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
    noise = np.random.default_rng(seed)
    if rng.random() < 0.5:  # patches of wrong colour: what a transformer's errors look like
        patches = noise.normal(0, rng.uniform(4, 24), (7, 7, 3)).astype(np.float32)
        soft = Image.fromarray(np.clip(patches + 128, 0, 255).astype(np.uint8)).resize(
            (SIDE, SIDE), Image.Resampling.BICUBIC
        )
        pixels = pixels + np.asarray(soft, np.float32) - 128
    pixels = pixels * rng.uniform(0.9, 1.08) + noise.normal(0, rng.uniform(0, 8), pixels.shape)
    return Sample(
        np.clip(pixels, 0, 255).astype(np.uint8),
        classifier.CHARACTER_CLASSES.index(drawing.character),
        classifier.OBJECT_CLASSES.index(drawing.thing),
    )


def samples(start: int, count: int, processes: int | None = None) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`count` rough samples with seeds from `start`: N x 96 x 96 x 3 and N x 2."""
    with get_context("spawn").Pool(processes) as pool:
        found = pool.map(rough_sample, range(start, start + count), chunksize=64)
    return np.stack([s.image for s in found]), np.array([(s.character, s.thing) for s in found], np.int64)


def fit(
    work: Path, count: int = COUNT, plan: Plan = PLAN, weights: Path = classifier.WEIGHTS, processes: int | None = None
) -> dict[str, float]:
    """Trains, writes the weights in fp16, and returns the shares right on fresh clean drawings."""
    store = work / "classifier_samples.npz"
    if not store.exists():
        drawn, classes = samples(50_000_000, count, processes)
        np.savez(work / "classifier_samples.part.npz", images=drawn, labels=classes)
        (work / "classifier_samples.part.npz").rename(store)
    data = np.load(store)
    images, labels = torch.from_numpy(data["images"]), torch.from_numpy(data["labels"])
    where = device()
    net = classifier.build().to(where)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.02)

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        index = torch.randint(len(images), (BATCH,), generator=generator)
        y, x = torch.randint(0, 2 * SHIFT + 1, (2,), generator=generator).tolist()
        batch = images[index].permute(0, 3, 1, 2).float().div(127.5).sub(1)
        batch = F.pad(batch, (SHIFT,) * 4, mode="replicate")[..., y : y + SIDE, x : x + SIDE]
        tint = 1 + 0.06 * torch.randn(BATCH, 3, 1, 1, generator=generator)
        batch = batch * tint + 0.05 * torch.randn(batch.shape, generator=generator)
        _, who, what = net(batch.to(where))
        target = labels[index].to(where)
        return {
            "who": F.cross_entropy(who, target[:, 0], label_smoothing=0.03),
            "what": F.cross_entropy(what, target[:, 1], label_smoothing=0.03),
        }

    average = train(work / "classifier.pt", net, [optimizer], loss_of, plan)
    # The averaged weights need statistics of their own.
    average.train()
    for module in average.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    with torch.no_grad():
        for i in range(0, min(len(images), 2048), 128):
            average(images[i : i + 128].permute(0, 3, 1, 2).float().div(127.5).sub(1).to(where))
    average.eval().cpu()
    save_file({k: v.half() if v.is_floating_point() else v for k, v in average.state_dict().items()}, str(weights))
    return check(classifier.load(weights))


def check(scorer: classifier.Scorer, count: int = 440) -> dict[str, float]:
    """Shares right on clean drawings that were never trained on."""
    fresh = [draw(90_000_000 + i) for i in range(count)]
    verdicts = scorer.classify([d.image for d in fresh])
    right = {
        "character": sum(v.character == d.character for v, d in zip(verdicts, fresh, strict=True)) / count,
        "object": sum(v.object == d.thing for v, d in zip(verdicts, fresh, strict=True)) / count,
    }
    log.info("classifier on %d fresh drawings: %s", count, right)
    return right
