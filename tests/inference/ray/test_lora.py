"""A LoRA on its way to another node: one copy a node, named by its hash, checked before it is used."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inference.ray.lora import LoraParcel, node_folder, pack_lora, place_lora


@pytest.fixture(autouse=True)
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A node's temporary folder of its own."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "node"))
    (tmp_path / "node").mkdir()
    return tmp_path / "node"


def lora(folder: Path, data: bytes = b"weights", name: str = "style.safetensors") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data)
    return folder / name


def packed(path: Path) -> LoraParcel:
    parcel = pack_lora(str(path))
    assert parcel
    return parcel


def place(parcel: LoraParcel) -> Path:
    return place_lora(parcel.name, parcel.is_folder, parcel.sha256, lambda: parcel)


def test_names_that_every_node_knows_do_not_travel(tmp_path: Path) -> None:
    assert [pack_lora(name) for name in ("", "none", "owner/repo", "owner/repo/file.safetensors@main")] == [None] * 4


def test_a_file_keeps_its_name_and_what_stands_beside_it(tmp_path: Path) -> None:
    path = lora(tmp_path / "a")
    (tmp_path / "a" / "adapter_config.json").write_text("{}")
    (tmp_path / "a" / "notes.txt").write_text("private")
    placed = place(packed(path))
    assert (placed.name, placed.read_bytes()) == ("style.safetensors", b"weights")
    assert sorted(file.name for file in placed.parent.iterdir()) == ["adapter_config.json", "style.safetensors"]


def test_a_folder_arrives_as_a_folder(tmp_path: Path) -> None:
    lora(tmp_path / "a")
    placed = place(packed(tmp_path / "a"))
    assert placed.is_dir()
    assert [file.name for file in placed.iterdir()] == ["style.safetensors"]


def test_two_loras_of_one_name_do_not_mix(tmp_path: Path) -> None:
    one, two = place(packed(lora(tmp_path / "a", b"one"))), place(packed(lora(tmp_path / "b", b"two")))
    assert (one.read_bytes(), two.read_bytes()) == (b"one", b"two")


def test_a_node_fetches_once_however_many_actors_come(tmp_path: Path) -> None:
    parcel = packed(lora(tmp_path / "a", b"w" * 1_000_000))
    fetched: list[int] = []

    def fetch() -> LoraParcel:
        fetched.append(1)
        return parcel

    with ThreadPoolExecutor(8) as actors:
        placed = set(actors.map(lambda _: place_lora(parcel.name, False, parcel.sha256, fetch), range(8)))
    assert len(fetched) == len(placed) == 1


@pytest.mark.parametrize("damage", ["changed", "cut", "stray"])
def test_what_was_tampered_with_on_the_node_is_fetched_again(tmp_path: Path, damage: str) -> None:
    parcel = packed(lora(tmp_path / "a"))
    placed = place(parcel)
    if damage == "stray":
        placed.with_name("adapter_config.json").write_text('{"lora_alpha": 99}')
    else:
        placed.write_bytes(b"other!!" if damage == "changed" else b"")
    assert place(parcel).read_bytes() == b"weights"
    assert [file.name for file in placed.parent.iterdir()] == ["style.safetensors"]


def test_the_folder_on_the_node_is_for_this_user_alone(node: Path) -> None:
    assert node_folder().stat().st_mode & 0o777 == 0o700


def test_links_and_companions_in_a_folder_do_not_travel(tmp_path: Path) -> None:
    folder = lora(tmp_path / "folder").parent
    secret = tmp_path / "env.secret"
    secret.write_bytes(b"TOKEN")
    (folder / "other.safetensors").symlink_to(secret)
    (folder / "adapter_config.json").symlink_to(secret)
    (folder / "._style.safetensors").write_bytes(b"x")
    assert set(packed(folder).files) == {"style.safetensors"}
    assert set(packed(folder / "style.safetensors").files) == {"style.safetensors"}
