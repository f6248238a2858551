"""Jobs, one per badge: `waiting -> drawing -> drawn -> delivered`, or `failed` or `canceled`.

With a review chat a drawn job is `reviewing` until it is approved (see `reviews`), and then `drawn` again.

A job being drawn has a lease and a fencing token (`fence`): a worker that finishes with an older token changes nothing.
The order is round-robin among people: of each person's oldest waiting job, the one whose person was served longest ago,
at most one job per person at a time. A job that was started three times and never finished (it may crash the process)
comes after the jobs of all other people.
"""

import sqlite3
from dataclasses import dataclass, fields


@dataclass(frozen=True)
class Job:
    """One row of `jobs`; the columns are described in `schema.py`."""

    id: int
    user_id: int
    chat_id: int
    thread_id: int
    reply_to: int
    language: str
    object: str
    english: str
    text: str
    style: str
    seed: int
    origin: str
    preset: str = ""
    state: str = "waiting"
    told: int = 0
    fence: int = 0
    attempts: int = 0
    status_id: int = 0
    sending: int = 0
    error: str = ""
    picture: str = ""
    picture_size: int = 0
    photo_id: str = ""
    document_id: str = ""
    sticker_id: str = ""
    draw_seconds: float = 0.0
    banner_seconds: float = 0.0
    created: float = 0.0


_COLUMNS = ", ".join(field.name for field in fields(Job))


@dataclass(frozen=True)
class Part:
    """One badge of a choice (see `choices`)."""

    picture: str
    picture_size: int
    seed: int
    generator: str
    draw_seconds: float
    drew: bool


@dataclass(frozen=True)
class Drawn:
    """The result of a finished drawing."""

    picture: str
    picture_size: int
    generator: str
    draw_seconds: float
    banner_seconds: float
    cost_usd: float
    drew: bool = True
    parts: tuple[Part, ...] = ()


def _job(row: sqlite3.Row | None) -> Job | None:
    return None if row is None else Job(**{key: row[key] for key in row.keys()})  # noqa: SIM118 - a Row, not a dict


def add(connection: sqlite3.Connection, job: Job, now: float) -> int:
    """Store a new job; returns its id (`job.id` is ignored)."""
    columns = (
        "user_id", "chat_id", "thread_id", "reply_to", "language", "object", "english", "text", "style", "seed",
        "origin", "preset",
    )  # fmt: skip
    marks = ", ".join("?" * len(columns))
    row = connection.execute(
        f"INSERT INTO jobs({', '.join(columns)}, state, created) VALUES ({marks}, 'waiting', ?)",
        (*(getattr(job, name) for name in columns), now),
    )
    return int(row.lastrowid or 0)


def get(connection: sqlite3.Connection, job_id: int) -> Job | None:
    """The job with this id; None if there is none."""
    return _job(connection.execute(f"SELECT {_COLUMNS} FROM jobs WHERE id = ?", (job_id,)).fetchone())


def renew(connection: sqlite3.Connection, job: Job, until: float) -> bool:
    """Renew the lease; False if another worker has claimed the job, or it was canceled."""
    done = connection.execute(
        "UPDATE jobs SET lease_until = ? WHERE id = ? AND fence = ? AND state = 'drawing'", (until, job.id, job.fence)
    )
    return bool(done.rowcount)


def drawn(connection: sqlite3.Connection, job: Job, result: Drawn, now: float) -> bool:
    """Store the result of a drawing; False if the job was canceled, or claimed by another worker."""
    done = connection.execute(
        "UPDATE jobs SET state = 'drawn', picture = ?, picture_size = ?, generator = ?, draw_seconds = ?,"
        " banner_seconds = ?, cost_usd = cost_usd + ?, drew = ?, finished = ?"
        " WHERE id = ? AND fence = ? AND state = 'drawing'",
        (result.picture, result.picture_size, result.generator, result.draw_seconds, result.banner_seconds,
         result.cost_usd, result.drew, now, job.id, job.fence),
    )  # fmt: skip
    return bool(done.rowcount)


def failed(connection: sqlite3.Connection, job: Job, error: str, now: float) -> bool:
    """Mark a drawing as failed for the reason `error` (see `words.failure`); False as in `drawn`."""
    done = connection.execute(
        "UPDATE jobs SET state = 'failed', error = ?, finished = ? WHERE id = ? AND fence = ? AND state = 'drawing'",
        (error, now, job.id, job.fence),
    )
    return bool(done.rowcount)


def put_back(connection: sqlite3.Connection, job: Job) -> None:
    """Requeue a job at its old place, as if it had not been started (the bot is stopping)."""
    done = connection.execute(
        "UPDATE jobs SET state = 'waiting', attempts = attempts - 1 WHERE id = ? AND fence = ? AND state = 'drawing'",
        (job.id, job.fence),
    )
    if done.rowcount:
        _give_turn_back(connection, job.id)


def redraw(connection: sqlite3.Connection, job_id: int) -> None:
    """The stored picture is missing or damaged: draw it again, with the same seed."""
    connection.execute("UPDATE jobs SET state = 'waiting' WHERE id = ? AND state = 'drawn'", (job_id,))


def recover(connection: sqlite3.Connection) -> list[int]:
    """At the start: requeue jobs that were being drawn, at their old places; returns their ids."""
    rows = connection.execute("SELECT id FROM jobs WHERE state = 'drawing' ORDER BY id").fetchall()
    for row in rows:
        _give_turn_back(connection, row["id"])
    connection.execute("UPDATE jobs SET state = 'waiting' WHERE state = 'drawing'")
    return [row["id"] for row in rows]


