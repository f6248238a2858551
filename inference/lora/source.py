"""Where a LoRA comes from: a file, a folder with one in it, a trainer's archive, or a repository on the Hub.

`find_lora` names it and says where its bytes are; nothing is unpacked to disk, nothing but safetensors is ever
opened. An archive (tar, as Replicate's trainers give back) is read in place: its one `.safetensors` member is what
counts, and an archive that points outside itself, or that swells, is refused whole.
"""

import hashlib
import io
import json
import re
import tarfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Any

from inference.files import sha256_of
from inference.hub import HubError, asking_hub
from inference.lora.file import LoraError, LoraHeader, parse_header, read_header

_LARGEST = 4 * 2**30
_MEMBERS = 10_000
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_HUB = re.compile(r"(?P<repo>[\w.-]+/[\w.-]+)(?:/(?P<file>[\w./ -]+\.safetensors))?(?:@(?P<revision>[\w.-]+))?")


@dataclass(frozen=True)
class LoraFile:
    """One LoRA: `path` of the file or archive, `member` inside the archive, `config` of PEFT's adapter_config.json."""

    path: Path
    member: str = ""
    config: str = ""

    @property
    def name(self) -> str:
        """A name for people."""
        return self.path.name.split(".")[0] if self.member else self.path.stem

    @cached_property
    def sha256(self) -> str:
        """SHA-256 in hex: of the safetensors bytes, or, where a configuration stands beside them, of both."""
        base = hashlib.sha256(self.data()).hexdigest() if self.member else sha256_of(self.path)
        return hashlib.sha256(f"{base} {self.config}".encode()).hexdigest() if self.config else base

    def header(self) -> LoraHeader:
        """Its header, checked, as it was when first read. Raises LoraError."""
        return self._header

    @cached_property
    def _header(self) -> LoraHeader:
        if not self.member:
            return read_header(self.path)
        data = self.data()
        return parse_header(io.BytesIO(data), len(data), f"{self.path} ({self.member})")

    def data(self) -> bytes:
        """The safetensors bytes. Raises LoraError where they cannot be read."""
        try:
            if not self.member:
                return self.path.read_bytes()
            with tarfile.open(self.path) as archive:
                file = archive.extractfile(self.member)
                return file.read(_LARGEST) if file else b""
        except (OSError, tarfile.TarError, EOFError) as error:
            raise LoraError(f"cannot read the LoRA {self.path}: {error}") from error


def find_lora(name: str, token: str = "") -> LoraFile:
    """The LoRA called `name`: a path, or `owner/repository[/file.safetensors][@revision]` on the Hub.

    What is on disk, the Hub's cache included, is taken without network. Raises LoraError where it cannot be had or is
    no LoRA file.
    """
    path = Path(name).expanduser()
    found: LoraFile
    hub = _HUB.fullmatch(name)
    if path.is_dir():
        found = _in_folder(path)
    elif path.exists() or not hub or _is_a_path(name):
        found = _in_archive(path) if path.name.lower().endswith(_ARCHIVES) and path.exists() else _alone(path)
    else:
        found = _on_hub(hub["repo"], hub["file"] or "", hub["revision"], token)
    found.header()
    return found


def _is_a_path(name: str) -> bool:
    """Whether a name that could be the Hub's is rather a path with a slip in it."""
    two_parts_of_a_file = name.count("/") == 1 and name.endswith((".safetensors", ".bin", ".pt", *_ARCHIVES))
    return name.startswith((".", "/", "~")) or two_parts_of_a_file or Path(name).parent.is_dir()


def _alone(path: Path) -> LoraFile:
    return LoraFile(path, config=_config_beside(path))


def _config_beside(path: Path) -> str:
    """PEFT keeps alpha in adapter_config.json beside adapter_model.safetensors, and only there."""
    config = path.with_name("adapter_config.json")
    if path.name != "adapter_model.safetensors" or not config.is_file():
        return ""
    try:
        content: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
        return json.dumps(content, sort_keys=True)
    except (OSError, ValueError) as error:
        raise LoraError(f"cannot read {config}: {error}") from error


def _in_folder(folder: Path) -> LoraFile:
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        pickles = sorted(p.name for p in folder.iterdir() if p.suffix in (".bin", ".pt", ".pth", ".ckpt"))
        more = f"; {pickles[0]} is a pickle, which is never opened: convert it to safetensors" if pickles else ""
        raise LoraError(f"the folder {folder} holds no .safetensors file{more}")
    if len(files) > 1:
        names = ", ".join(file.name for file in files[:5])
        raise LoraError(f"the folder {folder} holds {len(files)} LoRA files ({names}): name the one that you mean")
    return _alone(files[0])


def _in_archive(path: Path) -> LoraFile:
    total, wanted = 0, []
    try:
        with tarfile.open(path) as archive:
            for count, member in enumerate(archive, start=1):
                _refuse_hostile(path, member)
                total += member.size
                if total > _LARGEST or count > _MEMBERS:
                    raise LoraError(f"the archive {path} is too large: more than {_LARGEST >> 30} GiB unpacked")
                if member.isfile() and member.name.endswith(".safetensors"):
                    wanted.append(member.name)
    except (OSError, tarfile.TarError, EOFError, ValueError) as error:
        raise LoraError(f"the archive {path} is damaged: {error}; download it again") from error
    if len(wanted) != 1:
        what = f"holds {len(wanted)} .safetensors files ({', '.join(wanted[:5])}): unpack it and name the one you mean"
        raise LoraError(f"the archive {path} " + (what if wanted else "holds no .safetensors file"))
    return LoraFile(path, wanted[0])


def _refuse_hostile(path: Path, member: tarfile.TarInfo) -> None:
    name = PurePosixPath(member.name)
    if name.is_absolute() or ".." in name.parts or "\\" in member.name:
        raise LoraError(f"the archive {path} is not trustworthy: {member.name!r} points outside it")
    if not (member.isfile() or member.isdir()):
        raise LoraError(f"the archive {path} is not trustworthy: {member.name!r} is a link or a device")


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
                f"no LoRA {where}: no such file here, and the Hub does not give it out (set HF_TOKEN if it is private)"
            ) from error
        raise LoraError(
            f"no such LoRA: {where} is no file here, nor in the Hub's cache; the Hub is out of reach"
        ) from error
