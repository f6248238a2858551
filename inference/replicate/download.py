"""Downloads the output of a job: without the token, from allowed hosts only, limited in size, checked to be an image.

Each redirect is checked against the allowed hosts. Reading stops at the size limit.
"""

import base64
import io
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, unquote_to_bytes, urljoin, urlsplit

import httpx
from PIL import Image

from configs.proxies import ProxyError
from configs.sections.replicate import LOOPBACK, ReplicateSettings
from inference.replicate.errors import ApiUnreachable, BadOutput, OutputLost
from inference.replicate.retry import retried
from inference.replicate.transport import ProxiedTransport
from overlay.errors import InvalidImage
from overlay.images import open_image

log = logging.getLogger(__name__)

_MAX_REDIRECTS = 3  # chosen by hand: ends a loop of redirects
_MAX_PIXELS = 4096 * 4096  # the largest `replicate.width` and `height`; bounds the memory of decoding

BytesCallback = Callable[[int, int], None]
"""Called with (bytes so far, total bytes or 0 if unknown)."""


class Downloader:
    """Downloads from the hosts in the settings. Safe to share between threads."""

    def __init__(self, settings: ReplicateSettings, base_url: str = "") -> None:
        """This machine is allowed too if the API (`base_url`) is on it."""
        self._settings = settings
        api_host = (urlsplit(base_url).hostname or "").lower()
        self._hosts = (*settings.hosts, *(LOOPBACK if api_host in LOOPBACK else ()))
        limits = httpx.Timeout(settings.read_timeout_s, connect=settings.connect_timeout_s)
        self._client = httpx.Client(timeout=limits, follow_redirects=False, transport=ProxiedTransport())

    def close(self) -> None:
        """Close the connections. Repeatable."""
        self._client.close()

    def image(self, url: str, deadline: float) -> Image.Image:
        """The image at `url`, fully decoded, mode RGB. `deadline` is a monotonic time.

        `url` may contain the image itself: a `data:` URI, or plain Base64.
        Raises BadOutput if the URL is not allowed or the output is too large or no image, ApiUnreachable if the
        download fails.
        """
        if not url.lower().startswith(("http:", "https:")) and "://" not in url:
            return _decoded(_inline(url, self._settings.max_image_mb * 2**20))

        def fetched() -> Image.Image:
            target = io.BytesIO()
            self._fetch(url, target, self._settings.max_image_mb * 2**20, deadline)
            return _decoded(target.getvalue())

        return retried(fetched, self._settings, deadline)

    def file(self, url: str, path: Path, deadline: float, on_bytes: BytesCallback | None = None) -> None:
        """Write the file at `url` to `path`, at most `max_archive_mb`. Raises as `image` does, and OSError."""

        def fetch() -> None:
            with path.open("wb") as target:
                self._fetch(url, target, self._settings.max_archive_mb * 2**20, deadline, on_bytes)

        retried(fetch, self._settings, deadline)

    def _fetch(
        self, url: str, target: BinaryIO, most: int, deadline: float, on_bytes: BytesCallback | None = None
    ) -> None:
        for _hop in range(_MAX_REDIRECTS + 1):
            self._require_allowed(url)
            try:
                with self._client.stream("GET", url) as response:
                    if response.is_redirect:
                        url = urljoin(url, response.headers["Location"])
                        continue
                    if response.status_code >= 500 or response.status_code == 429:
                        raise ApiUnreachable(f"the output cannot be fetched: status {response.status_code}", sent=True)
                    if response.status_code != 200:
                        raise OutputLost(
                            f"the output is no longer available: status {response.status_code} (Replicate keeps it for"
                            " one hour)"
                        )
                    _copy(response, target, most, deadline, on_bytes)
                    return
            except ProxyError as error:
                raise BadOutput(str(error)) from error
            except httpx.HTTPError as error:
                raise ApiUnreachable(f"the output cannot be fetched: {type(error).__name__}", sent=True) from error
            except httpx.InvalidURL as error:
                raise BadOutput("the output's URL is invalid") from error
        raise BadOutput(f"the output redirects more than {_MAX_REDIRECTS} times")

    def _require_allowed(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            host = (parts.hostname or "").lower().rstrip(".")
        except ValueError as error:
            raise BadOutput("the output's URL is invalid") from error
        known = any(host == allowed or host.endswith("." + allowed) for allowed in self._hosts)
        if not known or (parts.scheme != "https" and not (parts.scheme == "http" and host in LOOPBACK)):
            raise BadOutput(
                f"the output is at {parts.scheme}://{host}, which is not allowed: see replicate.download_hosts"
            )


def _copy(
    response: httpx.Response, target: BinaryIO, most: int, deadline: float, on_bytes: BytesCallback | None
) -> None:
    size = 0
    length = response.headers.get("Content-Length", "")
    expected = int(length) if length.isdigit() else 0
    if expected > most:
        raise BadOutput(f"the output is {expected} bytes long, more than the {most} allowed")
    for piece in response.iter_bytes(65536):
        size += len(piece)
        if size > most:
            raise BadOutput(f"the output is longer than the {most} bytes allowed")
        if time.monotonic() > deadline:
            raise ApiUnreachable("the output takes too long to download", sent=True, timed_out=True)
        target.write(piece)
        if on_bytes:
            on_bytes(size, expected)


def _inline(text: str, most: int) -> bytes:
    """The bytes in a `data:` URI (RFC 2397) or Base64 text."""
    head, comma, content = text.partition(",") if text[:5].lower() == "data:" else ("data:;base64", ",", text)
    if len(content) > most * 3:  # a percent-encoded byte takes three characters
        raise BadOutput(f"the output is {len(content)} characters long, more than the {most} bytes allowed")
    try:
        if head.lower().endswith(";base64"):
            data = base64.b64decode("".join(unquote(content).split()) + "==")
        else:
            data = unquote_to_bytes(content)
    except ValueError as error:
        raise BadOutput("the output's data: URI is damaged") from error
    if not comma or len(data) > most:
        raise BadOutput(f"the output is longer than the {most} bytes allowed, or a data: URI without data")
    return data


def _decoded(data: bytes) -> Image.Image:
    try:
        return open_image(data, name="the output", max_pixels=_MAX_PIXELS).image
    except InvalidImage as error:
        raise OutputLost(f"the output is damaged or no PNG, JPEG or WebP image: {error}") from error
