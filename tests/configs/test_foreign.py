"""Other people's files, folders and archives: no link followed, no pipe waited for, nothing swells."""

import gzip
import io
import os
import tarfile
import zipfile
from pathlib import Path

import pytest

from configs.archives import ArchiveError, members, read_member
from configs.foreign import NotAFile, TooLarge, read_regular, walk, what_it_is
from configs.printable import printable, without_controls


def test_only_plain_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"abc")
    (tmp_path / "link").symlink_to(tmp_path / "plain")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    assert read_regular(tmp_path / "plain", 3) == b"abc"
    assert read_regular(tmp_path / "link", 3, follow=True) == b"abc"
    for name, follow in (("link", False), ("pipe", False), ("pipe", True), ("zero", True), (".", False)):
        with pytest.raises(NotAFile):
            read_regular(tmp_path / name, 100, follow=follow)
    with pytest.raises(TooLarge):
        read_regular(tmp_path / "plain", 2)


def test_a_walk_names_everything_and_follows_nothing(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "a.png").write_bytes(b"")
    (tmp_path / "loop").symlink_to(tmp_path)
    os.mkfifo(tmp_path / "pipe.png")
    for companion in ("._x.png", ".DS_Store", "Thumbs.db", "desktop.ini"):
        (tmp_path / companion).write_bytes(b"")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "y.png").write_bytes(b"")
    assert [(found.name, found.problem) for found in walk(tmp_path)] == [
        ("loop", "is a link, which is not followed"),
        ("pipe.png", "is a named pipe"),
        ("deep/er/a.png", ""),
    ]


def tar(path: Path, *entries: tuple[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_companions_in_archives_are_passed_over(tmp_path: Path) -> None:
    names = ("a/x.safetensors", "a/._x.safetensors", "__MACOSX/x.safetensors", ".DS_Store", "Thumbs.db")
    archive = tar(tmp_path / "x.tar.gz", *((name, b"abc") for name in names))
    assert [member.name for member in members(archive)] == ["a/x.safetensors"]
    assert read_member(archive, "a/x.safetensors") == b"abc"
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        for name in names:
            zipped.writestr(name, b"abc")
    assert [member.name for member in members(tmp_path / "x.zip")] == ["a/x.safetensors"]


@pytest.mark.parametrize("name", ["/etc/passwd", "../up", "a/../../up", "a\\b", "C:x"])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_names_that_point_outside_are_refused(name: str, kind: str, tmp_path: Path) -> None:
    if kind == "tar":
        archive = tar(tmp_path / "x.tar.gz", (name, b"abc"))
    else:
        archive = tmp_path / "x.zip"
        with zipfile.ZipFile(archive, "w") as zipped:
            zipped.writestr(zipfile.ZipInfo(name), b"abc")
    with pytest.raises(ArchiveError, match="points outside"):
        members(archive)


def test_links_devices_and_locked_archives_are_refused(tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        with tarfile.open(tmp_path / "x.tar", "w") as archive:
            info = tarfile.TarInfo("x.png")
            info.type, info.linkname = kind, "/etc/passwd"
            archive.addfile(info)
        with pytest.raises(ArchiveError, match="link or a device"):
            members(tmp_path / "x.tar")
    link = zipfile.ZipInfo("x.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as zipped:
        zipped.writestr(link, b"/etc/passwd")
    with pytest.raises(ArchiveError, match="link or a device"):
        members(tmp_path / "x.zip")


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_name_of_gigabytes_is_not_unpacked(kind: bytes, tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, 3 * 2**30
    with gzip.open(tmp_path / "x.tar.gz", "wb", 1) as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        file.write(bytes(2**20))  # reading would ask for all three gigabytes at once, and is stopped before
    with pytest.raises(ArchiveError, match="longer than a megabyte"):
        members(tmp_path / "x.tar.gz")


def test_more_than_allowed_is_not_unpacked(tmp_path: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", ("a", bytes(9 * 2**20)), ("b", b""))
    with pytest.raises(ArchiveError, match="too large"):
        members(archive, most=2**20)
    with pytest.raises(ArchiveError, match="more than 1 MiB"):
        read_member(archive, "a", most=2**20)


@pytest.mark.parametrize("data", [b"", b"x" * 2000, b"PK\x03\x04aaaa", b"\x1f\x8b\x08", b"BZh9", b"\xfd7zXZ\0"])
def test_damage_is_one_line(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_bytes(data)
    with pytest.raises(ArchiveError, match="is damaged"):
        members(tmp_path / "x.tar")


def test_files_are_named_for_what_they_are() -> None:
    assert "web page" in what_it_is(b"\n<!DOCTYPE HTML>")
    assert what_it_is(b'{"error": "not found"}') == "it is JSON"
    assert "LFS" in what_it_is(b"version https://git-lfs.github.com/spec/v1\n")
    assert "ZIP" in what_it_is(b"PK\x03\x04")
    assert what_it_is(b"\x00" * 64) == ""


def test_nothing_that_prints_commands_the_terminal() -> None:
    assert printable("a\x1b]0;x\x07\r\nb\u202ec\udcff") == "a\\x1b]0;x\\x07 b\\u202ec\\xff"
    assert printable("नमस्ते 👩‍👩‍👧 שלום") == "नमस्ते 👩‍👩‍👧 שלום"
    assert without_controls("a\x00\u202eb\n") == "ab\n"
