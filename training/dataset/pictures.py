"""Reading a set of pictures: each decoded once, described, hashed; a broken one is described too, not raised.

What training sees of a picture is `upright`: EXIF rotation applied, colours in sRGB, transparency laid on white, RGB,
8 bits (see `overlay.images`).
"""

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from overlay.errors import InvalidImage
from overlay.images import open_image
from training.dataset.captions import Caption, CaptionRule, object_in_caption, object_in_name, read_caption
from training.dataset.folder import SUFFIXES, LeftOut, Listing, Source, list_folder, read_file, shown
from training.errors import DataSetError

__all__ = ["MAX_PIXELS", "SUFFIXES", "DataSet", "Picture", "read_data_set", "upright"]

MAX_PIXELS = 100_000_000
"""By hand: 300 MB of memory in RGB. Known before anything is decoded."""
THUMBNAIL = 256
"""Pixels of the longer side; `looks` was calibrated at this size."""


@dataclass(frozen=True)
class Picture:
    """One file. Size in pixels, upright; `thumbnail` RGB uint8, at most 256 a side; `problem` "" where it decodes.

    `name` is for people and for comparing, the path below the set's folder; `path` is for reading (`read_file`).
    """

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
    name: str = ""
    caption_file: Caption | None = None
    caption_name: str = ""
    converted: bool = False
    frames: int = 1

    @property
    def thing(self) -> str:
        """The object held: from the caption where that says one, else from the file's name; "" where neither does."""
        return object_in_caption(self.caption or "") or object_in_name(PurePosixPath(self.name).stem)


@dataclass(frozen=True)
class DataSet:
    """The pictures of a folder, sorted by name, how their captions are made, and what else lies there."""

    folder: Path
    rule: CaptionRule
    pictures: tuple[Picture, ...]
    left_out: tuple[LeftOut, ...] = ()

    def caption(self, picture: Picture) -> str:
        """What the picture is trained with: its caption with the trigger, or one made from the object in its name."""
        return self.rule.complete(picture.caption) if picture.caption else self.rule.made_for(picture.thing)

    @cached_property
    def sha256(self) -> str:
        """One hash over names, picture bytes and captions, in hex: the same data set on any machine."""
        digest = hashlib.sha256()
        for picture in self.pictures:
            digest.update(f"{picture.name}\0{picture.sha256}\0{self.caption(picture)}\n".encode())
        return digest.hexdigest()


def read_data_set(folder: Path, rule: CaptionRule, encoding: str = "") -> DataSet:
    """Read every picture in `folder`, those in folders below too. `encoding` is what its captions are said to be in.

    Raises DataSetError where there is no folder or no picture.
    """
    listing = list_folder(folder)
    if not listing.sources:
        more = "".join(f"; left out: {each.name} ({each.why})" for each in listing.left_out[:3])
        raise DataSetError(f"no pictures in {shown(folder)}: put 15-25 PNG, JPEG or WebP files there{more}")
    return read_listing(folder, listing, rule, encoding)


def read_listing(folder: Path, listing: Listing, rule: CaptionRule, encoding: str = "") -> DataSet:
    """`read_data_set` of what was listed already, which may be nothing."""
    captions = _captions(listing, encoding)
    # Decoding leaves the interpreter's lock, so two threads halve the time.
    with ThreadPoolExecutor(4) as pool:
        pictures = tuple(pool.map(_read_picture, listing.sources, captions))
    return DataSet(folder, rule, pictures, tuple(listing.left_out))


def upright(path: Path) -> Image.Image:
    """The picture as training sees it: RGB, upright, sRGB, on white. Raises DataSetError where it cannot be decoded."""
    try:
        return open_image(read_file(path), name=shown(path), max_pixels=MAX_PIXELS).image
    except OSError as error:
        raise DataSetError(f"{shown(path)} cannot be read: {error.strerror}") from error
    except InvalidImage as error:
        raise DataSetError(str(error)) from error


def _captions(listing: Listing, encoding: str) -> list[Caption]:
    """The captions in the pictures' order; those that are certain help to tell in which language the others are."""
    near = " ".join(source.name for source in listing.sources)
    first: dict[int, Caption] = {}
    for number, source in enumerate(listing.sources):
        if source.caption_data is not None:
            first[number] = read_caption(source.caption_data, encoding)
        elif source.told is not None:
            first[number] = read_caption(source.told.encode("utf-8", "replace"))
        else:
            first[number] = Caption(None, source.caption_problem)
        near += " " + (first[number].text or "")
    again = {
        number: read_caption(source.caption_data, encoding, near)
        for number, source in enumerate(listing.sources)
        if first[number].text is None and source.caption_data and first[number].problem.startswith("is not")
    }
    return [again.get(number, caption) for number, caption in first.items()]


def _read_picture(source: Source, caption: Caption) -> Picture:
    """Describe one file; what is wrong with it stands in `problem` and `caption_problem`."""
    about = Picture(
        source.path, "", caption.text, caption.problem, name=source.name, caption_file=caption,
        caption_name=source.caption_name,
    )  # fmt: skip
    try:
        data = read_file(source.path)
    except OSError as error:
        return replace(about, problem=f"cannot be read: {error.strerror}")
    about = replace(about, sha256=hashlib.sha256(data).hexdigest())
    try:
        opened = open_image(data, name="it", max_pixels=MAX_PIXELS, shrunk_to=THUMBNAIL)
    except InvalidImage as error:
        return replace(about, problem=_problem(str(error)))
    return replace(
        about, width=opened.width, height=opened.height, mode=opened.mode, format=opened.format, rotated=opened.turned,
        alpha=opened.transparent, thumbnail=np.asarray(opened.image), converted=opened.converted, frames=opened.frames,
    )  # fmt: skip


def _problem(message: str) -> str:
    """`open_image`'s message as what is said of a file: "cannot be decoded (it is PostScript)"."""
    found = re.match(r"it cannot be read as a picture \((.*)\): save", message)
    return f"cannot be decoded ({found[1]})" if found else message.removeprefix("it ")
