"""The ledger of all Replicate jobs: for quotas and budgets, and to resume jobs after a crash.

One SQLite file in `data_dir`, mode 0600, shared by all processes of a machine. A job's line is written before the job
is created and settled when its cost is known; until then the estimate counts. Days and months are UTC.

A line's `state`: `asked` (the request is being sent), `running` (its id is known), `unfetched` (paid, but the output is
not downloaded yet), `done`, `never` (no job was created). `owner` is the process that works on it; if it is "" or the
process is dead, the next one with the same `mark` resumes the job.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from inference.files import private_folder
from inference.replicate.errors import OverLimit

_OPEN = ("asked", "running", "unfetched")
_OPEN_MARKS = ", ".join("?" * len(_OPEN))
_TABLES = """
create table if not exists jobs (
    line integer primary key, kind text not null, mark text not null, job text not null default '',
    owner text not null, asked real not null, usd real not null, settled integer not null default 0,
    state text not null default 'asked'
);
create index if not exists jobs_by_time on jobs (asked);
create index if not exists jobs_by_mark on jobs (mark, state);
create table if not exists notes (name text primary key, text text not null, at real not null);
"""
MINUTE = 60.0  # s, the window of `requests_per_minute`
_CREATING = threading.Lock()


@dataclass(frozen=True)
class Limits:
    """Limits; 0 means none. They apply to all processes; dollars to badges and trainings together."""

    per_minute: int
    per_month: int
    day_usd: float
    month_usd: float


@dataclass(frozen=True)
class LedgerLine:
    """One job in the ledger; `job` is "" while its id is not known."""

    line: int
    job: str
    asked: float
    usd: float
    settled: bool


class Ledger:
    """The ledger at `path`, until `close`. Threads and processes may share it; each call is one short transaction."""

    def __init__(self, path: Path, limits: Limits, clock: Callable[[], float] = time.time) -> None:
        """`clock` gives seconds since 1970."""
        self._limits = limits
        self._clock = clock
        self._owner = f"{os.getpid()} {_started(os.getpid())}"
        private_folder(path.parent)
        # Closing a file drops all POSIX locks of the process on it, including SQLite's, and other processes could then
        # corrupt it (https://www.sqlite.org/howtocorrupt.html, 2.2): `touch` opens only a file that does not exist.
        with _CREATING:
            path.touch(mode=0o600)
        path.chmod(0o600)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, timeout=30, isolation_level=None, check_same_thread=False)
        self._connection.execute("pragma journal_mode = wal")
        with self._transaction(durable=True) as connection:
            for statement in filter(str.strip, _TABLES.split(";")):
                connection.execute(statement)

    def close(self) -> None:
        """Close the file. Repeatable."""
        with self._lock:
            self._connection.close()

    def reserve(self, kind: str, mark: str, estimate_usd: float) -> int | float:
        """Add a line for a new job: returns its number (int), or the seconds to wait (float) if this minute is full.

        Raises OverLimit if the month's requests or the budget of the day or month are used up; the message contains the
        day when they are renewed. Request limits apply only to the kind `badge`; of the kind `training` no two with the
        same `mark` may run at once.
        """
        now = self._clock()
        day, month = _day(now), _month(now)
        with self._transaction(durable=True) as connection:
            if kind == "training":
                self._check_alone(connection, mark)
            self._check_money(connection, "day", day, day + timedelta(days=1), estimate_usd, self._limits.day_usd)
            self._check_money(connection, "month", month, _next_month(month), estimate_usd, self._limits.month_usd)
            if kind == "badge":
                self._check_month(connection, month)
                wait = self._minute_wait(connection, now)
                if wait > 0:
                    return wait
            row = connection.execute(
                "insert into jobs (kind, mark, owner, asked, usd) values (?, ?, ?, ?, ?) returning line",
                (kind, mark, self._owner, now, estimate_usd),
            ).fetchone()
        return int(row[0])

    def running(self, line: int, job: str) -> None:
        """Store the id of the job on `line`."""
        self._set(line, "job = ?, state = 'running'", job)

    def claim(self, line: int, job: str) -> bool:
        """Assign `job` to `line`; False if it belongs to another line."""
        with self._transaction() as connection:
            if connection.execute("select 1 from jobs where job = ? and line != ?", (job, line)).fetchone():
                return False
            connection.execute("update jobs set job = ?, state = 'running' where line = ?", (job, line))
        return True

    def settle(self, line: int, usd: float) -> None:
        """Replace the estimate by the actual cost."""
        self._set(line, "usd = ?, settled = 1", usd)

    def close_line(self, line: int, state: str = "done") -> None:
        """Close a line: `done`, or `never` if no job was created, which then counts nowhere."""
        self._set(line, "state = ?, owner = ''", state)

    def unfetched(self, line: int) -> None:
        """The job is paid, but its output is not downloaded yet."""
        self._set(line, "state = 'unfetched'")

    def let_go(self, line: int) -> None:
        """Release an open line to the next call for the same work."""
        self._set(line, "owner = ''")

    def adopt(self, kind: str, mark: str, max_age_s: float) -> LedgerLine | None:
        """Take over the newest open line for `mark` that no live process owns and that is not too old."""
        since = self._clock() - max_age_s
        with self._transaction() as connection:
            rows = connection.execute(
                "select line, job, asked, usd, settled, owner from jobs where kind = ? and mark = ? and asked >= ?"
                f" and state in ({_OPEN_MARKS}) order by asked desc",
                (kind, mark, since, *_OPEN),
            ).fetchall()
            for line, job, asked, usd, settled, owner in rows:
                if not _alive(owner):
                    connection.execute("update jobs set owner = ? where line = ?", (self._owner, line))
                    return LedgerLine(line, job, asked, usd, bool(settled))
        return None

    def spent(self) -> tuple[float, float]:
        """Dollars spent or reserved today and this month."""
        now = self._clock()
        with self._transaction() as connection:
            return self._sum(connection, _day(now)), self._sum(connection, _month(now))

    def note(self, name: str, text: str) -> None:
        """Store `text` under `name`."""
        with self._transaction() as connection:
            connection.execute("insert or replace into notes values (?, ?, ?)", (name, text, self._clock()))

    def noted(self, name: str, max_age_s: float = float("inf")) -> str | None:
        """The text stored under `name`; None if there is none or it is older than `max_age_s`."""
        with self._transaction() as connection:
            row = connection.execute("select text, at from notes where name = ?", (name,)).fetchone()
        return str(row[0]) if row and self._clock() - row[1] <= max_age_s else None

    def forget(self, name: str) -> None:
        """Delete the text stored under `name`."""
        with self._transaction() as connection:
            connection.execute("delete from notes where name = ?", (name,))

    def _check_alone(self, connection: sqlite3.Connection, mark: str) -> None:
        rows = connection.execute(
            f"select owner from jobs where kind = 'training' and mark = ? and state in ({_OPEN_MARKS})", (mark, *_OPEN)
        ).fetchall()
        if any(_alive(owner) for (owner,) in rows):
            raise OverLimit("another process is starting or watching this training: stop one of them")

    def _check_month(self, connection: sqlite3.Connection, month: datetime) -> None:
        limit = self._limits.per_month
        used = self._count(connection, month.timestamp())
        if limit and used >= limit:
            raise OverLimit(
                f"all {limit} Replicate requests of this month are used up until {_next_month(month):%Y-%m-%d}: raise "
                "replicate.requests_per_month, or wait"
            )

    def _minute_wait(self, connection: sqlite3.Connection, now: float) -> float:
        limit = self._limits.per_minute
        if not limit or self._count(connection, now - MINUTE, now) < limit:
            return 0.0
        row = connection.execute(
            "select asked from jobs where state != 'never' and kind = 'badge' and asked <= ? order by asked desc"
            " limit 1 offset ?",
            (now, limit - 1),
        ).fetchone()
        return max(0.001, float(row[0]) + MINUTE - now)

    def _check_money(
        self, connection: sqlite3.Connection, name: str, start: datetime, end: datetime, more: float, limit: float
    ) -> None:
        spent = self._sum(connection, start)
        if limit and spent + more > limit:
            raise OverLimit(
                f"the Replicate budget of ${limit:.2f} a {name} is used up (${spent:.2f} spent, ${more:.2f} more "
                f"needed) until {end:%Y-%m-%d}: raise replicate.budget_{name}_usd, or wait"
            )

    def _count(self, connection: sqlite3.Connection, since: float, until: float = float("inf")) -> int:
        row = connection.execute(
            "select count(*) from jobs where state != 'never' and kind = 'badge' and asked > ? and asked <= ?",
            (since, until),
        ).fetchone()
        return int(row[0])

    def _sum(self, connection: sqlite3.Connection, start: datetime) -> float:
        row = connection.execute(
            "select coalesce(sum(usd), 0) from jobs where state != 'never' and asked >= ?", (start.timestamp(),)
        ).fetchone()
        return float(row[0])

    def _set(self, line: int, change: str, *values: object) -> None:
        with self._transaction() as connection:
            connection.execute(f"update jobs set {change} where line = ?", (*values, line))

    @contextmanager
    def _transaction(self, *, durable: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction that holds the write lock from its start, so that two processes cannot reserve the same quota.

        It survives a crash of the process; with `durable` it, and all before it, also survive a power failure, which
        takes many milliseconds and matters only before a job is paid.
        """
        with self._lock:
            connection = self._connection
            connection.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
            connection.execute("begin immediate")
            try:
                yield connection
                connection.execute("commit")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("rollback")
                raise


def _day(now: float) -> datetime:
    return datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _month(now: float) -> datetime:
    return _day(now).replace(day=1)


def _next_month(month: datetime) -> datetime:
    return (month + timedelta(days=32)).replace(day=1)


def _started(process: int) -> str:
    """The start time of a process, to recognise a reused process id; "" if the system does not provide it."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[19]
    except (OSError, IndexError):
        return ""


def _alive(owner: str) -> bool:
    pid, _, started = owner.partition(" ")
    if not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return _started(int(pid)) == started
