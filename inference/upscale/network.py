"""The upscaler's network: four times larger, for flat outlined drawings.

A small EDSR (Lim et al. 2017, https://arxiv.org/abs/1707.02921) without a global skip of features: what it adds goes on
top of bicubic interpolation, so an untrained one is bicubic interpolation. Pixel shuffle is Shi et al. 2016
(https://arxiv.org/abs/1609.05158). 107,248 parameters.
"""

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor, nn

FACTOR = 4
WIDTH, BLOCKS = 32, 5


class Block(nn.Module):
    """Two 3x3 convolutions beside an identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        change: Tensor = self.second(F.relu(self.first(x)))
        return x + change


class Upscaler(nn.Module):
    """N x 3 x H x W in 0..1 to N x 3 x 4H x 4W; values may leave 0..1 a little."""

    def __init__(self, width: int = WIDTH, blocks: int = BLOCKS) -> None:
        super().__init__()
        self.head = nn.Conv2d(3, width, 3, padding=1)
        self.blocks = nn.Sequential(*(Block(width) for _ in range(blocks)))
        self.tail = nn.Conv2d(width, 3 * FACTOR**2, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        assert self.tail.bias is not None
        nn.init.zeros_(self.tail.bias)

    def forward(self, x: Tensor) -> Tensor:
        smooth = F.interpolate(x, scale_factor=FACTOR, mode="bicubic", align_corners=False)
        return smooth + F.pixel_shuffle(self.tail(self.blocks(self.head(x))), FACTOR)


REACH = 2 * BLOCKS + 2
"""How many pixels of the input around a pixel its output depends on."""


def load(path: Path) -> Upscaler:
    """The network with the weights in `path` (fp16), in fp32 and ready to run."""
    network = Upscaler()
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
    for parameter in network.eval().requires_grad_(False).parameters():
        if parameter.dim() == 4:  # channels last is a sixth faster on CPUs
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return network
