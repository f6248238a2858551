"""The store: whose turn it is, leases and fences, one transaction for all or nothing, versions, limits and clocks."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import StoreError, StoreTooNew
from bot.store import Database, inbox, jobs, outbox, people, queue
from bot.store.jobs import Drawn, Job
from bot.store.migrations import SCRIPTS
from bot.store.outbox import Message
from bot.store.schema import VERSION, migrate

DONE = Drawn("1-1", 10, "plain", 1.0, 0.5, 0.0)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.row_factory = sqlite3.Row
    migrate(connection)
    yield connection
    connection.close()


def add(connection: sqlite3.Connection, user: int, thing: str = "cup", created: float = 0.0, chat: int = 0) -> int:
    people.meet(connection, user, "ru")
    job = Job(0, user, chat or user, 0, 0, "ru", thing, thing, "A", "ribbon", 7, "dialogue")
    return jobs.add(connection, job, created)


def claim(connection: sqlite3.Connection, now: float = 0.0, owner: str = "me") -> Job | None:
    return queue.claim(connection, owner, now + 10, now)


def test_a_hog_with_100_jobs_keeps_nobody_waiting(connection: sqlite3.Connection) -> None:
    for _ in range(100):
        add(connection, 1)
    others = [add(connection, user) for user in range(2, 11)]
    foretold = queue.places(connection)
    served: list[int] = []
    while (job := claim(connection)) is not None:
        served.append(job.id)
        assert jobs.drawn(connection, job, DONE, 1.0)
    assert len(served) == 109
    assert set(others) <= set(served[:20])
    assert [foretold[number] for number in served] == list(range(1, 110))


def test_one_job_at_a_time_a_person(connection: sqlite3.Connection) -> None:
    first, _second, other = add(connection, 1), add(connection, 1), add(connection, 2)
    taken = [claim(connection), claim(connection), claim(connection)]
    assert [job.id if job else None for job in taken] == [first, other, None]


def test_a_lease_that_ran_out_fences_its_holder_off(connection: sqlite3.Connection) -> None:
    add(connection, 1)
    late = claim(connection, now=0)
    assert late is not None
    assert claim(connection, now=5) is None
    second = claim(connection, now=11)
    assert second is not None
    assert second.id == late.id
    assert not jobs.renew(connection, late, 99)
    assert not jobs.drawn(connection, late, DONE, 12)
    assert not jobs.failed(connection, late, "broken", 12)
    assert jobs.drawn(connection, second, DONE, 12)


def test_after_a_crash_jobs_wait_in_their_old_order(connection: sqlite3.Connection) -> None:
    numbers = [add(connection, user) for user in (1, 2, 3, 1)]
    assert [job.id for job in (claim(connection), claim(connection)) if job] == numbers[:2]
    assert jobs.recover(connection) == numbers[:2]
    again = []
    while (job := claim(connection, owner="another process")) is not None:
        again.append(job.id)
        jobs.drawn(connection, job, DONE, 1.0)
    assert again == numbers


def test_a_job_that_seems_to_end_the_process_lets_others_go_first(connection: sqlite3.Connection) -> None:
    bad, other = add(connection, 1), add(connection, 2)
    for _ in range(3):
        job = claim(connection)
        assert job is not None
        assert job.id == bad
        jobs.recover(connection)
    assert queue.places(connection) == {other: 1, bad: 2}
    assert [job.id for job in (claim(connection), claim(connection)) if job] == [other, bad]


def test_canceled_while_drawing_stays_canceled(connection: sqlite3.Connection) -> None:
    number = add(connection, 1)
    job = claim(connection)
    assert job is not None
    assert jobs.cancel(connection, 1, 1, 5.0) == [number]
    assert not jobs.drawn(connection, job, DONE, 6.0)
    jobs.put_back(connection, job)
    present = jobs.get(connection, number)
    assert present is not None
    assert present.state == "canceled"


def test_limits_survive_clocks_that_jump(connection: sqlite3.Connection) -> None:
    for created in (1000.0, 1001.0, 10.0**9):
        add(connection, 1, created=created)
    assert queue.made_since(connection, 1002 - 3600, 1002, user_id=1) == 2
    assert queue.made_since(connection, 0, 5, user_id=1) == 0
    assert queue.made_since(connection, 10**9 - 10, 10**9 + 1, user_id=1) == 1


@pytest.mark.parametrize(
    ("place", "drawing", "parallel", "ahead"),
    [(1, 0, 1, 0), (1, 1, 1, 1), (3, 1, 1, 3), (2, 0, 2, 0), (1, 1, 2, 0), (2, 1, 2, 2), (1, 2, 2, 2), (4, 8, 8, 11)],
)
def test_nobody_is_ahead_where_a_worker_is_free(place: int, drawing: int, parallel: int, ahead: int) -> None:
    assert queue.ahead_of(place, drawing, parallel) == ahead


def test_when_a_limit_lets_one_more_pass(connection: sqlite3.Connection) -> None:
    for created in (100.0, 200.0, 300.0):
        add(connection, 1, created=created)
    assert queue.seconds_until_free(connection, 4, 3600, 400, user_id=1) == 0
    assert queue.seconds_until_free(connection, 3, 3600, 400, user_id=1) == 3600 - 300
    assert queue.seconds_until_free(connection, 1, 3600, 400, user_id=1) == 3600 - 100
    assert queue.seconds_until_free(connection, 3, 3600, 400, user_id=2) == 0


def test_an_update_is_stored_once_and_forgotten_when_answered(connection: sqlite3.Connection) -> None:
    assert inbox.store(connection, [(5, "five"), (6, "six")], 0) == [5, 6]
    assert inbox.store(connection, [(6, "six"), (7, "seven")], 0) == [7]
    inbox.finish(connection, 6)
    assert inbox.waiting(connection) == [(5, "five"), (7, "seven")]
    assert inbox.store(connection, [(6, "six")], 0) == []
    assert inbox.answered(connection, 6)


def test_messages_come_back_as_they_were_put(connection: sqlite3.Connection) -> None:
    message = Message("text", "да", 3, 4, ((("a", "b"), ("c", "d")),), ("f",), "hint")
    letter = outbox.put(connection, 1, 2, message, 0.0, 9)
    assert outbox.pending(connection) == [letter]
    outbox.begin(connection, letter.id)
    assert outbox.pending(connection)[0].sending
    outbox.done(connection, letter)
    assert outbox.pending(connection) == []


def test_who_fails_loses_only_its_own_changes(tmp_path: Path) -> None:
    database = Database(tmp_path / "bot.sqlite3").open()

    def bad(connection: sqlite3.Connection) -> None:
        people.set_fact(connection, "bad", "yes")
        raise ValueError("a bug")

    good = database.submit("good", lambda c: people.set_fact(c, "good", "yes"))
    with pytest.raises(ValueError, match="a bug"):
        database.submit("bad", bad).result()
    good.result()
    facts = database.submit("", lambda c: (people.fact(c, "good"), people.fact(c, "bad"))).result()
    assert facts == ("yes", "")
    database.close()
    with pytest.raises(StoreError, match="closed"):
        database.submit("late", bad).result()


def test_a_full_disk_is_a_store_error_and_undoes_everything(tmp_path: Path) -> None:
    database = Database(tmp_path / "bot.sqlite3").open()
    database.submit("", lambda c: c.execute("PRAGMA max_page_count=1").fetchone()).result()
    with pytest.raises(StoreError, match="full"):
        database.submit("big", lambda c: people.set_fact(c, "big", "x" * 100_000)).result()
    database.submit("", lambda c: c.execute("PRAGMA max_page_count=100000").fetchone()).result()
    assert database.submit("", lambda c: people.fact(c, "big", "none")).result() == "none"
    database.close()


def test_versions_go_forward_and_never_back(tmp_path: Path) -> None:
    path = tmp_path / "bot.sqlite3"
    Database(path).open().close()
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA user_version").fetchone()[0] == VERSION == len(SCRIPTS)
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(StoreTooNew, match="update the program"):
        Database(path).open()


def test_a_file_that_is_no_database_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "bot.sqlite3").write_bytes(b"not a database" * 100)
    with pytest.raises(StoreError, match="cannot use the database"):
        Database(tmp_path / "bot.sqlite3").open()
