"""Portraits that were drawn before: the same object and seed under another text costs no denoising.

`CachedGenerator` wraps any generator. A portrait's name is `Generator.key(request)`, everything that determines its
pixels; it is kept as a lossless PNG that says how it was made, so what comes back is the same image, byte for byte.
Files are written aside and renamed, so several processes may share the folder; beyond the limit those unused for
longest go.
"""

import contextlib
import dataclasses
import io
import json
import logging
import os
import threading
from pathlib import Path

from PIL import Image, PngImagePlugin

from inference.errors import BlankPicture, RenderFailed
from inference.files import PRIVATE, private_folder, shrink_folder, write_atomically
from inference.generator import Generator, Wrapper
from inference.types import LoraInfo, ModelInfo, Portrait, PortraitRequest, StepCallback

log = logging.getLogger(__name__)

_CHUNK = "samurai-portrait"
_LOOK_AGAIN = 0.05
"""Of the limit: so much may be added between two looks at the folder, by each process that shares it."""


class PortraitCache:
    """Portraits by key in `folder`, of at most `limit` bytes together."""

    def __init__(self, folder: Path, limit: int) -> None:
        self._folder = folder
        self._limit = limit
        self._lock = threading.Lock()
        self._total = limit  # not known yet: the first portrait looks
        self._added = limit

    def get(self, key: str) -> Portrait | None:
        """The portrait, marked as cached, or None. A damaged file counts as none."""
        path = self._folder / f"{key}.png"
        try:
            with Image.open(io.BytesIO(path.read_bytes())) as file:
                file.load()
                about = json.loads(file.info[_CHUNK])
                image = file.copy()
            image.info = {}
        except FileNotFoundError:
            return None
        except (OSError, KeyError, ValueError, SyntaxError) as error:
            log.warning("a remembered portrait cannot be read and is drawn again: %s", error)
            return None
        with contextlib.suppress(OSError):
            os.utime(path)  # used just now: the last to go
        lora = about["model"].pop("lora")
        versions = tuple((name, version) for name, version in about["model"].pop("versions"))
        model = ModelInfo(**about.pop("model"), lora=LoraInfo(**lora) if lora else None, versions=versions)
        try:
            return Portrait(image, **about, model=model, seconds=0.0, cost_usd=0.0, cached=True)
        except BlankPicture as error:  # kept by a version that did not look
            log.warning("a remembered portrait is drawn again: %s", error)
            return None

    def put(self, key: str, portrait: Portrait) -> None:
        """Keep `portrait`. A disk that does not take it is a warning: the badge is what matters."""
        about = {
            "prompt": portrait.prompt,
            "seed": portrait.seed,
            "steps": portrait.steps,
            "guidance": portrait.guidance,
            "model": dataclasses.asdict(portrait.model),
        }
        info = PngImagePlugin.PngInfo()
        info.add_itxt(_CHUNK, json.dumps(about))
        out = io.BytesIO()
        portrait.image.save(out, "PNG", pnginfo=info, compress_level=1)
        try:
            private_folder(self._folder)
            write_atomically(self._folder / f"{key}.png", out.getvalue(), PRIVATE)
            self._count(len(out.getvalue()))
        except (OSError, RenderFailed) as error:
            log.warning("the portrait is not remembered: %s", error)

    def _count(self, size: int) -> None:
        """Keep to the limit by a running sum: looking at every file at every portrait takes longer the more there are.

        The folder is looked at again where the sum passes the limit, and now and then for what other processes add.
        """
        with self._lock:
            self._total += size
            self._added += size
            if self._total > self._limit or self._added > self._limit * _LOOK_AGAIN:
                self._total = shrink_folder(self._folder, "*.png", self._limit)
                self._added = 0


class CachedGenerator(Wrapper):
    """A generator in front of which a `PortraitCache` stands."""

    def __init__(self, inner: Generator, cache: PortraitCache) -> None:
        super().__init__(inner)
        self._cache = cache

    def generate(self, request: PortraitRequest, on_step: StepCallback | None = None) -> Portrait:
        key, model = self.inner.key(request), self.inner.model_for(request)
        known = self._cache.get(key)
        if known is not None:
            return known
        portrait = self.inner.generate(request, on_step)
        if portrait.model == model:  # else somebody else drew it, or in another way: not what the key says
            self._cache.put(key, portrait)
        return portrait
