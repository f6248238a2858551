"""Migrates an older database: runs the missing scripts of `migrations`, each in its own transaction.

Before the first one the whole database is copied, so that an earlier version of the program can use the copy:
`bot.sqlite3.v1` is the database as version 1 left it.
"""

import contextlib
import sqlite3
from pathlib import Path

from bot.errors import StoreTooNew
from bot.store.migrations import SCRIPTS
from inference.files import written_aside

VERSION = len(SCRIPTS)


def migrate(connection: sqlite3.Connection, path: Path | None = None) -> None:
    """Migrate the database at `path` (None: in memory) to VERSION. Raises StoreTooNew for one of a later version.

    Raises sqlite3.Error or OSError if there is no space for the copy; nothing is changed then.
    """
    present = version_of(connection)
    if present > VERSION:
        raise StoreTooNew(
            f"the database has version {present}, this program knows {VERSION}: update the program, or restore a backup"
        )
    if path is not None and 0 < present < VERSION:
        _copy_aside(connection, path.with_name(f"{path.name}.v{present}"))
    for number in range(present, VERSION):
        script = f"BEGIN IMMEDIATE; {SCRIPTS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
        try:
            connection.executescript(script)
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def version_of(connection: sqlite3.Connection) -> int:
    """The version of a database: the number of scripts that were run; 0 for an empty one."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _copy_aside(connection: sqlite3.Connection, copy: Path) -> None:
    """Copy the whole database, readable only by the owner; the copy appears once it is complete and on disk."""
    with written_aside(copy, mode=0o600) as part, contextlib.closing(sqlite3.connect(part)) as target:
        connection.backup(target)
        target.execute("PRAGMA journal_mode=DELETE")  # a single file, without a WAL
