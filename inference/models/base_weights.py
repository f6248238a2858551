"""Where a base model's weights come from: a folder in this package, the Hub's cache on this disk, or the Hub.

What is on disk is taken without network. What a licence asks for is said once; a gated model that is not on disk is
refused with the way out.
"""

import hashlib
import json
import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from inference.errors import BackendUnavailable, InvalidRequest
from inference.files import sha256_of
from inference.hub import HubError, asking_hub, cached_file
from inference.models.profiles import Profile
from inference.models.room import Download, gigabytes, planned, require_room

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)

_FREE = "flux2-klein-4b"
_WITHOUT_WEIGHTS = ("tokenizer", "scheduler", "feature_extractor")


def revision_of(profile: Profile) -> str:
    """What tells these weights apart: a short hash of a folder's weights, the pinned commit, or that of the copy on
    this disk; "" where the Hub has to be asked first. Loads nothing.
    """
    if profile.folder:
        return _folder_revision(profile)
    if profile.revision:
        return profile.revision
    index = cached_file(profile.repo, "model_index.json")
    return index.parent.name if index else ""


def is_on_disk(profile: Profile) -> bool:
    """Whether all of these weights are in the package or in the Hub's cache, as far as its indices tell. No network."""
    if profile.folder:
        return (Path(profile.source) / "model_index.json").exists()
    index = cached_file(profile.repo, "model_index.json", profile.revision)
    return index is not None and all(_is_whole(index.parent / part) for part in _parts(index))


def _parts(index: Path) -> list[str]:
    """The folders of a pipeline, after its `model_index.json`."""
    return [
        name for name, value in json.loads(index.read_text("utf-8")).items() if isinstance(value, list) and value[0]
    ]


def _is_whole(part: Path) -> bool:
    """Whether a pipeline's part is here: some file of a tokenizer or scheduler, every shard of a model."""
    if part.name.startswith(_WITHOUT_WEIGHTS):
        return part.is_dir() and any(part.iterdir())
    shards = set(part.glob("*.safetensors"))
    for index in part.glob("*.safetensors.index.json"):
        shards |= {part / name for name in json.loads(index.read_text("utf-8"))["weight_map"].values()}
    return bool(shards) and all(shard.is_file() for shard in shards)


def fetch(profile: Profile, token: str = "", on_download: Callable[[Download], None] | None = None) -> Path:
    """The folder with the weights of `profile`, downloaded where it is not on this disk, which `on_download` reports.

    Raises BackendUnavailable, which says what to do, where it is not available.
    """
    say_licence(profile)
    if profile.folder:
        _folder_revision(profile)
        return Path(profile.source)
    import diffusers

    pipeline = getattr(diffusers, profile.pipeline)
    pinned = profile.revision or None
    try:
        return Path(pipeline.download(profile.repo, revision=pinned, use_safetensors=True, local_files_only=True))
    except (OSError, ValueError) as error:
        log.info("%s is not complete on this disk (%s): asking the Hub", profile.title, type(error).__name__)
    try:
        download = planned(profile, token)
        require_room(profile, download)
        if on_download is not None:
            on_download(download)
        with asking_hub():
            return Path(pipeline.download(profile.repo, revision=pinned, use_safetensors=True, token=token or None))
    except HubError as error:
        raise unavailable(profile, error) from error


def require_fits(profile: Profile, token: str = "") -> None:
    """Say how much the first drawing will download, and raise OperatorNeeded where that cannot fit on the disk.

    Where the Hub does not tell, that is only logged: another generator may draw.
    """
    if is_on_disk(profile):
        return
    try:
        download = planned(profile, token)
    except HubError as error:
        log.warning("%s", unavailable(profile, error))
        return
    require_room(profile, download)
    log.warning(
        "%s: the first badge waits for a download of %s; python -m inference.fetch %s does that beforehand",
        profile.title,
        gigabytes(download.missing),
        profile.name,
    )


def unavailable(profile: Profile, error: HubError) -> BackendUnavailable:
    """What is said where the Hub does not give the weights of `profile`."""
    if error.gated:
        return BackendUnavailable(f"{profile.title} cannot be downloaded: {way_in(profile)}")
    if error.status:
        way = way_in(profile) if profile.gated else f"see https://huggingface.co/{profile.repo}"
        return BackendUnavailable(f"{profile.title} cannot be downloaded (the Hub says {error.status}): {way}")
    gated = f"; once it can, {way_in(profile)}" if profile.gated else ""
    return BackendUnavailable(
        f"the weights of {profile.title} are not on this disk and the Hub cannot be reached{gated}"
    )


class WeightFiles:
    """The weights of linear layers of one component, read again one by one from its safetensors files.

    The pages are the file's: nothing of them has to stay in main memory.
    """

    def __init__(self, folder: Path, dtype: "torch.dtype") -> None:
        """`folder` is the component's, such as `transformer`. Weights are given in `dtype`, as they were loaded."""
        self._dtype = dtype
        self._folder = folder
        index = folder / "diffusion_pytorch_model.safetensors.index.json"
        if index.is_file():
            self._files = {str(k): folder / v for k, v in json.loads(index.read_text("utf-8"))["weight_map"].items()}
        else:
            only = folder / "diffusion_pytorch_model.safetensors"
            self._files = dict.fromkeys(tensor_names(only), only) if only.is_file() else {}

    def __contains__(self, layer: object) -> bool:
        return f"{layer}.weight" in self._files

    def read(self, layer: str) -> "torch.Tensor":
        """The weight of `layer`, on the CPU. Raises OSError where the file is missing or damaged."""
        from safetensors import SafetensorError, safe_open

        name = f"{layer}.weight"
        try:
            with safe_open(self._files[name], framework="pt") as file:
                weight: torch.Tensor = file.get_tensor(name).to(self._dtype)
        except SafetensorError as error:
            raise OSError(f"{self._files[name]}: {error}") from error
        return weight


def tensor_names(file: Path) -> list[str]:
    """The names of the tensors in a safetensors file."""
    from safetensors import safe_open

    with safe_open(file, framework="pt") as opened:
        return list(opened.keys())


def way_in(profile: Profile) -> str:
    """What has to be done before the Hub gives out a gated model."""
    way = f"accept the licence at https://huggingface.co/{profile.repo} and set HF_TOKEN"
    return way if profile.name.startswith("flux2-klein") else f"{way}, or choose --profile {_FREE}, which needs neither"


@cache
def say_licence(profile: Profile) -> None:
    """Warn once a process where the licence restricts what one may do with the model."""
    if profile.non_commercial:
        log.warning(
            "%s: %s, see https://huggingface.co/%s before commercial use, or choose --profile %s (Apache-2.0)",
            profile.title,
            profile.licence,
            profile.repo,
            _FREE,
        )


def _folder_revision(profile: Profile) -> str:
    root = Path(profile.source)
    files = sorted(root.rglob("*.safetensors"))
    if not files:
        raise InvalidRequest(f"the weights of {profile.title} are missing: {root} holds no .safetensors file")
    digest = hashlib.sha256()
    for path in files:
        digest.update(f"{path.relative_to(root)} {sha256_of(path)}\n".encode())
    return digest.hexdigest()[:12]
