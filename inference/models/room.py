"""How much a base model weighs before it is downloaded, how much of it is on this disk, and whether the rest fits.

A pipeline's files are those of the folders that its `model_index.json` names; where a folder has safetensors, other
forms of the same weights are not downloaded (as `DiffusionPipeline.download` chooses with `use_safetensors`).
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inference.errors import OperatorNeeded
from inference.hub import asking_hub, cached_file
from inference.models.profiles import Profile

INDEX = "model_index.json"
_OTHER_FORMS = (".bin", ".msgpack", ".onnx", ".onnx_data", ".pb", ".h5", ".ckpt", ".pt", ".gguf")
_SPARE = 2 * 10**9
"""Bytes that stay free: a disk that is full to the last byte stops the job store and the logs too."""


@dataclass(frozen=True)
class Download:
    """The files of one revision (a commit) with their sizes in bytes, those that are here, and where they go."""

    repo: str
    commit: str
    files: dict[str, int]
    here: frozenset[str]
    cache: Path

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum(self.files.values())

    @property
    def missing(self) -> int:
        """Bytes that are not on this disk."""
        return sum(size for name, size in self.files.items() if name not in self.here)

    @property
    def free(self) -> int:
        """Bytes that are free where the Hub's cache lies or will lie."""
        place = next(each for each in (self.cache, *self.cache.parents) if each.exists())
        return shutil.disk_usage(place).free


def planned(profile: Profile, token: str = "") -> Download:
    """What a download of `profile` consists of. Asks the Hub; raises HubError."""
    from huggingface_hub import HfApi, constants, hf_hub_download

    revision = profile.revision or None
    with asking_hub():
        info = HfApi(token=token or None).model_info(profile.repo, revision=revision, files_metadata=True, timeout=30)
        commit = info.sha or ""
        index = json.loads(Path(hf_hub_download(profile.repo, INDEX, revision=commit, token=token or None)).read_text())
    sizes = {each.rfilename: each.size or 0 for each in info.siblings or ()}
    parts = {name for name, value in index.items() if isinstance(value, list) and value[0]}
    files = {name: size for name, size in sizes.items() if name == INDEX or name.partition("/")[0] in parts}
    safe = {name.partition("/")[0] for name in files if name.endswith(".safetensors")}
    files = {
        name: size
        for name, size in files.items()
        if not (name.partition("/")[0] in safe and name.endswith(_OTHER_FORMS))
    }
    here = frozenset(name for name in files if cached_file(profile.repo, name, commit))
    return Download(profile.repo, commit, files, here, Path(constants.HF_HUB_CACHE))


def require_room(profile: Profile, download: Download) -> None:
    """Raise OperatorNeeded where the rest of a download would not fit."""
    if download.missing + _SPARE > download.free:
        raise OperatorNeeded(
            f"{profile.title} needs {gigabytes(download.missing)} more, and {gigabytes(download.free)} are free in "
            f"{download.cache} ({gigabytes(_SPARE)} are kept free): make room, or set HF_HOME to a larger disk"
        )


def progress_of(download: Download) -> Callable[[], str]:
    """What says how much is here by now, such as "12.3 GB of 33.7 GB", parts of files included."""
    blobs = download.cache / f"models--{download.repo.replace('/', '--')}" / "blobs"

    def size(*, whole: bool) -> int:
        files = blobs.iterdir() if blobs.is_dir() else ()
        return sum(file.stat().st_size for file in files if not (whole and file.name.endswith(".incomplete")))

    others = size(whole=True) - (download.total - download.missing)
    return lambda: f"{gigabytes(size(whole=False) - others)} of {gigabytes(download.total)}"


def gigabytes(size: int) -> str:
    """Bytes in words: 33.7 GB (10^9)."""
    return f"{size / 1e9:.1f} GB"
