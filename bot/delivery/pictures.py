"""The pictures of badges under `badges/` in the state folder: a JPEG for the chat and a PNG for "as a file".

Files are written under a temporary name and renamed, so none is ever incomplete; leftovers of a crash are removed at
the next start. The database has the JPEG's size: a file of another size (after a power failure) counts as missing.
"""

import logging
import time
from io import BytesIO
from pathlib import Path

from PIL import Image

from inference.files import written_aside
from inference.output.recipe import encode_png, recipe_of
from inference.types import Badge
from overlay import to_jpeg, to_sticker

log = logging.getLogger(__name__)

_MOST_BYTES = 10 * 2**20
"""Telegram's limit for photos (core.telegram.org/bots/api#sendphoto)."""


class Pictures:
    """The folder of pictures; `name` is a file name without extension."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def open(self) -> "Pictures":
        """Create the folder and remove incomplete files."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for left in self.folder.glob("*.part"):
            left.unlink(missing_ok=True)
        return self

    def save(self, name: str, badge: Badge) -> int:
        """Write both pictures, the PNG with the badge's recipe; returns the JPEG's size in bytes.

        Raises OSError if the disk is full, and leaves neither.
        """
        self._write(f"{name}.png", encode_png(badge.image, recipe_of(badge)))
        try:
            return self.save_photo(name, badge.image)
        except OSError:
            (self.folder / f"{name}.png").unlink(missing_ok=True)
            raise

    def save_photo(self, name: str, image: Image.Image) -> int:
        """Write only the JPEG; returns its size in bytes."""
        photo = photo_bytes(image)
        self._write(f"{name}.jpg", photo)
        return len(photo)

    def photo(self, name: str, size: int) -> bytes | None:
        """The JPEG; None if it is missing or has another size."""
        data = self._read(f"{name}.jpg")
        return data if data is not None and len(data) == size else None

    def document(self, name: str) -> bytes | None:
        """The PNG; None if it is missing."""
        return self._read(f"{name}.png")

    def sticker(self, name: str) -> bytes | None:
        """The badge as a WebP sticker; None if the PNG is missing."""
        data = self._read(f"{name}.png")
        if data is None:
            return None
        with Image.open(BytesIO(data), formats=("PNG",)) as image:
            return to_sticker(image)

    def erase(self, job_id: int) -> None:
        """Remove all pictures of a job, including those of interrupted attempts."""
        for file in self.folder.glob(f"{job_id}-*"):
            file.unlink(missing_ok=True)

    def tidy(self, keep_days: int) -> int:
        """Remove pictures older than `keep_days` days; returns the number of files."""
        oldest = time.time() - keep_days * 86400
        old = [file for file in self.folder.iterdir() if file.is_file() and file.stat().st_mtime < oldest]
        for file in old:
            file.unlink(missing_ok=True)
        return len(old)

    def _write(self, name: str, data: bytes) -> None:
        with written_aside(self.folder / name, mode=0o600) as aside:
            aside.write_bytes(data)

    def _read(self, name: str) -> bytes | None:
        try:
            return (self.folder / name).read_bytes()
        except FileNotFoundError:
            return None


def photo_bytes(image: Image.Image) -> bytes:
    """A JPEG below Telegram's limit for photos; transparent parts become white."""
    photo = b""
    for quality in (92, 85, 70):  # 1024 pixels of pure noise are 2.5 MB at 92; more only follows from banner.size
        photo = to_jpeg(image, quality)
        if len(photo) <= _MOST_BYTES:
            break
    return photo
