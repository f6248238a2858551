"""Tells who is in a picture and what they hold; trained on the illustrator's pictures alone.

It scores the demo's portraits and, with the aidbox samurai as a class of its own, the LoRA trained on it. A small
convolutional net on 96x96 pictures; training pictures are blurred, shifted, noised and JPEG-coded, so that it does
not live off crisp edges. Weights: classifier.safetensors beside this file. torch is imported when a scorer is
loaded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from training.demo.drawing.characters import CHARACTERS
from training.demo.drawing.things import THINGS

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS = Path(__file__).with_name("classifier.safetensors")
AIDBOX = "aidbox samurai"
CHARACTER_CLASSES = (*CHARACTERS, AIDBOX)
OBJECT_CLASSES = tuple(THINGS)
SIDE = 96


@dataclass(frozen=True)
class Verdict:
    """What the classifier sees in one picture, with its probabilities."""

    character: str
    character_probability: float
    object: str
    object_probability: float


class Scorer:
    """A loaded classifier; `features` and `classify` take pictures of any size."""

    name = "demo classifier"

    def __init__(self, net: torch.nn.Module) -> None:
        self._net = net.eval()

    def classify(self, images: Sequence[Image.Image]) -> list[Verdict]:
        """One verdict a picture."""
        _, who, what = self._run(images)
        return [
            Verdict(CHARACTER_CLASSES[int(a.argmax())], float(a.max()), OBJECT_CLASSES[int(b.argmax())], float(b.max()))
            for a, b in zip(who.softmax(1), what.softmax(1), strict=True)
        ]

    def character_probability(self, images: Sequence[Image.Image], character: str) -> list[float]:
        """How probable one character (such as `AIDBOX`) is in each picture."""
        _, who, _ = self._run(images)
        return [float(p) for p in who.softmax(1)[:, CHARACTER_CLASSES.index(character)]]

    def features(self, images: Sequence[Image.Image]) -> Tensor:
        """N x 192 float32 features before the heads, of unit length: near for pictures that look alike."""
        import torch.nn.functional as F

        return F.normalize(self._run(images)[0], dim=1)

    def _run(self, images: Sequence[Image.Image]) -> tuple[Tensor, Tensor, Tensor]:
        import torch

        with torch.no_grad():
            outs = [self._net(to_tensor(images[i : i + 32])) for i in range(0, len(images), 32)]
        return torch.cat([o[0] for o in outs]), torch.cat([o[1] for o in outs]), torch.cat([o[2] for o in outs])


def load(weights: Path = WEIGHTS) -> Scorer:
    """The scorer that ships beside this file."""
    from safetensors.torch import load_file

    net = build()
    net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in load_file(weights).items()})
    return Scorer(net)


def to_tensor(images: Sequence[Image.Image]) -> Tensor:
    """Pictures as N x 3 x 96 x 96 in -1..1."""
    import numpy as np
    import torch

    small = [np.asarray(i.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX), np.float32) for i in images]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).div(127.5).sub(1)


def build() -> torch.nn.Module:
    """The untrained net: five strided convolutions, then the mean and the maximum over places, then two heads."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            sizes = (3, 24, 48, 64, 96, 96)
            layers: list[nn.Module] = []
            for i in range(5):
                layers += [
                    nn.Conv2d(sizes[i], sizes[i + 1], 3, 2 if i < 4 else 1, 1, bias=False),
                    nn.BatchNorm2d(sizes[i + 1]),
                    nn.GELU(),
                ]
            self.body = nn.Sequential(*layers)
            self.who = nn.Linear(192, len(CHARACTER_CLASSES))
            self.what = nn.Linear(192, len(OBJECT_CLASSES))

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            y = self.body(x).flatten(2)
            both = torch.cat([y.mean(2), y.amax(2)], 1)
            return both, self.who(both), self.what(both)

    torch.manual_seed(8)
    return Net()
