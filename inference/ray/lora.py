"""A LoRA on its way to other machines: its bytes travel once a node, and its SHA-256 is its name there.

The actors of a cluster cannot read the file that was named on this machine, so the file (or the folder, or the
archive) is put into Ray's object store. Each node writes it once, under a folder that is called by the hash of its
content: two LoRAs of one name never mix, and what lies there is checked before it is used.
"""

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from inference.errors import InvalidRequest
from inference.files import write_atomically
from inference.lora.source import may_be_read

_BESIDE = ("adapter_config.json",)
_SUFFIXES = (".safetensors", ".json", ".tar", ".tgz", ".gz")


@dataclass(frozen=True)
class LoraParcel:
    """A LoRA as it travels: `name` as the settings would name it, `is_folder`, and file names with their bytes."""

    name: str
    is_folder: bool
    files: Mapping[str, bytes]

    @property
    def sha256(self) -> str:
        """SHA-256 in hex over names and bytes."""
        return content_hash(self.files)

    @property
    def size(self) -> int:
        """Bytes in all."""
        return sum(len(data) for data in self.files.values())


def pack_lora(named: str) -> LoraParcel | None:
    """The LoRA that the settings name, read into memory; None where it is not a file or folder of this machine.

    That is so for "", "none" and repositories on the Hub, which every node finds by itself. Raises InvalidRequest
    where it cannot be read.
    """
    path = Path(named)
    if named in ("", "none") or not path.exists():
        return None
    if path.is_dir():
        paths = sorted(file for file in path.iterdir() if file.suffix in _SUFFIXES and may_be_read(file))
    else:
        beside = [path.with_name(name) for name in _BESIDE]
        paths = [path, *(file for file in beside if file.exists() and may_be_read(file))]
    try:
        return LoraParcel(path.resolve().name, path.is_dir(), _read(paths))
    except OSError as error:
        raise InvalidRequest(f"cannot read the LoRA {named}: {error.strerror}") from error


def place_lora(name: str, is_folder: bool, sha256: str, fetch: Callable[[], LoraParcel]) -> Path:
    """The parcel `sha256` on this node, as a path for the settings; `fetch` is called where it is not here yet.

    Actors that come at once wait for the first. Raises RenderFailed where it cannot be written.
    """
    folder = node_folder() / "loras" / sha256
    folder.parent.mkdir(exist_ok=True)
    with (folder.parent / f"{sha256}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir() or content_hash(_read(folder.iterdir())) != sha256:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            for file, data in fetch().files.items():
                write_atomically(folder / file, data)
    return folder if is_folder else folder / name


def content_hash(files: Mapping[str, bytes]) -> str:
    """SHA-256 in hex over file names and their bytes, whatever their order."""
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name} {hashlib.sha256(files[name]).hexdigest()}\n".encode())
    return digest.hexdigest()


def node_folder() -> Path:
    """The folder of this program on this node, for this user alone."""
    folder = Path(tempfile.gettempdir()) / f"samurai-badges-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.is_symlink() or folder.stat().st_uid != os.getuid():
        raise InvalidRequest(f"{folder} belongs to somebody else: remove it")
    return folder


def _read(paths: Iterable[Path]) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in paths}
