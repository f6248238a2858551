"""Reading a folder of pictures: each decoded once, described, hashed; a broken one is described too, not raised.

What training sees of a picture is `upright`: EXIF rotation applied, transparency laid on white, RGB, 8 bits.
"""

import hashlib
import io
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from training.dataset.captions import CaptionRule, object_in_caption, object_in_name, read_caption
from training.errors import DataSetError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
MAX_PIXELS = 100_000_000
THUMBNAIL = 256


@dataclass(frozen=True)
class Picture:
    """One file. Size in pixels, upright; `thumbnail` RGB uint8, at most 256 a side; `problem` "" where it decodes."""

    path: Path
    sha256: str
    caption: str | None
    caption_problem: str
    problem: str = ""
    width: int = 0
    height: int = 0
    mode: str = ""
    format: str = ""
    rotated: bool = False
    alpha: bool = False
    thumbnail: NDArray[np.uint8] | None = None

    @property
    def thing(self) -> str:
        """The object held: from the caption where that says one, else from the file's name."""
        return object_in_caption(self.caption or "") or object_in_name(self.path.stem)


@dataclass(frozen=True)
class DataSet:
    """The pictures of a folder, sorted by name, and how their captions are made."""

    folder: Path
    rule: CaptionRule
    pictures: tuple[Picture, ...]

    def caption(self, picture: Picture) -> str:
        """What the picture is trained with: its caption with the trigger, or one made from the object in its name."""
        return self.rule.complete(picture.caption) if picture.caption else self.rule.made_for(picture.thing)

    @cached_property
    def sha256(self) -> str:
        """One hash over names, picture bytes and captions, in hex: the same data set on any machine."""
        digest = hashlib.sha256()
        for picture in self.pictures:
            digest.update(f"{picture.path.name}\0{picture.sha256}\0{self.caption(picture)}\n".encode())
        return digest.hexdigest()


def read_data_set(folder: Path, rule: CaptionRule) -> DataSet:
    """Read every picture in `folder`, none below. Raises DataSetError where there is no folder or no picture."""
    if not folder.exists():
        raise DataSetError(f"no such folder: {folder}; name the folder with your 15-25 pictures")
    if not folder.is_dir():
        raise DataSetError(f"{folder} is a file: name the folder that holds the pictures")
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    except OSError as error:
        raise DataSetError(f"cannot read {folder}: {error.strerror}") from error
    if not paths:
        raise DataSetError(f"no pictures in {folder}: put 15-25 PNG, JPEG or WebP files there")
    # Decoding leaves the interpreter's lock, so two threads halve the time.
    with ThreadPoolExecutor(4) as pool:
        return DataSet(folder, rule, tuple(pool.map(read_picture, paths)))


def read_picture(path: Path) -> Picture:
    """Describe one file; what is wrong with it stands in `problem` and `caption_problem`."""
    caption, caption_problem = read_caption(path.with_suffix(".txt"))
    try:
        data = path.read_bytes()
    except OSError as error:
        return Picture(path, "", caption, caption_problem, f"cannot be read: {error.strerror}")
    sha256 = hashlib.sha256(data).hexdigest()
    try:
        with _open(data) as image:
            rotated = image.getexif().get(0x0112, 1) not in (0, 1)
            mode, kind = image.mode, image.format or ""
            flat, alpha = _flattened(image)
    except _DECODING as error:
        return Picture(path, sha256, caption, caption_problem, f"cannot be decoded ({_short(error)})")
    small = flat.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.BOX)
    return Picture(
        path, sha256, caption, caption_problem, "", *flat.size, mode, kind, rotated, alpha, np.asarray(small)
    )  # fmt: skip


def upright(path: Path) -> Image.Image:
    """The picture as training sees it: RGB, upright, on white. Raises DataSetError where it cannot be decoded."""
    try:
        with _open(path.read_bytes()) as image:
            return _flattened(image)[0]
    except OSError as error:
        raise DataSetError(f"{path} cannot be decoded ({_short(error)})") from error
    except _DECODING as error:
        raise DataSetError(f"{path} cannot be decoded ({_short(error)})") from error


_DECODING = (OSError, UnidentifiedImageError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)


def _open(data: bytes) -> Image.Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        image = Image.open(io.BytesIO(data))
    if image.width * image.height > MAX_PIXELS:
        raise ValueError(f"{image.width}x{image.height} is more than {MAX_PIXELS // 10**6} megapixels")
    return image


def _flattened(image: Image.Image) -> tuple[Image.Image, bool]:
    """(upright RGB copy on white, whether anything was transparent)."""
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I") or image.mode == "F":
        # 16-bit greys: Pillow's own conversion clips instead of scaling.
        values = np.asarray(image, dtype=np.float64)
        top = 65535.0 if values.max() > 255 else 255.0
        image = Image.fromarray(np.clip(values / top * 255, 0, 255).astype(np.uint8))
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        alpha = rgba.getchannel("A").getextrema()[0] != 255
        white = Image.new("RGBA", rgba.size, "white")
        white.alpha_composite(rgba)
        return white.convert("RGB"), alpha
    return image.convert("RGB"), False


def _short(error: Exception) -> str:
    return "not a picture" if isinstance(error, UnidentifiedImageError) else str(error).split("\n")[0][:100]
