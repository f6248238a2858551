"""Awards: badges that an admin gave to a member. Each is a job of that member; this table has who gave it and why."""

import sqlite3
from dataclasses import dataclass

ORIGIN = "award"
"""The `origin` of an award's job. The member's limits do not count it, and /cancel does not cancel it."""


@dataclass(frozen=True)
class Award:
    """One row of `awards`. `name` is the member's, `giver_name` the admin's; "" if it came from `--award FILE`."""

    job_id: int
    name: str
    giver: int
    giver_name: str
    why: str


@dataclass(frozen=True)
class Listed:
    """An award as /awards shows it."""

    name: str
    object: str
    text: str
    giver_name: str
    why: str


def add(connection: sqlite3.Connection, award: Award, key: str = "") -> None:
    """Store an award; `key` identifies its line in a file that may be read again."""
    connection.execute(
        "INSERT INTO awards(job_id, name, giver, giver_name, why, key) VALUES (?, ?, ?, ?, ?, ?)",
        (award.job_id, award.name, award.giver, award.giver_name, award.why, key),
    )


def given(connection: sqlite3.Connection, key: str) -> bool:
    """Whether the award with this key is stored already."""
    return connection.execute("SELECT 1 FROM awards WHERE key = ?", (key,)).fetchone() is not None


def get(connection: sqlite3.Connection, job_id: int) -> Award | None:
    """The award of a job; None if the job is not an award."""
    row = connection.execute(
        "SELECT job_id, name, giver, giver_name, why FROM awards WHERE job_id = ?", (job_id,)
    ).fetchone()
    return None if row is None else Award(*row)


def once_more(connection: sqlite3.Connection, job_id: int, seed: int) -> None:
    """Requeue a failed award as if it were new; its status message will become the badge."""
    connection.execute(
        "UPDATE jobs SET state = 'waiting', told = 0, attempts = 0, error = '', seed = ?"
        " WHERE id = ? AND state = 'failed'",
        (seed, job_id),
    )


def listed(connection: sqlite3.Connection, most: int, *, chat_id: int = 0, user_id: int = 0) -> list[Listed]:
    """The last delivered awards of a chat or a person, newest first."""
    where, whom = ("chat_id = ?", chat_id) if chat_id else ("user_id = ?", user_id)
    rows = connection.execute(
        "SELECT awards.name, object, text, giver_name, why FROM awards JOIN jobs ON jobs.id = job_id"
        f" WHERE {where} AND state = 'delivered' ORDER BY job_id DESC LIMIT ?",
        (whom, most),
    )
    return [Listed(*row) for row in rows]


def forget(connection: sqlite3.Connection, user_id: int) -> None:
    """Delete a person's awards, and their name from those they gave."""
    connection.execute("DELETE FROM awards WHERE job_id IN (SELECT id FROM jobs WHERE user_id = ?)", (user_id,))
    connection.execute("UPDATE awards SET giver = 0, giver_name = '' WHERE giver = ?", (user_id,))
