"""Where a LoRA comes from: a file, a folder with one in it, a trainer's archive, or a repository on the Hub.

`find_lora` names it and says where its bytes are; nothing is unpacked to disk, nothing but safetensors is ever
opened. An archive (tar, as Replicate's trainers give back, or ZIP) is read in place: its one `.safetensors` member is
what counts, and an archive that points outside itself, or that swells, is refused whole.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from configs.archives import ENDINGS, ArchiveError, is_archive, members, opened_member, read_member
from configs.foreign import is_companion, kind_of, read_regular
from configs.printable import printable
from inference.files import sha256_of
from inference.hub import HubError, asking_hub
from inference.lora.file import LoraError, LoraHeader, parse_header, read_header

_CONFIG = "adapter_config.json"
_MOST_CONFIG = 16 * 2**20
_PIECE = 2**20
_HUB = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:/(?P<file>[\w./ -]+\.safetensors))?(?:@(?P<revision>[\w.-]+))?")


@dataclass(frozen=True)
class LoraFile:
    """One LoRA: `path` of the file or archive, `member` inside the archive and its `size`, `config` of PEFT's
    adapter_config.json."""

    path: Path
    member: str = ""
    config: str = ""
    size: int = 0

    @property
    def name(self) -> str:
        """What messages call it: the file's or the archive's name without its ending."""
        return self.path.name.split(".")[0] if self.member else self.path.stem

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex: of the safetensors bytes, or, where a configuration stands beside them, of both."""
        base = self._sha256_of_member() if self.member else sha256_of(self.path)
        return hashlib.sha256(f"{base} {self.config}".encode()).hexdigest() if self.config else base

    def header(self) -> LoraHeader:
        """Its header, checked, as it was when first read. Raises LoraError."""
        return self._header

    @cached_property
    def _header(self) -> LoraHeader:
        if not self.member:
            return read_header(self.path)
        try:
            with opened_member(self.path, self.member) as file:
                return parse_header(file, self.size, printable(f"{self.path} ({self.member})"))
        except ArchiveError as error:
            raise LoraError(f"the archive {self.path} {error}; download it again") from error

    def data(self) -> bytes:
        """The safetensors bytes. Raises LoraError where they cannot be read."""
        try:
            return read_member(self.path, self.member) if self.member else self.path.read_bytes()
        except ArchiveError as error:
            raise LoraError(f"the archive {self.path} {error}; download it again") from error
        except OSError as error:
            raise LoraError(f"cannot read the LoRA {self.path}: {error.strerror}") from error

    def _sha256_of_member(self) -> str:
        digest = hashlib.sha256()
        try:
            with opened_member(self.path, self.member) as file:
                while piece := file.read(_PIECE):
                    digest.update(piece)
        except ArchiveError as error:
            raise LoraError(f"the archive {self.path} {error}; download it again") from error
        return digest.hexdigest()


def find_lora(name: str, token: str = "") -> LoraFile:
    """The LoRA called `name`: a path, or `owner/repository[/file.safetensors][@revision]` on the Hub.

    What is on disk, the Hub's cache included, is taken without network. Raises LoraError where it is not available or
    is no LoRA file.
    """
    path = Path(name).expanduser()
    found: LoraFile
    hub = _HUB.fullmatch(name)
    if path.is_dir():
        found = _in_folder(path)
    elif path.exists() or not hub or _is_a_path(name):
        found = _in_archive(path) if is_archive(path.name) and path.exists() else _alone(path)
    else:
        found = _on_hub(hub["repo"], hub["file"] or "", hub["revision"], token)
    found.header()
    return found


def _is_a_path(name: str) -> bool:
    """Whether a name that could be the Hub's is rather a path with a slip in it."""
    two_parts_of_a_file = name.count("/") == 1 and name.endswith((".safetensors", ".bin", ".pt", *ENDINGS))
    return name.startswith((".", "/", "~")) or two_parts_of_a_file or Path(name).parent.is_dir()


def _alone(path: Path) -> LoraFile:
    return LoraFile(path, config=_config_beside(path))


def _config_beside(path: Path) -> str:
    """PEFT keeps alpha in adapter_config.json beside adapter_model.safetensors, and only there."""
    config = path.with_name(_CONFIG)
    if path.name != "adapter_model.safetensors" or not config.is_file():
        return ""
    try:
        return _checked_config(read_regular(config, _MOST_CONFIG, follow=_is_the_hubs(config)), str(config))
    except OSError as error:
        raise LoraError(f"cannot read {printable(str(config))}: {error.strerror}") from error


