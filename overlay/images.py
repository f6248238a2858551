"""Pictures as they come: opened, checked, turned upright, brought to 8-bit sRGB; no surprises, bounded memory.

This is the one place where a file becomes a picture. Only the formats named here are tried, whatever the file is
called. The size is read from the header and checked before a pixel is decoded. Of an animation the first frame is
taken. Colours are converted by the picture's ICC profile. Where a picture is transparent white shows, never the
colours hidden under the transparency. Whatever a decoder raises on broken data becomes one InvalidImage.
"""

import io
import struct
import threading
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from configs.foreign import read_regular, what_it_is
from overlay.color import deep_to_eight, to_srgb
from overlay.errors import InvalidImage
from overlay.png import lean_png

MAX_PIXELS = 20_000_000
"""A portrait of more pixels is refused before it is decoded (Pillow itself only warns up to 179 million)."""
MAX_BYTES = 512 * 2**20
"""A file of more bytes is not read: 100 million pixels of 16-bit RGB, not compressed, are 600 MB."""
MIN_SIDE = 64
"""On anything smaller no letter could be read."""
FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "HEIF")
"""What is tried, by content. Everything else that Pillow reads is left to nobody: EPS starts Ghostscript."""
_LARGE = 16_000_000  # pixels; four such pictures at once are what a small machine bears
_BROKEN = (
    OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
    MemoryError, struct.error, zlib.error, Image.DecompressionBombError, Warning,
)  # fmt: skip
"""What Pillow's readers have been seen to raise on broken files; warnings too, where they are made errors."""
_one_large = threading.Lock()
_opening = threading.Lock()


@dataclass(frozen=True)
class Opened:
    """A picture as people see it (`image`: upright, RGB, 8 bits, on white), and what its file was.

    `width` and `height` are the upright picture's, before any shrinking; `mode` and `format` are Pillow's words for
    the file's own; `turned` whether EXIF turned it, `transparent` whether anything shone through, `converted` whether
    its ICC profile changed the colours.
    """

    image: Image.Image
    width: int
    height: int
    mode: str
    format: str
    turned: bool = False
    transparent: bool = False
    converted: bool = False
    frames: int = 1


def open_image(
    source: Path | str | bytes, *, name: str = "", max_pixels: int = MAX_PIXELS, shrunk_to: int = 0
) -> Opened:
    """The picture in a file (a path), or in the file's bytes. Raises InvalidImage, which calls it `name`.

    With `shrunk_to` the image has at most so many pixels a side. Large pictures are decoded (and shrunk) one at a
    time, so that many threads do not need the memory of all at once.
    """
    name = name or ("the picture" if isinstance(source, bytes) else f"the picture {Path(source).name}")
    try:
        data = source if isinstance(source, bytes) else read_regular(Path(source), MAX_BYTES, follow=True)
    except FileNotFoundError as error:
        raise InvalidImage(f"{name} does not exist") from error
    except OSError as error:
        raise InvalidImage(f"{name} cannot be read: {error.strerror}") from error
    data, profile = lean_png(data)
    try:
        with _header(data) as image:
            _check_size(image, name, max_pixels)
            if image.width * image.height <= _LARGE:
                return _finished(image, profile, shrunk_to)
            # A thread of its own besides the lock: the C library keeps what a thread has freed for that thread, so
            # each of many readers would hold a picture's memory for good.
            with _one_large, ThreadPoolExecutor(1) as alone:
                return alone.submit(_finished, image, profile, shrunk_to).result()
    except InvalidImage:
        raise
    except _BROKEN as error:
        raise _unreadable(name, error, data, max_pixels) from error


def open_portrait(source: Path | str | bytes) -> Image.Image:
    """The picture in a file (a path), or in the file's bytes, as upright 8-bit RGB, at least 64 pixels a side.

    Raises InvalidImage.
    """
    name = "the portrait" if isinstance(source, bytes) else f"the portrait {Path(source).name}"
    return _checked_sides(open_image(source, name=name).image, name)


def open_badge(path: Path) -> Image.Image:
    """A finished badge from its file: RGBA where it is transparent, RGB otherwise. Raises InvalidImage."""
    whole = open_image(path, name=f"the badge {path.name}").image  # refuses what is no picture, or too large
    with Image.open(path, formats=FORMATS) as file:
        if file.mode not in ("RGBA", "LA", "PA"):
            return whole
        return file.convert("RGBA")


def as_portrait(image: Image.Image) -> Image.Image:
    """The picture as upright 8-bit RGB; the very same object where it is that already.

    Raises InvalidImage for what is no picture, has more than 20 million pixels or a side under 64, or is broken.
    """
    if not isinstance(image, Image.Image):
        raise InvalidImage(f"the portrait must be a Pillow image, not {type(image).__name__}")
    _check_size(image, "the portrait", MAX_PIXELS)
    _checked_sides(image, "the portrait")
    try:
        return _decoded(image, None).image
    except _BROKEN as error:
        raise _unreadable("the portrait", error, b"", MAX_PIXELS) from error