def _give_turn_back(connection: sqlite3.Connection, job_id: int) -> None:
    connection.execute(
        "UPDATE people SET served = (SELECT turn_before FROM jobs WHERE id = ?1)"
        " WHERE user_id = (SELECT user_id FROM jobs WHERE id = ?1)",
        (job_id,),
    )


def cancel(connection: sqlite3.Connection, user_id: int, chat_id: int, now: float) -> list[int]:
    """Cancel a person's jobs in a chat that are not drawn yet, except awards; returns their ids."""
    rows = connection.execute(
        "UPDATE jobs SET state = 'canceled', finished = ? WHERE user_id = ? AND chat_id = ?"
        " AND state IN ('waiting', 'drawing') AND origin <> 'award' RETURNING id",
        (now, user_id, chat_id),
    )
    return sorted(row["id"] for row in rows.fetchall())


def cancel_person(connection: sqlite3.Connection, user_id: int, now: float) -> list[int]:
    """Cancel all unfinished jobs of a person, in all chats; returns their ids."""
    rows = connection.execute(
        "UPDATE jobs SET state = 'canceled', finished = ? WHERE user_id = ?"
        " AND state IN ('waiting', 'drawing', 'reviewing')"
        " RETURNING id",
        (now, user_id),
    )
    return sorted(row["id"] for row in rows.fetchall())


def cancel_one(connection: sqlite3.Connection, job_id: int, now: float) -> bool:
    """Cancel one job if it is not drawn yet."""
    done = connection.execute(
        "UPDATE jobs SET state = 'canceled', finished = ? WHERE id = ? AND state IN ('waiting', 'drawing')",
        (now, job_id),
    )
    return bool(done.rowcount)


def abandon(connection: sqlite3.Connection, chat_id: int, thread_id: int | None, now: float) -> list[int]:
    """A chat (or one topic of it) is unreachable: cancel its jobs without telling anybody; returns their ids."""
    where = "chat_id = ?1 AND (?2 IS NULL OR thread_id = ?2) AND told = 0"
    rows = connection.execute(
        f"UPDATE jobs SET state = 'canceled', told = 1, error = 'unreachable', finished = ?3 WHERE {where}"
        " AND state IN ('waiting', 'drawing', 'drawn', 'reviewing') RETURNING id",
        (chat_id, thread_id, now),
    ).fetchall()
    connection.execute(f"UPDATE jobs SET told = 1 WHERE {where}", (chat_id, thread_id))
    return sorted(row["id"] for row in rows)


def unreachable(connection: sqlite3.Connection, job_id: int, now: float) -> None:
    """The result of a job cannot be delivered: mark it as failed and told."""
    connection.execute(
        "UPDATE jobs SET state = 'failed', error = 'unreachable', finished = ? WHERE id = ?"
        " AND state IN ('waiting', 'drawing', 'drawn', 'reviewing')",
        (now, job_id),
    )
    told(connection, job_id)


def delivered(connection: sqlite3.Connection, job_id: int, photo_id: str, seconds: float) -> None:
    """Mark a badge as delivered; `photo_id` is its file id, by which it can be sent again."""
    connection.execute(
        "UPDATE jobs SET state = 'delivered', told = 1, sending = 0, photo_id = ?, send_seconds = ? WHERE id = ?",
        (photo_id, seconds, job_id),
    )


def told(connection: sqlite3.Connection, job_id: int) -> None:
    """The result of a job (failed, canceled) was delivered, or cannot be."""
    connection.execute("UPDATE jobs SET told = 1, sending = 0 WHERE id = ?", (job_id,))


def lost_status(connection: sqlite3.Connection, job_id: int) -> None:
    """The status message was deleted, so it cannot be edited."""
    connection.execute("UPDATE jobs SET status_id = 0 WHERE id = ?", (job_id,))


def refused(connection: sqlite3.Connection, job_id: int, error: str) -> None:
    """Telegram does not accept the picture in this chat: `error` is `sending`, or `photos` if those are not allowed."""
    connection.execute("UPDATE jobs SET state = 'failed', error = ?, sending = 0 WHERE id = ?", (error, job_id))


def about_to_send(connection: sqlite3.Connection, job_id: int) -> None:
    """A photo is about to be sent as a new message; if this is found after a crash, it may have arrived."""
    connection.execute("UPDATE jobs SET sending = 1 WHERE id = ?", (job_id,))


def not_sent(connection: sqlite3.Connection, job_id: int) -> None:
    """The photo that was about to be sent as a new message was refused."""
    connection.execute("UPDATE jobs SET sending = 0 WHERE id = ?", (job_id,))


def remember_file(connection: sqlite3.Connection, job_id: int, kind: str, file_id: str) -> None:
    """Store the file id of the badge as `photo`, `document` or `sticker`."""
    column = {"document": "document_id", "sticker": "sticker_id", "photo": "photo_id"}[kind]
    connection.execute(f"UPDATE jobs SET {column} = ? WHERE id = ?", (file_id, job_id))


def untold(connection: sqlite3.Connection) -> list[Job]:
    """All jobs whose result has not been delivered, oldest first."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM jobs WHERE told = 0 ORDER BY id").fetchall()
    return [job for job in map(_job, rows) if job is not None]


def history(connection: sqlite3.Connection, user_id: int, chat_id: int, count: int) -> list[Job]:
    """A person's last delivered badges in a chat, newest last, at most `count`, only ones that can be sent again."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM jobs WHERE user_id = ? AND chat_id = ? AND state = 'delivered'"
        " AND (photo_id <> '' OR picture <> '') AND origin NOT LIKE 'more:%'"
        " ORDER BY id DESC LIMIT ?",
        (user_id, chat_id, count),
    ).fetchall()
    return [job for job in map(_job, reversed(rows)) if job is not None]
