"""The SQLite database: one thread accesses it, and all waiting writes share a commit.

`write(name, work)` queues a function of a connection. The thread takes all queued functions, runs each in a savepoint
of one transaction, commits once (WAL, `synchronous=FULL`: on disk before any result is returned) and then sets the
results. A function that raises loses only its own changes. An error of SQLite itself (disk full, I/O error) rolls back
the whole transaction and is raised to all its callers as StoreError.

`checkpoint` is called with `<name>:before` and `<name>:after` around each commit; tests kill the process there.
"""

import asyncio
import contextlib
import logging
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from bot.errors import StartError, StoreError
from bot.store.schema import migrate
from inference.files import held

log = logging.getLogger(__name__)

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
Checkpoint = Callable[[str], None]

_TOGETHER = 200  # functions in a transaction, chosen by hand: an error of SQLite fails all of them


def no_checkpoint(name: str) -> None:
    """The default `checkpoint`: does nothing."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the state folder until this process ends in any way. Raises StartError if another bot holds the lock."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with held(folder / "bot.lock", mode=0o600) as alone:
        if not alone:
            raise StartError(f"another bot is using {folder}: stop it, or set BADGE_DATA_DIR to another folder")
        yield


class Database:
    """The database at `path`, which is created with its folder, readable only by the owner."""

    def __init__(self, path: Path, checkpoint: Checkpoint = no_checkpoint) -> None:
        self.path = path
        self._checkpoint = checkpoint
        self._work: queue.SimpleQueue[tuple[str, Work[Any], Future[Any]] | None] = queue.SimpleQueue()
        self._opened: Future[None] = Future()
        self._thread = threading.Thread(target=self._serve, name="store", daemon=True)
        self._closed = False

    def open(self) -> "Database":
        """Open and migrate. Raises StoreError if the file cannot be used, StoreTooNew for a later schema."""
        self._thread.start()
        self._opened.result()
        return self

    def submit(self, name: str, work: Work[T]) -> "Future[T]":
        """Queue `work`; the future is set after the commit. Callable from any thread."""
        future: Future[T] = Future()
        if self._closed:
            future.set_exception(StoreError("the store is closed"))
        else:
            self._work.put((name, work, future))
        return future

    async def write(self, name: str, work: Work[T]) -> T:
        """The result of `work`, after its changes are on disk."""
        return await asyncio.wrap_future(self.submit(name, work))

    async def read(self, work: Work[T]) -> T:
        """The result of a function that only reads."""
        return await asyncio.wrap_future(self.submit("", work))

    def close(self) -> None:
        """Run what is queued and close. Repeatable."""
        if not self._closed:
            self._closed = True
            self._work.put(None)
            self._thread.join(timeout=10)

    def _serve(self) -> None:
        try:
            connection = self._connect()
        except (StoreError, OSError) as error:
            self._closed = True
            self._opened.set_exception(error if isinstance(error, StoreError) else StoreError(str(error)))
            return
        self._opened.set_result(None)
        waiting = True
        while waiting:
            batch = [self._work.get()]
            while len(batch) < _TOGETHER and not self._work.empty():
                batch.append(self._work.get())
            waiting = None not in batch
            calls = [call for call in batch if call is not None and call[2].set_running_or_notify_cancel()]
            if calls:
                self._transact(connection, calls)
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path.touch(mode=0o600)
        try:
            connection = sqlite3.connect(self.path, isolation_level=None, timeout=10)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
            connection.execute("PRAGMA secure_delete=ON")  # overwrite deleted content with zeros, for /forget
            migrate(connection, self.path)
        except sqlite3.Error as error:
            raise StoreError(f"cannot use the database {self.path}: {error}") from error
        return connection

    def _transact(self, connection: sqlite3.Connection, calls: list[tuple[str, Work[Any], Future[Any]]]) -> None:
        outcomes: list[tuple[Future[Any], Any, BaseException | None]] = []
        try:
            connection.execute("BEGIN IMMEDIATE")
            for _, work, future in calls:
                outcomes.append((future, *_attempt(connection, work)))
            for name, _, _ in calls:
                if name:
                    self._checkpoint(f"{name}:before")
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for _, _, future in calls:
                future.set_exception(StoreError(f"the database {self.path} cannot be written: {error}"))
            return
        for name, _, _ in calls:
            if name:
                self._checkpoint(f"{name}:after")
        for future, result, failure in outcomes:
            if failure is None:
                future.set_result(result)
            else:
                future.set_exception(failure)


def _attempt(connection: sqlite3.Connection, work: Work[Any]) -> tuple[Any, BaseException | None]:
    """Run one function in a savepoint: (result, None), or (None, what it raised) with its changes undone."""
    connection.execute("SAVEPOINT one")
    try:
        result = work(connection)
    except sqlite3.OperationalError:
        raise
    except Exception as error:  # noqa: BLE001 - handed to the caller, whose error it is
        connection.execute("ROLLBACK TO one")
        connection.execute("RELEASE one")
        return None, error
    connection.execute("RELEASE one")
    return result, None
