"""Trains the classifier on drawings, roughened so that it also reads generated pictures; it never sees one of those.

An eighth of each batch is of the aidbox samurai, with any thing. Checked on fresh drawings of other seeds.
"""

import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import Tensor

from training.demo import classifier
from training.demo.drawing.illustrator import draw
from training.demo.model.loop import Schedule, low_precision, train
from training.demo.model.store import Store
from training.demo.model.stream import NAMES, OBJECTS

log = logging.getLogger(__name__)
SIDE, SHIFT = classifier.SIDE, 7
BATCH, AIDBOX_PART = 64, 8
CHARACTERS = (*NAMES, classifier.AIDBOX)


def fit(path: Path, store: Store, plan: Schedule, batch: int = BATCH) -> Any:
    """Trains; returns the averaged net, on the CPU, ready for `save`."""
    where = store.device
    net = classifier.build(len(CHARACTERS), len(OBJECTS)).to(where)
    optimizer = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.02)

    def loss_of(step: int, generator: torch.Generator) -> dict[str, Tensor]:
        pictures, who, what = sample(store, batch, generator)
        with low_precision(where):
            _, whos, whats = net(roughened(pictures, generator))
        return {
            "who": F.cross_entropy(whos.float(), who, label_smoothing=0.03),
            "what": F.cross_entropy(whats.float(), what, label_smoothing=0.03),
        }

    average: Any = train(path, net, [optimizer], loss_of, plan)
    # The averaged weights need statistics of their own.
    average.train()
    for module in average.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.reset_running_stats()
            module.momentum = None
    generator = torch.Generator(where).manual_seed(17)
    with torch.no_grad():
        for _ in range(24):
            average(roughened(sample(store, 128, generator)[0], generator))
    return average.eval().cpu()


def save(net: Any, weights: Path = classifier.WEIGHTS, characters: Sequence[str] = CHARACTERS) -> None:
    """Writes fp16 weights with the names of the classes."""
    shape = {"characters": characters, "objects": OBJECTS, "widths": classifier.WIDTHS, "side": SIDE}
    state = {k: v.half() if v.is_floating_point() else v for k, v in net.state_dict().items()}
    save_file(state, str(weights), metadata={"shape": json.dumps(shape)})


def sample(store: Store, batch: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Pictures B x 3 x 128 x 128 in -1..1, with who is in them and what they hold."""
    where = store.device
    few = batch // AIDBOX_PART if store.aidbox_count else 0
    index = torch.randint(store.count, (batch - few,), generator=generator, device=where)
    labels = store.labels[index, 0].long()
    pictures, who, what = store.pictures[index], labels[:, 0], labels[:, 1]
    if few:
        other = torch.randint(store.aidbox_count, (few,), generator=generator, device=where)
        pictures = torch.cat([pictures, store.aidbox[other]])
        who = torch.cat([who, torch.full((few,), len(NAMES), device=where)])
        what = torch.cat([what, store.aidbox_things[other].long()])
    small = F.interpolate(pictures.permute(0, 3, 1, 2).float(), size=(SIDE, SIDE), mode="area")
    return small.div(127.5).sub(1), who, what


def roughened(x: Tensor, generator: torch.Generator) -> Tensor:
    """Made soft, noisy, patchy and shifted, as a small autoencoder or a transformer's errors would."""
    where, n = x.device, len(x)

    def chance(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator, device=where)

    soft = _blurred(x, 0.5 + 1.5 * float(chance(1)))
    k = (24, 32, 48, 64)[int(4 * float(chance(1)))]
    coarse = F.interpolate(
        F.interpolate(x, size=(k, k), mode="area"), size=(SIDE, SIDE), mode="bicubic", align_corners=False
    )
    choice = chance(n, 1, 1, 1)
    x = torch.where(choice < 0.35, x, torch.where(choice < 0.75, soft, coarse))
    patches = torch.randn(n, 3, 7, 7, generator=generator, device=where) * 0.16 * chance(n, 1, 1, 1)
    x = x + F.interpolate(patches, size=(SIDE, SIDE), mode="bicubic", align_corners=False)
    y, left = (int((2 * SHIFT + 1) * float(v)) for v in chance(2))
    x = F.pad(x, (SHIFT,) * 4, mode="replicate")[..., y : y + SIDE, left : left + SIDE]
    tint = 1 + 0.06 * torch.randn(n, 3, 1, 1, generator=generator, device=where)
    return (x * tint + 0.07 * chance(n, 1, 1, 1) * torch.randn(x.shape, generator=generator, device=where)).clamp(-1, 1)


def _blurred(x: Tensor, sigma: float) -> Tensor:
    line = torch.arange(-5, 6, device=x.device, dtype=torch.float32)
    weights = torch.exp(-(line**2) / (2 * sigma**2))
    weights = (weights / weights.sum()).expand(3, 1, 11)
    across = F.conv2d(F.pad(x, (5, 5, 0, 0), mode="replicate"), weights[:, :, None, :], groups=3)
    return F.conv2d(F.pad(across, (0, 0, 5, 5), mode="replicate"), weights[:, :, :, None], groups=3)


def check(scorer: classifier.Classifier, count: int = 400) -> dict[str, float]:
    """Shares right on clean drawings that were never trained on."""
    fresh = [draw(90_000_000 + i, None, OBJECTS[i % len(OBJECTS)], supersample=2) for i in range(count)]
    verdicts = scorer.classify([d.image for d in fresh])
    right = {
        "character": sum(v.character == d.character for v, d in zip(verdicts, fresh, strict=True)) / count,
        "object": sum(v.object == d.thing for v, d in zip(verdicts, fresh, strict=True)) / count,
    }
    log.info("classifier on %d fresh drawings: %s", count, right)
    return right
