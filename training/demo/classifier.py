"""Tells who is in a picture and what they hold; trained on the illustrator's pictures alone.

It scores the demo's portraits and, with the aidbox samurai as a class of its own, the LoRA trained on it. A small
convolutional net on 128x128 pictures; training pictures are blurred, shifted and noised, so that it does not live off
crisp edges. Weights, with the names of its classes: classifier.safetensors beside this file. torch is imported when a
scorer is loaded.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    import torch
    from torch import Tensor

WEIGHTS = Path(__file__).with_name("classifier.safetensors")
AIDBOX = "aidbox samurai"
SIDE, WIDTHS = 128, (3, 32, 64, 96, 128, 144)


@dataclass(frozen=True)
class Classification:
    """What the classifier sees in one picture, with its probabilities."""

    character: str
    character_probability: float
    object: str
    object_probability: float


class Classifier:
    """A loaded classifier; `features` and `classify` take pictures of any size."""

    name = "demo classifier"

    def __init__(
        self, net: torch.nn.Module, characters: Sequence[str], objects: Sequence[str], side: int = SIDE
    ) -> None:
        self._net, self._side = net.eval(), side
        self.characters, self.objects = tuple(characters), tuple(objects)

    def classify(self, images: Sequence[Image.Image]) -> list[Classification]:
        """One verdict a picture."""
        _, who, what = self._run(images)
        return [
            Classification(
                self.characters[int(a.argmax())], float(a.max()), self.objects[int(b.argmax())], float(b.max())
            )
            for a, b in zip(who.softmax(1), what.softmax(1), strict=True)
        ]

    def character_probability(self, images: Sequence[Image.Image], character: str) -> list[float]:
        """How probable one character (such as `AIDBOX`) is in each picture."""
        _, who, _ = self._run(images)
        return [float(p) for p in who.softmax(1)[:, self.characters.index(character)]]

    def features(self, images: Sequence[Image.Image]) -> Tensor:
        """N x 288 float32 features before the heads, of unit length: near for pictures that look alike."""
        import torch.nn.functional as F

        return F.normalize(self._run(images)[0], dim=1)

    def _run(self, images: Sequence[Image.Image]) -> tuple[Tensor, Tensor, Tensor]:
        import torch

        with torch.no_grad():
            outs = [self._net(to_tensor(images[i : i + 32], self._side)) for i in range(0, len(images), 32)]
        return torch.cat([o[0] for o in outs]), torch.cat([o[1] for o in outs]), torch.cat([o[2] for o in outs])


def load(weights: Path = WEIGHTS) -> Classifier:
    """The scorer that ships beside this file."""
    from safetensors import safe_open

    with safe_open(weights, "pt") as file:
        shape = json.loads(file.metadata()["shape"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
    net = build(len(shape["characters"]), len(shape["objects"]), shape["widths"])
    net.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return Classifier(net, shape["characters"], shape["objects"], shape["side"])


def to_tensor(images: Sequence[Image.Image], side: int = SIDE) -> Tensor:
    """Pictures as N x 3 x side x side in -1..1."""
    import numpy as np
    import torch

    small = [np.asarray(i.convert("RGB").resize((side, side), Image.Resampling.BOX), np.float32) for i in images]
    return torch.from_numpy(np.stack(small)).permute(0, 3, 1, 2).div(127.5).sub(1)


def build(characters: int, objects: int, widths: Sequence[int] = WIDTHS) -> torch.nn.Module:
    """The untrained net: five strided convolutions, then the mean and the maximum over places, then two heads."""
    import torch
    from torch import nn

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            layers: list[nn.Module] = []
            for i in range(5):
                layers += [
                    nn.Conv2d(widths[i], widths[i + 1], 3, 2 if i < 4 else 1, 1, bias=False),
                    nn.BatchNorm2d(widths[i + 1]),
                    nn.GELU(),
                ]
            self.body = nn.Sequential(*layers)
            self.who = nn.Linear(2 * widths[-1], characters)
            self.what = nn.Linear(2 * widths[-1], objects)

        def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            y = self.body(x).flatten(2)
            both = torch.cat([y.mean(2), y.amax(2)], 1)
            return both, self.who(both), self.what(both)

    torch.manual_seed(8)
    return Net()
