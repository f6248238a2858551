"""The packed pictures at Replicate's files API: sent once, found again after a lost answer or a restart.

An upload is remembered by the archive's SHA-256. A later run asks whether the file is still there (it is kept for a
day) before it sends anything.
"""

import io
import json
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from configs.sections.replicate import ReplicateSettings
from inference.files import sha256_of
from inference.replicate.client import ReplicateApi
from inference.replicate.errors import ApiNotFound, ApiUnreachable
from inference.replicate.ledger import Ledger
from inference.replicate.retry import retried

log = logging.getLogger(__name__)

_KEPT_S = 23 * 3600.0
"""Replicate keeps a file for 24 hours; what has less than one left may be gone before the trainer reads it."""
_SLOWEST = 50_000  # bytes a second; slower than that is a time-out

BytesCallback = Callable[[int, int], None]
"""Called as (bytes sent, bytes in all)."""


def uploaded(archive: Path, api: ReplicateApi, ledger: Ledger, settings: ReplicateSettings, tell: BytesCallback) -> str:
    """The address under which Replicate's trainers read `archive`. Raises ApiError, and what `tell` raises."""
    sha256, size = sha256_of(archive), archive.stat().st_size
    note = f"upload {sha256}"
    known = ledger.noted(note, _KEPT_S)
    if known:
        url = _still_there(known, api, settings)
        if url:
            log.info("the pictures are at Replicate already: not sent again")
            return url
        ledger.forget(note)
    file = _sent(archive, sha256, size, api, settings, tell)
    ledger.note(note, str(file.get("id")))
    return _address(file)


def _sent(
    archive: Path, sha256: str, size: int, api: ReplicateApi, settings: ReplicateSettings, tell: BytesCallback
) -> dict[str, Any]:
    whole = 60 + size / _SLOWEST

    def send() -> dict[str, Any]:
        with archive.open("rb") as content:
            return api.upload(archive, _Told(content, size, tell), json.dumps({"sha256": sha256}), whole)

    return retried(send, settings, lost=lambda _error: _by_hash(sha256, api, settings))


def _by_hash(sha256: str, api: ReplicateApi, settings: ReplicateSettings) -> dict[str, Any] | None:
    """A file whose answer was lost, by the hash that we sent with it."""
    try:
        files = api.files(time.monotonic() + settings.read_timeout_s)
    except ApiUnreachable:
        return None  # a second copy costs nothing but time
    return next((each for each in files if (each.get("metadata") or {}).get("sha256") == sha256), None)


def _still_there(number: str, api: ReplicateApi, settings: ReplicateSettings) -> str:
    try:
        return _address(api.file(number, time.monotonic() + settings.read_timeout_s))
    except ApiNotFound:
        return ""


def _address(file: dict[str, Any]) -> str:
    urls = file.get("urls")
    url = urls.get("get") if isinstance(urls, dict) else None
    if not isinstance(url, str) or not url:
        raise ApiUnreachable("Replicate's answer describes no uploaded file", sent=True)
    return url


class _Told(io.RawIOBase):
    """An open file that tells how much of it has been read."""

    def __init__(self, file: io.BufferedReader, size: int, tell: BytesCallback) -> None:
        super().__init__()
        self._file, self._size, self._tell = file, size, tell

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def fileno(self) -> int:
        return self._file.fileno()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._tell(self._file.tell(), self._size)
        return data
