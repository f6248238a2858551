"""Portraits as they come: opened, checked, turned upright, flattened to 8-bit RGB; no surprises, bounded memory.

The size is read from the header and checked before a pixel is decoded. Of an animation the first frame is
taken. Where a picture is transparent white shows, never the colours hidden under the transparency. Whatever a
decoder raises on broken data becomes one InvalidImage.
"""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

from PIL import Image, ImageOps

from overlay.errors import InvalidImage

MAX_PIXELS = 20_000_000
"""A picture of more pixels is refused before it is decoded (Pillow itself only warns up to 179 million)."""
MIN_SIDE = 64
"""On anything smaller no letter could be read."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
    MemoryError, struct.error, zlib.error, Image.DecompressionBombError, Warning,
)  # fmt: skip
"""What Pillow's readers have been seen to raise on broken files; warnings too, where they are made errors."""


def open_portrait(source: Path | str | bytes) -> Image.Image:
    """The picture in a file (a path), or in the file's bytes, as upright 8-bit RGB. Raises InvalidImage."""
    name = "the portrait" if isinstance(source, bytes) else f"the portrait {Path(source).name}"
    try:
        with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS) as image:
            portrait = as_portrait(image)
            return portrait.copy() if portrait is image else portrait
    except InvalidImage:
        raise
    except FileNotFoundError as error:
        raise InvalidImage(f"{name} does not exist") from error
    except _BROKEN as error:
        raise _unreadable(name, error) from error


def as_portrait(image: Image.Image) -> Image.Image:
    """The picture as upright 8-bit RGB; the very same object where it is that already.

    Raises InvalidImage for what is no picture, has more than 20 million pixels or a side under 64, or is broken.
    """
    if not isinstance(image, Image.Image):
        raise InvalidImage(f"the portrait must be a Pillow image, not {type(image).__name__}")
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise InvalidImage(f"the portrait has {width} x {height} pixels; at most {MAX_PIXELS:,} are taken: shrink it")
    if min(width, height) < MIN_SIDE:
        raise InvalidImage(f"the portrait has {width} x {height} pixels; each side must have at least {MIN_SIDE}")
    try:
        if getattr(image, "n_frames", 1) > 1:
            image.seek(0)
        image.load()
        return _flattened(ImageOps.exif_transpose(image) if "exif" in image.info else image)
    except _BROKEN as error:
        raise _unreadable("the portrait", error) from error


def _unreadable(name: str, error: BaseException) -> InvalidImage:
    """The InvalidImage for whatever a reader raised."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return InvalidImage(f"{name} has far more than {MAX_PIXELS:,} pixels: shrink it")
    return InvalidImage(f"{name} cannot be read as a picture ({type(error).__name__}): save it as PNG or JPEG")


def _flattened(image: Image.Image) -> Image.Image:
    """8-bit RGB over white."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode.startswith("I;16") or image.mode in ("I", "F"):
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        white = Image.new("RGB", image.size, (255, 255, 255))
        white.paste(rgba.convert("RGB"), (0, 0), rgba.getchannel("A"))
        return white
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """A deep grey picture scaled to 0..255 (Pillow's own conversion would clip it to white)."""
    import numpy as np

    values = np.nan_to_num(np.asarray(image).astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    top = 65535.0 if image.mode != "F" and values.max(initial=0) > 255 else 255.0
    if image.mode == "F" and values.max(initial=0) <= 1.0:
        top = 1.0
    return Image.fromarray(np.clip(values * (255.0 / top), 0, 255).astype(np.uint8))
