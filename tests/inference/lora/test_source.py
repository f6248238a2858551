"""Where LoRAs come from: files, folders, trainers' archives, the Hub's cache; and what must never be opened."""

import io
import json
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from inference.lora.file import LoraError
from inference.lora.source import find_lora
from inference.lora.weights import read_lora
from tests.inference.lora.lora_files import RANK, diffusers_peft, write

SHAPES = {
    "transformer": {layer: tuple(delta.shape) for layer, delta in diffusers_peft()[1].items()},
}


@pytest.fixture
def style(tmp_path: Path) -> Path:
    return write(tmp_path / "style.safetensors", diffusers_peft()[0])


class Evil:
    """Unpickling it would leave a trace."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str, str]]:
        return (_touch, ("opened", "w"))


def _touch(*args: str) -> object:
    raise AssertionError("a pickle was opened")


def archive(path: Path, members: dict[str, bytes | tarfile.TarInfo], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                content.name = name
                tar.addfile(content)
            else:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def link(kind: bytes, target: str) -> tarfile.TarInfo:
    info = tarfile.TarInfo()
    info.type, info.linkname = kind, target
    return info


def test_file_folder_and_archive_are_the_same_lora(style: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "lora.safetensors").write_bytes(style.read_bytes())
    (folder / "config.yaml").write_text("job: extension")
    inside = "output/flux_train_replicate/lora.safetensors"
    members = {inside: style.read_bytes(), "output/flux_train_replicate/captions/1.txt": b"a samurai"}
    tar = archive(tmp_path / "trained_model.tar", members)
    tgz = archive(tmp_path / "trained_model.tar.gz", members, "w:gz")
    found = [find_lora(str(path)) for path in (style, folder, tar, tgz)]
    assert len({each.sha256 for each in found}) == 1
    assert [each.name for each in found] == ["style", "lora", "trained_model", "trained_model"]
    parts = [read_lora(each, SHAPES, "flux1").parts for each in found]
    for other in parts[1:]:
        assert all(torch.equal(a.up, b.up) for a, b in zip(parts[0], other, strict=True))


def test_another_content_is_another_lora(style: Path, tmp_path: Path) -> None:
    tensors = diffusers_peft()[0]
    next(iter(tensors.values()))[0, 0] += 1
    other = write(tmp_path / "other.safetensors", tensors)
    assert find_lora(str(style)).sha256 != find_lora(str(other)).sha256


def test_peft_folder_takes_alpha_from_its_configuration(style: Path, tmp_path: Path) -> None:
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_model.safetensors").write_bytes(style.read_bytes())
    config = folder / "adapter_config.json"
    hashes = set()
    for alpha, rslora, scale in ((RANK, False, 1.0), (3 * RANK, False, 3.0), (RANK, True, RANK**0.5)):
        config.write_text(json.dumps({"r": RANK, "lora_alpha": alpha, "use_rslora": rslora}))
        found = find_lora(str(folder))
        hashes.add(found.sha256)
        assert {part.scale for part in read_lora(found, SHAPES, "flux1").parts} == {scale}
    assert len(hashes) == 3
    config.write_text(json.dumps({"r": 99, "lora_alpha": 1}))
    with pytest.raises(LoraError, match="metadata says rank 99"):
        read_lora(find_lora(str(folder)), SHAPES, "flux1")


def hostile(style: bytes) -> dict[str, tuple[dict[str, bytes | tarfile.TarInfo], str]]:
    return {
        "traversal": ({"../../lora.safetensors": style}, "points outside it"),
        "absolute": ({"/lora.safetensors": style}, "points outside it"),
        "beside": ({"lora.safetensors": style, "../x": b""}, "points outside it"),
        "symlink": ({"lora.safetensors": link(tarfile.SYMTYPE, "/etc/passwd")}, "a link or a device"),
        "hard link": ({"a": style, "lora.safetensors": link(tarfile.LNKTYPE, "a")}, "a link or a device"),
        "device": ({"lora.safetensors": link(tarfile.CHRTYPE, "")}, "a link or a device"),
        "two": ({"a.safetensors": style, "b.safetensors": style}, "holds 2 .safetensors files"),
        "none": ({"optimizer.pt": pickle.dumps(Evil())}, "holds no .safetensors file"),
        "pickle inside": ({"lora.safetensors": pickle.dumps(Evil())}, "not a safetensors file"),
        "many": ({f"{n}.txt": b"" for n in range(10_001)}, "too large"),
    }


@pytest.mark.parametrize("name", hostile(b""))
def test_hostile_archives(name: str, style: Path, tmp_path: Path) -> None:
    members, problem = hostile(style.read_bytes())[name]
    path = archive(tmp_path / "x.tar", members)
    before = set(tmp_path.rglob("*"))
    with pytest.raises(LoraError, match=problem):
        find_lora(str(path))
    assert set(tmp_path.rglob("*")) == before


def test_an_archive_that_swells(tmp_path: Path) -> None:
    """A header that promises five gigabytes, in a file of a few kilobytes."""
    info = tarfile.TarInfo("lora.safetensors")
    info.size = 5 * 2**30
    path = tmp_path / "x.tar"
    path.write_bytes(info.tobuf() + b"\0" * 4096)
    with pytest.raises(LoraError, match=r"too large|damaged"):
        find_lora(str(path))


def test_a_cut_archive(style: Path, tmp_path: Path) -> None:
    whole = archive(tmp_path / "x.tar.gz", {"lora.safetensors": style.read_bytes()}, "w:gz")
    whole.write_bytes(whole.read_bytes()[:-300])
    with pytest.raises(LoraError, match=r"damaged|cannot read"):
        find_lora(str(whole))


@pytest.mark.parametrize("suffix", [".safetensors", ".bin", ".pt"])
def test_a_pickle_is_never_opened(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"style{suffix}"
    path.write_bytes(pickle.dumps(Evil()))
    with pytest.raises(LoraError, match="pickle, which can run code and is never opened"):
        find_lora(str(path))


def test_folders_that_do_not_say_which(style: Path, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(LoraError, match=r"holds no \.safetensors file$"):
        find_lora(str(folder))
    torch.save({}, folder / "pytorch_lora_weights.bin")
    with pytest.raises(LoraError, match=r"pytorch_lora_weights\.bin is a pickle"):
        find_lora(str(folder))
    for name in ("a", "b"):
        (folder / f"{name}.safetensors").write_bytes(style.read_bytes())
    with pytest.raises(LoraError, match=r"holds 2 LoRA files \(a\.safetensors, b\.safetensors\): name the one"):
        find_lora(str(folder))


@pytest.mark.parametrize(
    "name", ["no.safetensors", "loras/no.safetensors", "./loras", "/nowhere/at/all.safetensors", "a.tar"]
)
def test_a_slip_in_a_path_never_asks_the_hub(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LoraError, match="no such LoRA file"):
        find_lora(name)


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, style: Path) -> Path:
    """The Hub's cache on disk with one LoRA repository in it, as huggingface_hub lays it out."""
    cache = tmp_path / "hub"
    # pragma: allowlist nextline secret
    commit = "0123456789abcdef0123456789abcdef01234567"
    snapshot = cache / "models--someone--aidbox-style" / "snapshots" / commit
    snapshot.mkdir(parents=True)
    (snapshot / "lora.safetensors").write_bytes(style.read_bytes())
    refs = snapshot.parent.parent / "refs"
    refs.mkdir()
    (refs / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(cache))
    return cache


@pytest.mark.parametrize("name", ["someone/aidbox-style", "someone/aidbox-style/lora.safetensors"])
def test_the_hubs_cache_needs_no_network(name: str, hub_cache: Path, style: Path) -> None:
    assert find_lora(name).sha256 == find_lora(str(style)).sha256


@pytest.mark.parametrize("name", ["someone/else", "someone/else/other.safetensors"])
def test_a_hub_that_nobody_answers_for_is_out_of_reach(
    name: str, hub_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", "http://127.0.0.1:9/{repo_id}")
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda seconds: None)  # between its five tries
    with pytest.raises(LoraError, match="nor in the Hub's cache; the Hub cannot be reached"):
        find_lora(name)


@pytest.mark.parametrize("name", ["someone/else", "someone/aidbox-style/other.safetensors", "someone/aidbox-style@v2"])
def test_what_only_the_hub_has_is_told_offline(name: str, hub_cache: Path) -> None:
    with pytest.raises(LoraError, match="nor in the Hub's cache; the Hub cannot be reached"):
        find_lora(name)