def _checked_config(data: bytes, name: str) -> str:
    try:
        content: dict[str, Any] = json.loads(data)
        return json.dumps(content, sort_keys=True)
    except (ValueError, RecursionError) as error:
        raise LoraError(f"cannot read {printable(name)}: it is not JSON") from error


def may_be_read(path: Path) -> bool:
    """Whether a file in a folder of LoRAs, which may be untrusted, is a plain one or a link of the Hub's cache."""
    return not is_companion(path.name) and (kind_of(path) == "" or _is_the_hubs(path))


def _is_the_hubs(path: Path) -> bool:
    """Whether a link is one of the Hub's cache, `snapshots/REVISION/FILE` into the `blobs` beside: it is followed."""
    snapshots = next((parent for parent in path.absolute().parents if parent.name == "snapshots"), None)
    return snapshots is not None and path.resolve().parent == (snapshots.parent / "blobs").resolve()


def _in_folder(folder: Path) -> LoraFile:
    shown = printable(str(folder))
    names = sorted(path for path in folder.iterdir() if not is_companion(path.name))
    found = [path for path in names if path.suffix == ".safetensors"]
    odd = [path for path in found if kind_of(path) and not _is_the_hubs(path)]
    files = [path for path in found if path not in odd]
    if not files:
        if odd:
            raise LoraError(
                f"{printable(odd[0].name)} in the folder {shown} is {kind_of(odd[0])}, which is not followed"
            )
        pickles = [path.name for path in names if path.suffix in (".bin", ".pt", ".pth", ".ckpt")]
        more = f"; {pickles[0]} is a pickle, which is never opened: convert it to safetensors" if pickles else ""
        raise LoraError(f"the folder {shown} holds no .safetensors file{more}")
    if len(files) > 1:
        listed = printable(", ".join(file.name for file in files[:5]))
        raise LoraError(f"the folder {shown} holds {len(files)} LoRA files ({listed}): name the one that you mean")
    return _alone(files[0])


def _in_archive(path: Path) -> LoraFile:
    shown = printable(str(path))
    try:
        inside = members(path)
        wanted = [member for member in inside if member.name.endswith(".safetensors")]
        if len(wanted) != 1:
            listed = printable(", ".join(member.name for member in wanted[:5]))
            what = f"holds {len(wanted)} .safetensors files ({listed}): unpack it and name the one you mean"
            raise LoraError(f"the archive {shown} " + (what if wanted else "holds no .safetensors file"))
        name = PurePosixPath(wanted[0].name)
        config = next((m.name for m in inside if PurePosixPath(m.name) == name.with_name(_CONFIG)), None)
        text = ""
        if config and name.name == "adapter_model.safetensors":
            text = _checked_config(read_member(path, config, _MOST_CONFIG), f"{path} ({config})")
    except ArchiveError as error:
        again = "; download it again" if "damaged" in str(error) else ""
        raise LoraError(f"the archive {shown} {error}{again}") from error
    return LoraFile(path, wanted[0].name, text, wanted[0].size)


def _on_hub(repo: str, file: str, revision: str | None, token: str) -> LoraFile:
    from huggingface_hub import HfApi, hf_hub_download, snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    where = f"{repo}/{file}" if file else repo
    try:
        if file:
            return _alone(Path(hf_hub_download(repo, file, revision=revision, local_files_only=True)))
        folder = Path(snapshot_download(repo, revision=revision, allow_patterns="*.safetensors", local_files_only=True))
        if any(folder.glob("*.safetensors")):
            return _in_folder(folder)
    except LocalEntryNotFoundError:
        pass
    try:
        with asking_hub():
            if not file:
                names = [n for n in HfApi(token=token or None).list_repo_files(repo, revision=revision) if "/" not in n]
                files = [n for n in names if n.endswith(".safetensors")]
                if len(files) != 1:
                    raise LoraError(f"{repo} on the Hub holds {len(files)} .safetensors files: name one, {repo}/FILE")
                file = files[0]
                if "adapter_config.json" in names:
                    hf_hub_download(repo, "adapter_config.json", revision=revision, token=token or None)
            return _alone(Path(hf_hub_download(repo, file, revision=revision, token=token or None)))
    except HubError as error:
        if error.status:
            raise LoraError(
                f"no LoRA {where}: no such file here, and it is not available on the Hub "
                "(set HF_TOKEN if it is private)"
            ) from error
        raise LoraError(
            f"no such LoRA: {where} is no file here, nor in the Hub's cache; the Hub cannot be reached"
        ) from error
