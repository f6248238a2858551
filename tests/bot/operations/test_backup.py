"""Backups: whatever lies in the state folder, what was saved can be restored, whole."""

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from bot.operations.backup import BackupError, backup, restore
from bot.store import Database, people


@pytest.fixture
def state(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    database = Database(data / "bot.sqlite3").open()
    database.submit("fact", lambda c: people.set_fact(c, "mine", "yes")).result()
    database.close()
    (data / "badges").mkdir()
    (data / "badges" / "one.png").write_bytes(b"one")
    return data


def restored(state: Path, archive: Path) -> Path:
    fresh = state.with_name("fresh")
    fresh.mkdir()
    restore(fresh, archive)
    return fresh


def test_links_hard_links_and_folders_on_other_disks_are_saved_and_restored(state: Path, tmp_path: Path) -> None:
    other = tmp_path / "other disk"
    other.mkdir()
    (other / "far.png").write_bytes(b"far")
    (state / "more").symlink_to(other)
    os.link(state / "badges" / "one.png", state / "badges" / "two.png")
    (state / "badges" / "three.png").symlink_to("one.png")
    (other / "circle").symlink_to(state)
    assert backup(state, tmp_path / "b.tar.gz") == 5
    with tarfile.open(tmp_path / "b.tar.gz") as tar:
        assert all(member.isreg() for member in tar)
    fresh = restored(state, tmp_path / "b.tar.gz")
    assert (fresh / "more" / "far.png").read_bytes() == b"far"
    for name in ("one", "two", "three"):
        assert (fresh / "badges" / f"{name}.png").read_bytes() == b"one"
        assert (fresh / "badges" / f"{name}.png").stat().st_mode & 0o777 == 0o600


def test_the_database_and_all_badges_may_lie_elsewhere(state: Path, tmp_path: Path) -> None:
    (tmp_path / "big").mkdir()
    for name in ("bot.sqlite3", "badges"):
        shutil.move(state / name, tmp_path / "big" / name)
        (state / name).symlink_to(tmp_path / "big" / name)
    backup(state, tmp_path / "b.tar.gz")
    fresh = restored(state, tmp_path / "b.tar.gz")
    assert (fresh / "badges" / "one.png").read_bytes() == b"one"
    assert Database(fresh / "bot.sqlite3").open().submit("", lambda c: people.fact(c, "mine")).result() == "yes"


def test_what_is_no_file_is_named_and_does_not_hang(
    state: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    os.mkfifo(state / "badges" / "pipe")
    (state / "badges" / "zero").symlink_to("/dev/zero")
    (state / "badges" / "gone").symlink_to("nowhere")
    with caplog.at_level(logging.WARNING):
        assert backup(state, tmp_path / "b.tar.gz") == 2
    for name, why in (("pipe", "a named pipe"), ("zero", "a device"), ("gone", "a broken link")):
        assert f"left out of the backup: badges/{name} ({why}" in caplog.text
    restored(state, tmp_path / "b.tar.gz")


def test_caches_logs_and_sqlites_own_files_stay_out(state: Path, tmp_path: Path) -> None:
    for name in (
        "portraits/x.png",
        "logs/bot.log",
        "badges/.x.part",
        "bot.sqlite3-wal",
        "replicate.sqlite-shm",
        "bot.lock",
    ):
        (state / name).parent.mkdir(exist_ok=True)
        (state / name).write_bytes(b"x")
    (state / "bot.sqlite3-wal").unlink()  # SQLite would read it
    assert backup(state, state / "b.tar.gz") == 2
    assert backup(state, state / "b.tar.gz") == 2  # the archive itself lies there, and is not packed into itself


WRITER = """
import sqlite3, sys
book = sqlite3.connect(sys.argv[1], timeout=30, isolation_level=None)
book.execute("pragma journal_mode=wal")
book.execute("create table if not exists jobs (n integer primary key, filler text)")
print("ready", flush=True)
while True:
    book.execute("insert into jobs (filler) values (hex(randomblob(3000)))")
    book.execute("delete from jobs where n < (select max(n) - 400 from jobs)")
"""


def test_a_book_that_two_are_writing_is_whole_in_every_backup(state: Path, tmp_path: Path) -> None:
    book = state / "replicate.sqlite"
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(book)], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    try:
        for writer in writers:
            assert writer.stdout
            writer.stdout.readline()
        for number in range(8):
            archive = tmp_path / f"{number}.tar.gz"
            backup(state, archive)
            with tarfile.open(archive) as tar:
                tar.extract("replicate.sqlite", tmp_path, filter="data")
                assert not [name for name in tar.getnames() if name.endswith(("-wal", "-shm"))]
            copy = sqlite3.connect(tmp_path / "replicate.sqlite")
            assert copy.execute("pragma integrity_check").fetchone() == ("ok",)
            assert copy.execute("select count(*) from jobs").fetchone()[0] > 0
            copy.close()
    finally:
        for writer in writers:
            writer.kill()
            writer.communicate()


@pytest.mark.parametrize("name", ["bot.sqlite3", "replicate.sqlite"])
def test_a_damaged_database_is_no_backup(name: str, state: Path, tmp_path: Path) -> None:
    path = state / name
    if not path.exists():
        book = sqlite3.connect(path)
        book.execute("create table jobs (filler text)")
        book.executemany("insert into jobs values (?)", [("x" * 3000,)] * 200)
        book.commit()
        book.close()
    data = bytearray(path.read_bytes())
    for page in range(4096, len(data), 4096):
        data[page : page + 60] = b"\xff" * 60
    path.write_bytes(data)
    (tmp_path / "b.tar.gz").write_bytes(b"the backup of yesterday")
    with pytest.raises(BackupError, match=f"{name}"):
        backup(state, tmp_path / "b.tar.gz")
    assert (tmp_path / "b.tar.gz").read_bytes() == b"the backup of yesterday"


def test_a_planted_file_beside_is_not_written_through(state: Path, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"mine")
    for name in ("b.tar.gz.part", ".b.tar.gz.part"):
        (tmp_path / name).symlink_to(victim)
    backup(state, tmp_path / "b.tar.gz")
    assert victim.read_bytes() == b"mine"
    assert not (tmp_path / "b.tar.gz").is_symlink()
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600


def test_a_damaged_book_of_payments_is_not_restored(state: Path, tmp_path: Path) -> None:
    book = sqlite3.connect(state / "replicate.sqlite")
    book.execute("create table jobs (filler text)")
    book.executemany("insert into jobs values (?)", [("x" * 3000,)] * 50)
    book.commit()
    book.close()
    data = bytearray((state / "replicate.sqlite").read_bytes())
    data[8_192:8_392] = b"\xff" * 200
    (state / "replicate.sqlite").write_bytes(data)
    with tarfile.open(tmp_path / "b.tar.gz", "w:gz") as tar:
        for name in ("bot.sqlite3", "replicate.sqlite"):
            tar.add(state / name, name)
    fresh = tmp_path / "fresh"
    fresh.mkdir()
    with pytest.raises(BackupError, match="is damaged"):
        restore(fresh, tmp_path / "b.tar.gz")
    assert list(fresh.iterdir()) == []
