"""Files of the field that are no LoRA, or half of one, or no file at all: the one line that refuses each."""

import tarfile
from pathlib import Path

import pytest

from inference.lora.file import LoraError
from tests.inference.lora.foreign import LAYER, changes, one, refused
from tests.inference.lora.lora_files import write


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"<!DOCTYPE html><html><body>Not found", "web page"), (b'{"error": "Not Found"}' + b" " * 9, "JSON"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "Git LFS pointer"),
        (b"PK\x03\x04" + bytes(80), "ZIP archive"), (b"GGUF" + bytes(80), "GGUF"), (b"", "it is empty"),
        (b"\x80\x04\x95" + bytes(60), "pickle"), (b"PK\x03\x04" + b"archive/data.pkl" + bytes(60), "pickle"),
    ],
)  # fmt: skip
def test_what_is_no_safetensors_is_named(data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / "x.safetensors").write_bytes(data)
    refused(tmp_path / "x.safetensors", f"not a safetensors file: .*{said}")


def test_one_part_of_two_is_no_whole(tmp_path: Path) -> None:
    write(tmp_path / "lora-00001-of-00002.safetensors", one())
    refused(tmp_path / "lora-00001-of-00002.safetensors", "part 1 of 2")
    refused(tmp_path, "part 1 of 2")
    (tmp_path / "lora-00001-of-00002.safetensors").rename(tmp_path / "lora-00001-of-00001.safetensors")
    assert LAYER in changes(tmp_path)


def test_links_in_a_folder_are_not_followed(tmp_path: Path) -> None:
    real = write(tmp_path / "real.safetensors", one())
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "x.safetensors").symlink_to(real)
    refused(folder, "is a link, which is not followed")
    assert LAYER in changes(folder / "x.safetensors")  # named by the user himself


def test_devices_and_pipes_are_refused_without_waiting(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "x.safetensors")
    refused(tmp_path / "x.safetensors", "not a regular file")
    refused(tmp_path, "named pipe")
    refused(Path("/dev/zero"), "not a regular file")


def test_a_member_of_gigabytes_is_looked_at_by_its_header_alone(tmp_path: Path) -> None:
    """Three gigabytes of zeros in three megabytes: the first eight bytes say that it is nothing."""
    info = tarfile.TarInfo("lora.safetensors")
    info.size = 3 * 2**30
    path = tmp_path / "x.tar"
    with path.open("wb") as file:
        file.write(info.tobuf())
        file.truncate(info.size + 2048)
    refused(path, "not a safetensors file")


def test_nothing_in_a_file_commands_the_terminal(tmp_path: Path) -> None:
    path = write(tmp_path / "a\x1b[2J.safetensors", one("x\x1b]0;y\x07\u202e"))
    with pytest.raises(LoraError) as caught:
        changes(path)
    from configs.printable import is_control

    message = str(caught.value).replace(str(path), "")  # the path is the user's own words, shown by the command line
    assert not any(is_control(char) for char in message)
