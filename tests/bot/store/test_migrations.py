"""Databases of earlier versions, and the counters that later ones keep."""

import contextlib
import random
import sqlite3
import stat
from pathlib import Path

import pytest

from bot.errors import StoreError
from bot.store import Database, inbox, jobs, people, queue
from bot.store.jobs import Drawn, Job
from bot.store.migrations import SCRIPTS
from bot.store.schema import VERSION, migrate

NOW = 1_000_000.0


def old_database(path: Path, version: int = 1) -> None:
    """A database as the first version left it: three people, badges in every state."""
    connection = sqlite3.connect(path, isolation_level=None)
    for script in SCRIPTS[:version]:
        connection.executescript(script)
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("INSERT INTO people(user_id) VALUES (1), (2), (3)")
    states = ["waiting", "drawing", "drawn", "delivered", "delivered", "failed", "canceled"]
    for number, state in enumerate(states):
        connection.execute(
            "INSERT INTO jobs(user_id, chat_id, thread_id, reply_to, language, typed, object, text, style, seed,"
            " origin, state, generator, draw_seconds, banner_seconds, send_seconds, cost_usd, created) VALUES"
            " (?, 1, 0, 0, 'ru', 'лампа', 'lamp', 'A', 'ribbon', 7, 'dialogue', ?, 'plain', 2, 1, 0.5, 0.25, ?)",
            (number % 2 + 1, state, NOW - 1000 * number),
        )
    connection.execute("INSERT INTO dialogues VALUES (1, 0, 1, 'text', 'лампа', 'lamp', 0, 0)")
    connection.close()


def dump(path: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def columns(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    return [(row["object"], row["english"]) for row in connection.execute("SELECT object, english FROM jobs")]


def test_an_old_database_is_copied_aside_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    old_database(path)
    before = dump(path)
    database = Database(path).open()
    assert database.submit("", columns).result() == [("лампа", "lamp")] * 7
    talk = database.submit("", lambda c: people.dialogue(c, people.Place(1, 0, 1))).result()
    assert talk == people.Dialogue("text", "лампа", "lamp")
    totals = database.submit("", lambda c: queue.totals(c, NOW)).result()
    assert (totals.cost_usd, totals.people, totals.day["delivered"]) == (1.75, 2, 2)
    tally = database.submit("", queue.tally).result()
    assert tally.delivered == 2
    assert tally.seconds == (4, 2, 1)
    assert tally.outcomes == (("plain", "canceled", 1), ("plain", "delivered", 2), ("plain", "failed", 1))
    database.close()
    aside = tmp_path / "bot.sqlite3.v1"
    assert dump(aside) == before
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    Database(path).open().close()
    assert sorted(file.name for file in tmp_path.glob("*.v*")) == ["bot.sqlite3.v1"]


def test_a_new_database_is_copied_nowhere(tmp_path: Path) -> None:
    Database(tmp_path / "bot.sqlite3").open().close()
    assert not list(tmp_path.glob("*.v*"))


def test_without_a_copy_nothing_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    old_database(path)
    (tmp_path / "bot.sqlite3.v1").mkdir()  # in the way of the copy
    with pytest.raises(StoreError, match=r"bot\.sqlite3"):
        Database(path).open()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == 1 < VERSION
    assert not list(tmp_path.glob("*.part"))


def test_the_counters_are_what_counting_again_gives() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    dice, now = random.Random(5), NOW
    for _turn in range(400):
        now += dice.random() * 900
        user = dice.randrange(1, 9)
        people.meet(connection, user, "ru")
        what = dice.randrange(6)
        if what < 3:
            jobs.add(connection, Job(0, user, user, 0, 0, "ru", "cup", "cup", "A", "ribbon", 7, "dialogue"), now)
        elif what == 3:
            jobs.cancel(connection, user, user, now)
        job = queue.claim(connection, "me", now + 1e9, now) if what in (2, 4, 5) else None
        if job is not None and what == 4:
            jobs.failed(connection, job, "broken", now)
        elif job is not None:
            jobs.drawn(connection, job, Drawn("1-1", 10, dice.choice("ab"), 1.5, 0.5, 0.125), now)
            if dice.random() < 0.9:
                jobs.delivered(connection, job.id, "photo", 0.25)
    day = connection.execute("SELECT state, COUNT(*) FROM jobs WHERE created > ? GROUP BY state", (now - 86400,))
    totals, tally = queue.totals(connection, now), queue.tally(connection)
    assert totals.day == dict(map(tuple, day))
    assert len(totals.day) >= 4
    row = connection.execute("SELECT SUM(cost_usd), COUNT(DISTINCT user_id) FROM jobs").fetchone()
    assert (totals.cost_usd, totals.people) == tuple(row)
    ended = "state IN ('delivered', 'failed', 'canceled') GROUP BY 1, 2 ORDER BY 1, 2"
    counted = connection.execute(f"SELECT generator, state, COUNT(*) FROM jobs WHERE {ended}")
    assert tally.outcomes == tuple(map(tuple, counted))
    row = connection.execute(
        "SELECT COUNT(*), SUM(draw_seconds), SUM(banner_seconds), SUM(send_seconds) FROM jobs WHERE state = 'delivered'"
    ).fetchone()
    assert (tally.delivered, *tally.seconds) == tuple(row)
    connection.execute("DELETE FROM jobs")
    assert queue.tally(connection) == tally
    assert queue.totals(connection, now).cost_usd == totals.cost_usd
    connection.close()


def test_a_begun_drawing_counts_although_it_was_canceled() -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    people.meet(connection, 1, "ru")

    def order() -> int:
        return jobs.add(connection, Job(0, 1, 1, 0, 0, "ru", "cup", "cup", "A", "ribbon", 7, "dialogue"), NOW)

    def made() -> int:
        return queue.made_since(connection, NOW - 10, NOW + 10, user_id=1)

    order()
    jobs.cancel(connection, 1, 1, NOW)
    assert made() == 0
    order()
    assert queue.claim(connection, "me", NOW + 10, NOW)
    jobs.cancel(connection, 1, 1, NOW)
    assert made() == 1
    for error, counted in (("unavailable", 1), ("words", 2)):
        order()
        job = queue.claim(connection, "me", NOW + 10, NOW)
        assert job is not None
        jobs.failed(connection, job, error, NOW)
        assert made() == counted
    connection.close()


def test_ids_are_forgotten_by_age_and_not_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    monkeypatch.setattr(inbox, "_REMEMBERED", 2)
    inbox.store(connection, [(900_000_000, "{}")], NOW)
    inbox.store(connection, [(900_000_001, "{}")], NOW)
    later = NOW + 8 * 86400  # after a week of silence the ids begin anew, lower
    inbox.store(connection, [(17, "{}"), (18, "{}"), (19, "{}")], later)
    for number in (900_000_000, 900_000_001, 17, 18, 19):
        inbox.finish(connection, number)
    inbox.forget_old(connection, later + 60)
    kept = [row["update_id"] for row in connection.execute("SELECT update_id FROM inbox ORDER BY update_id")]
    assert kept == [17, 18, 19]
    assert inbox.store(connection, [(17, "{}")], later + 61) == []
    connection.close()
