"""Larger pictures: the network where a picture is drawn, Lanczos where it is photographic or hardly grows.

The network makes four times as much of a picture. For more it is applied again to the result at half size, which
sharpens what one pass left soft: 256 to 4096 is network, half, network, half, network. Tiles bound the memory, and
give the very pixels that the whole picture would: the same picture gives the same bytes.
"""

import hashlib
import threading
from collections import OrderedDict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image

from inference.upscale.photographic import is_photographic

if TYPE_CHECKING:
    from inference.upscale.network import Upscaler

WEIGHTS = Path(__file__).with_name("upscaler.safetensors")
UPSCALER = "upscaler"
"""What a recipe calls it, among the versions of libraries."""
_HARDLY = 1.5
"""Below this the network's picture would mostly be thrown away again."""
_TILE, _OVERLAP = 128, 16
"""Of the input, in pixels. The overlap covers what an output pixel depends on (`network.REACH`)."""
_KEPT, _LARGEST = 4, 2**21
"""Pictures that are kept, and the most pixels of one: banners come in numbers for one portrait, prints do not."""


def enlarge(image: Image.Image, side: int) -> Image.Image:
    """`image` as RGB with `side` pixels on its longer side. The result is shared: never paint on it."""
    picture = image.convert("RGB")
    if max(picture.size) == side:
        return picture
    key = hashlib.sha256(picture.tobytes()).hexdigest(), picture.size, side
    with _lock:
        if key in _pictures:
            _pictures.move_to_end(key)
            return _pictures[key]
    larger = _enlarged(picture, side)
    if larger.width * larger.height <= _LARGEST:
        with _lock:
            _pictures[key] = larger
            while len(_pictures) > _KEPT:
                _pictures.popitem(last=False)
    return larger


_lock = threading.Lock()
_pictures: OrderedDict[tuple[str, tuple[int, int], int], Image.Image] = OrderedDict()


def upscaler_version(image: Image.Image, side: int) -> dict[str, str]:
    """Which upscaler's weights `enlarge` puts into the picture, by name and content; nothing where it is Lanczos."""
    return {UPSCALER: shipped_version()} if _is_for_network(image.convert("RGB"), side) else {}


@cache
def shipped_version() -> str:
    """The first 12 hex digits of the weights' SHA-256."""
    return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()[:12]


def _is_for_network(picture: Image.Image, side: int) -> bool:
    return side / max(picture.size) >= _HARDLY and not is_photographic(picture)


def _enlarged(picture: Image.Image, side: int) -> Image.Image:
    scale = side / max(picture.size)
    size = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    if not _is_for_network(picture, side):
        return picture.resize(size, Image.Resampling.LANCZOS)
    larger = apply(picture)
    while max(larger.size) < side:
        larger = apply(larger.reduce(2))
    return larger if larger.size == size else larger.resize(size, Image.Resampling.LANCZOS)


def apply(picture: Image.Image, network: "Upscaler | None" = None) -> Image.Image:
    """An RGB picture four times as wide and high, by `network` (the shipped one where it is left out)."""
    import numpy as np
    import torch
    import torch.nn.functional as F

    from inference.upscale.network import FACTOR

    network = network or _shipped()
    width, height = picture.size
    pixels = torch.from_numpy(np.array(picture)).permute(2, 0, 1)[None]
    around = F.pad(pixels.float().div(255), (_OVERLAP,) * 4, mode="replicate")
    out = np.empty((height * FACTOR, width * FACTOR, 3), np.uint8)
    with torch.inference_mode():
        for top in range(0, height, _TILE):
            for left in range(0, width, _TILE):
                bottom, right = min(top + _TILE, height), min(left + _TILE, width)
                tile = around[..., top : bottom + 2 * _OVERLAP, left : right + 2 * _OVERLAP]
                inner = network(tile)[
                    0, :, FACTOR * _OVERLAP : -FACTOR * _OVERLAP, FACTOR * _OVERLAP : -FACTOR * _OVERLAP
                ]
                values = inner.clamp(0, 1).mul(255).round().to(torch.uint8).permute(1, 2, 0)
                out[FACTOR * top : FACTOR * bottom, FACTOR * left : FACTOR * right] = values.numpy()
    return Image.fromarray(out)


@cache
def _shipped() -> "Upscaler":
    from inference.upscale.network import load

    return load(WEIGHTS)
