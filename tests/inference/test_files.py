"""Files written aside: whole or not at all, readable as the umask says, from many threads at once."""

import os
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from inference.errors import RenderFailed
from inference.files import write_atomically, written_aside


@pytest.fixture
def umask() -> Iterator[int]:
    mask = os.umask(0o027)
    yield 0o027
    os.umask(mask)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_what_raises_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "badge.png").write_bytes(b"old")

    def stopped() -> None:
        with written_aside(tmp_path / "badge.png") as aside:
            aside.write_bytes(b"half")
            raise KeyError

    with pytest.raises(KeyError):
        stopped()
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("badge.png", b"old")]


def test_nobody_sees_the_file_before_it_is_whole(tmp_path: Path) -> None:
    with written_aside(tmp_path / "badge.png") as aside:
        aside.write_bytes(b"new")
        assert not (tmp_path / "badge.png").exists()
        assert aside.suffix == ".part"
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("badge.png", b"new")]


def test_the_mode_is_what_was_asked_less_the_umask(tmp_path: Path, umask: int) -> None:
    write_atomically(tmp_path / "open", b"")
    with written_aside(tmp_path / "private", mode=0o600):
        pass
    with written_aside(tmp_path / "replaced") as aside:  # as libraries do that write a file of their own
        aside.unlink()
        os.close(os.open(aside, os.O_CREAT | os.O_WRONLY, 0o600))
    modes = {file.name: mode_of(file) for file in tmp_path.iterdir()}
    assert modes == {"open": 0o640, "private": 0o600, "replaced": 0o640}


def test_many_threads_leave_the_umask_alone(tmp_path: Path, umask: int) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: write_atomically(tmp_path / f"{n}", b"x"), range(64)))
    assert {mode_of(file) for file in tmp_path.iterdir()} == {0o640}
    present = os.umask(0)
    os.umask(present)
    assert present == umask


def test_a_long_name_of_wide_characters_fits(tmp_path: Path) -> None:
    name = "самурай" * 17 + ".png"  # 242 bytes
    write_atomically(tmp_path / name, b"x")
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_folder_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(RenderFailed, match=r"cannot write .*badge\.png: No such file or directory"):
        write_atomically(tmp_path / "missing" / "badge.png", b"x")
