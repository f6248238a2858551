"""Posts: messages that show a badge in another chat (review, gallery), at most one per badge and purpose.

A post is sent as a text and then edited into the picture. The edit is idempotent, so a crash can at most repeat the
text, never the picture.
"""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Post:
    """One row of `posts`; `message_id` is 0 until the text was sent."""

    job_id: int
    kind: str
    chat_id: int
    message_id: int


def begin(connection: sqlite3.Connection, job_id: int, kind: str, chat_id: int) -> bool:
    """Store that a badge is to be posted; False if it was stored before."""
    done = connection.execute(
        "INSERT OR IGNORE INTO posts(job_id, kind, chat_id) VALUES (?, ?, ?)", (job_id, kind, chat_id)
    )
    return bool(done.rowcount)


def sent(connection: sqlite3.Connection, job_id: int, kind: str, message_id: int) -> None:
    """Store the message id of a post's text."""
    connection.execute("UPDATE posts SET message_id = ? WHERE job_id = ? AND kind = ?", (message_id, job_id, kind))


def get(connection: sqlite3.Connection, job_id: int, kind: str) -> Post | None:
    """The post of a badge; None if there is none."""
    row = connection.execute(
        "SELECT job_id, kind, chat_id, message_id FROM posts WHERE job_id = ? AND kind = ?", (job_id, kind)
    ).fetchone()
    return None if row is None else Post(*row)


def drop(connection: sqlite3.Connection, job_id: int, kind: str) -> None:
    """Delete a post, so that it can be made again."""
    connection.execute("DELETE FROM posts WHERE job_id = ? AND kind = ?", (job_id, kind))


def of_person(connection: sqlite3.Connection, user_id: int) -> list[Post]:
    """All posts of a person's badges."""
    rows = connection.execute(
        "SELECT job_id, kind, posts.chat_id, message_id FROM posts JOIN jobs ON jobs.id = job_id"
        " WHERE jobs.user_id = ? ORDER BY job_id",
        (user_id,),
    )
    return [Post(*row) for row in rows]


def to_show(connection: sqlite3.Connection) -> list[int]:
    """All delivered badges, newest first; of choices only the badge that was picked."""
    rows = connection.execute(
        "SELECT id FROM jobs WHERE state = 'delivered' AND english <> '' AND picture <> ''"
        " AND origin NOT LIKE 'more:%' AND (origin NOT LIKE 'choice:%' OR status_id <> 0) ORDER BY id DESC"
    )
    return [row["id"] for row in rows]
