"""Colours and depths: any picture that Pillow decodes to 8-bit sRGB, by its ICC profile, its gamma or its tags.

What a monitor shows is meant: a picture in Adobe RGB or Display P3 has other numbers for the same colour
(ICC.1:2022; the conversion is Little CMS's, relative colorimetric with black point compensation).
"""

import io
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_PIECE = 1_000_000
"""Pixels that are widened to 32 bits at a time."""
_SAME = 2
"""Profiles that move no colour by more than this are sRGB under another name."""
_SPACES = {"RGB": "RGB ", "L": "GRAY", "CMYK": "CMYK", "LAB": "Lab "}


def to_srgb(image: Image.Image, icc: bytes | None, gamma: float | None = None) -> tuple[Image.Image, bool]:
    """(the picture as RGB in sRGB, whether its profile or gamma changed colours). `image` has no transparency.

    A profile that is damaged or of another kind of picture is passed over, as viewers do.
    """
    if image.mode in ("P", "1", "RGBX", "YCbCr", "HSV") or image.mode not in (*_SPACES, "RGB"):
        image = image.convert("RGB")
    if image.mode == "LAB":
        converted = ImageCms.applyTransform(image, _from_lab())
        assert converted is not None
        return converted, False
    transform = _transform(icc, image.mode) if icc else None
    if transform is not None:
        changed = ImageCms.applyTransform(image, transform)
        if changed is not None:
            return changed, True
    image = image if image.mode == "RGB" else image.convert("RGB")
    # PNG's gAMA: 0.45455 is sRGB's own (rounded); a file of linear light says 1.0.
    if gamma and 0.05 < gamma < 5 and abs(gamma - 0.45455) > 0.02:
        return image.point(_gamma_table(float(gamma)) * 3), True
    return image, False


def deep_to_eight(image: Image.Image) -> Image.Image:
    """A grey picture of 16 or 32 bits or of floats as 8 bits (Pillow's own conversion would clip it to white).

    The range is the format's: 0 to 65535 for 16 bits, TIFF's SMinSampleValue and SMaxSampleValue where stated, 0 to 1
    for floats, and 0 to 255 or 65535 where floats or 32-bit numbers go beyond.
    """
    low, high = _range(image)
    inverted = _tag(image, 262) == 0  # PhotometricInterpretation: white is zero
    out = Image.new("L", image.size)
    for top, values in _strips(image):
        part = np.nan_to_num(values.astype(np.float32), nan=low, posinf=high, neginf=low)
        part = np.clip((part - low) * (255.0 / (high - low)), 0, 255).round().astype(np.uint8)
        out.paste(Image.fromarray(255 - part if inverted else part), (0, top))
    return out


def _strips(image: Image.Image) -> Iterator[tuple[int, NDArray[Any]]]:
    """(first row, the rows' values), about a million at a time, so that a large picture is never widened whole."""
    rows = max(1, _PIECE // max(1, image.width))
    for top in range(0, image.height, rows):
        yield top, np.asarray(image.crop((0, top, image.width, min(image.height, top + rows))))


def _range(image: Image.Image) -> tuple[float, float]:
    low, high = _tag(image, 340), _tag(image, 341)
    if isinstance(low, int | float) and isinstance(high, int | float) and high > low:
        return float(low), float(high)
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    most = max(float(values[np.isfinite(values)].max(initial=0)) for _top, values in _strips(image))
    if image.mode == "F":
        # Light beyond white is clipped; nobody writes 0..255 with a brightest value of 4.
        return 0.0, 1.0 if most <= 4 else 255.0 if most <= 255 else 65535.0 if most <= 65535 else most
    return 0.0, 255.0 if most <= 255 and image.format != "PNG" else 65535.0 if most <= 65535 else 2.0**31 - 1


def _tag(image: Image.Image, number: int) -> object:
    """A TIFF tag's first value, None for other formats."""
    tags = getattr(image, "tag_v2", None)
    value = tags.get(number) if tags is not None else None
    return value[0] if isinstance(value, tuple) and value else value


@cache
def _srgb() -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))


@cache
def _from_lab() -> ImageCms.ImageCmsTransform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), _srgb(), "LAB", "RGB")


@lru_cache(maxsize=16)
def _transform(icc: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """What brings colours under the profile to sRGB; None where nothing is to be done, or it is of no use."""
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc))
        if profile.profile.xcolor_space != _SPACES[mode]:
            return None
        transform = ImageCms.buildTransform(
            profile,
            _srgb(),
            mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        return None if mode != "CMYK" and _changes_nothing(transform, mode) else transform
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _changes_nothing(transform: ImageCms.ImageCmsTransform, mode: str) -> bool:
    steps = np.linspace(0, 255, 9).astype(np.uint8)
    if mode == "L":
        probe = Image.fromarray(steps[None, :])
    else:
        probe = Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), -1).reshape(27, 27, 3))
    seen = ImageCms.applyTransform(probe, transform)
    assert seen is not None
    before = np.asarray(probe.convert("RGB"), np.int16)
    return int(np.abs(np.asarray(seen, np.int16) - before).max()) <= _SAME


@lru_cache(maxsize=16)
def _gamma_table(gamma: float) -> list[int]:
    light = np.linspace(0, 1, 256) ** (1 / gamma)
    encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return [int(value) for value in np.clip(encoded * 255, 0, 255).round()]