def _header(data: bytes) -> Image.Image:
    heif = data[4:8] == b"ftyp"  # ISO base media: what is not HEIF needs no decoder for it
    if heif:
        _know_heif()
    formats = [name for name in FORMATS if heif or name != "HEIF"]
    # Pillow warns of what we bound ourselves; the filters of warnings are the whole process's.
    with _opening, warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        return Image.open(io.BytesIO(data), formats=formats)


@cache
def _know_heif() -> None:
    """Teach Pillow HEIC once. pi-heif decodes only, so no GPL encoder comes with it."""
    from pi_heif import register_heif_opener

    register_heif_opener(thumbnails=False)


def _check_size(image: Image.Image, name: str, most: int) -> None:
    width, height = image.size
    if width * height > most:
        raise InvalidImage(f"{name} has {width} x {height} pixels; at most {most:,} are taken: shrink it")
    if min(width, height) < 1:
        raise InvalidImage(f"{name} has {width} x {height} pixels: it is empty")


def _checked_sides(image: Image.Image, name: str) -> Image.Image:
    if min(image.size) < MIN_SIDE:
        raise InvalidImage(f"{name} has {image.width} x {image.height} pixels; each side must have at least {MIN_SIDE}")
    return image


def _finished(image: Image.Image, profile: bytes | None, shrunk_to: int) -> Opened:
    """`_decoded`, with an image that no longer hangs on its file."""
    opened = _decoded(image, profile)
    if shrunk_to:
        opened.image.thumbnail((shrunk_to, shrunk_to), Image.Resampling.BOX)
    return replace(opened, image=_bare(opened.image.copy())) if opened.image is image else opened


def _decoded(image: Image.Image, profile: bytes | None) -> Opened:
    mode, kind = image.mode, image.format or ""
    frames = _frames(image)
    orientation = _orientation(image)  # before loading: of a TIFF Pillow takes it away while decoding
    icc = profile or image.info.get("icc_profile")
    gamma = None if icc or "srgb" in image.info else image.info.get("gamma")
    image.load()
    transparent = False
    flat = image
    if image.mode.startswith("I") or image.mode == "F":
        flat = deep_to_eight(image)
    if orientation in _TURNS and kind != "TIFF":
        flat = flat.transpose(_TURNS[orientation])
    if flat.has_transparency_data:
        flat, transparent = _on_white(flat, icc, gamma)
        converted = icc is not None
    else:
        flat, converted = to_srgb(flat, icc, gamma)
    if flat is not image:
        _bare(flat)
    return Opened(flat, flat.width, flat.height, mode, kind, orientation in _TURNS, transparent, converted, frames)


def _frames(image: Image.Image) -> int:
    """How many pictures the file holds; 2 for any number where counting would read them all. Goes to the first."""
    if image.format == "HEIF":  # opened at its primary picture, which need not be the first
        return int(getattr(image, "n_frames", 1))
    if image.format in ("GIF", "TIFF"):
        try:
            image.seek(image.tell() + 1)
        except EOFError:
            return 1 if image.tell() == 0 else 2
        image.seek(0)
        return 2
    frames = int(getattr(image, "n_frames", 1))
    if frames > 1:
        image.seek(0)
    return frames


def _bare(image: Image.Image) -> Image.Image:
    """Without the file's notes: what they ask for (turning, colours) is done, and must not be done again."""
    image.info = {}
    return image


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF's Orientation (tag 0x0112) to what makes the picture upright."""


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation; 1, upright, where there is none or the EXIF is broken: that does not break the picture."""
    try:
        value = image.getexif().get(0x0112, 1)
        return int(value) if isinstance(value, int) else 1
    except _BROKEN:
        return 1


def _on_white(image: Image.Image, icc: bytes | None, gamma: float | None) -> tuple[Image.Image, bool]:
    """(RGB over white, whether anything shone through)."""
    rgba = image.convert("RGBA")
    alpha = rgba.getchannel("A")
    grey = image.mode in ("LA", "La")  # a grey picture's profile is one of greys
    colours, _converted = to_srgb(rgba.getchannel("R") if grey else rgba.convert("RGB"), icc, gamma)
    if alpha.getextrema() == (255, 255):
        return colours, False
    white = Image.new("RGB", image.size, (255, 255, 255))
    white.paste(colours, (0, 0), alpha)
    return white, True


def _unreadable(name: str, error: BaseException, data: bytes, most: int) -> InvalidImage:
    """The InvalidImage for whatever a reader raised."""
    if isinstance(error, Image.DecompressionBombError | Image.DecompressionBombWarning):
        return InvalidImage(f"{name} has far more than {most:,} pixels: shrink it")
    what = what_it_is(data[:512])
    if isinstance(error, UnidentifiedImageError) and "picture" not in what:
        return InvalidImage(f"{name} cannot be read as a picture ({what or 'not a picture'}): save it as PNG or JPEG")
    odd = isinstance(error, UnidentifiedImageError)
    why = "damaged, or of a kind that is not read" if odd else "damaged" if what else f"damaged, {type(error).__name__}"
    return InvalidImage(f"{name} cannot be read as a picture ({why}): save it as PNG or JPEG")


__all__ = ["FORMATS", "MAX_PIXELS", "MIN_SIDE", "Opened", "as_portrait", "open_image", "open_portrait"]
