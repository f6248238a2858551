"""Sizes: at which width and height a picture is trained for a wished resolution, keeping its aspect ratio."""

import math

MAX_RATIO = 2.0
"""By hand: what is longer loses its ends, of which `training.dataset check` warns from the same ratio on."""


def bucket(width: int, height: int, resolution: int, grain: int) -> tuple[int, int]:
    """(width, height) in pixels: about `resolution` squared in area, multiples of `grain`, the picture's own shape.

    Shapes longer than 2:1 are cut to that. A picture is never blown up more than needed to fill one `grain`.

    >>> bucket(1024, 1024, 512, 16), bucket(1600, 900, 512, 32)
    ((512, 512), (672, 384))
    """
    ratio = min(MAX_RATIO, max(1 / MAX_RATIO, width / height))
    best_width = max(grain, round(resolution * math.sqrt(ratio) / grain) * grain)
    best_height = max(grain, round(resolution / math.sqrt(ratio) / grain) * grain)
    return best_width, best_height


def usable_sizes(width: int, height: int, resolutions: tuple[int, ...], grain: int) -> list[tuple[int, int]]:
    """The distinct buckets of a picture; sizes beyond the picture's own are left out, but one always stays."""
    largest = math.sqrt(width * height) * 1.05
    fitting = [r for r in resolutions if r <= largest] or [min(resolutions)]
    return list(dict.fromkeys(bucket(width, height, r, grain) for r in fitting))


def cover_box(width: int, height: int, target: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest centred part (left, top, right, bottom) of a picture that has the target's shape."""
    ratio = target[0] / target[1]
    if width / height > ratio:
        part = height * ratio
        return ((width - part) / 2, 0.0, (width + part) / 2, float(height))
    part = width / ratio
    return (0.0, (height - part) / 2, float(width), (height + part) / 2)
