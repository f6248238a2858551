"""The pictures of badges under `badges/` in the state folder: a JPEG for the chat and a PNG for "as a file".

Files are written beside their place and renamed, so that none is ever half there; what a crash left behind is removed
at the next start. The store remembers the JPEG's size: a file of another size (the machine lost power) is no badge.
"""

import logging
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

log = logging.getLogger(__name__)

_MOST_BYTES = 10 * 2**20
_STICKER = 512


class Pictures:
    """The folder of pictures; `name` is a file name without its ending."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> "Pictures":
        """Create the folder and remove what is half written."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self.folder.glob("*.part"):
            left.unlink(missing_ok=True)
        return self

    def save(self, name: str, image: Image.Image) -> int:
        """Write both pictures; the JPEG's size in bytes. Raises OSError where there is no room, and leaves neither."""
        photo = photo_bytes(image)
        self._write(f"{name}.png", png_bytes(image))
        try:
            self._write(f"{name}.jpg", photo)
        except OSError:
            (self.folder / f"{name}.png").unlink(missing_ok=True)
            raise
        return len(photo)

    def photo(self, name: str, size: int) -> bytes | None:
        """The JPEG, or None where it is gone or not of the size that was written."""
        data = self._read(f"{name}.jpg")
        return data if data is not None and len(data) == size else None

    def document(self, name: str) -> bytes | None:
        """The PNG in full quality, or None where it is gone."""
        return self._read(f"{name}.png")

    def sticker(self, name: str) -> bytes | None:
        """The badge as a sticker (WebP, the longer side 512 pixels), or None where the picture is gone."""
        data = self._read(f"{name}.png")
        if data is None:
            return None
        return sticker_bytes(Image.open(BytesIO(data)))

    def tidy(self, keep_days: int) -> int:
        """Remove pictures that are older than `keep_days` days; how many files."""
        oldest = time.time() - keep_days * 86400
        old = [file for file in self.folder.iterdir() if file.is_file() and file.stat().st_mtime < oldest]
        for file in old:
            file.unlink(missing_ok=True)
        return len(old)

    def _write(self, name: str, data: bytes) -> None:
        part = self.folder / f"{name}.part"
        try:
            part.touch(mode=0o600)
            part.write_bytes(data)
            part.replace(self.folder / name)
        finally:
            part.unlink(missing_ok=True)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None


def photo_bytes(image: Image.Image) -> bytes:
    """A JPEG under Telegram's 10 MB for photos."""
    image = image.convert("RGB")
    for quality in (92, 85, 70):
        buffer = BytesIO()
        image.save(buffer, "JPEG", quality=quality, subsampling=0)
        if buffer.tell() <= _MOST_BYTES:
            break
    return buffer.getvalue()


def png_bytes(image: Image.Image) -> bytes:
    """A PNG, packed quickly rather than small."""
    buffer = BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def sticker_bytes(image: Image.Image) -> bytes:
    """A WebP with the longer side 512 pixels, under Telegram's 512 KB for stickers."""
    small = image.copy()
    small.thumbnail((_STICKER, _STICKER), Image.Resampling.LANCZOS)
    scale = _STICKER / max(small.size)
    if scale > 1:
        small = small.resize((round(small.width * scale), round(small.height * scale)), Image.Resampling.LANCZOS)
    buffer = BytesIO()
    small.save(buffer, "WEBP", quality=90)
    return buffer.getvalue()
