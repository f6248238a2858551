"""Posts: messages in other chats than the badge's own that show it, at most one a badge and purpose.

A post is sent as a text and then turned into the picture: a text that arrives twice is an oddity, and the edit can be
repeated without harm, so a crash doubles no picture.
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
    """Write down that a badge is to be posted; False where it is already."""
    done = connection.execute(
        "INSERT OR IGNORE INTO posts(job_id, kind, chat_id) VALUES (?, ?, ?)", (job_id, kind, chat_id)
    )
    return bool(done.rowcount)


def sent(connection: sqlite3.Connection, job_id: int, kind: str, message_id: int) -> None:
    """The text of a post is there."""
    connection.execute("UPDATE posts SET message_id = ? WHERE job_id = ? AND kind = ?", (message_id, job_id, kind))


def get(connection: sqlite3.Connection, job_id: int, kind: str) -> Post | None:
    """The post of a badge, None where there is none."""
    row = connection.execute(
        "SELECT job_id, kind, chat_id, message_id FROM posts WHERE job_id = ? AND kind = ?", (job_id, kind)
    ).fetchone()
    return None if row is None else Post(*row)


def drop(connection: sqlite3.Connection, job_id: int, kind: str) -> None:
    """Forget a post, so that it can be made anew."""
    connection.execute("DELETE FROM posts WHERE job_id = ? AND kind = ?", (job_id, kind))


def of_person(connection: sqlite3.Connection, user_id: int) -> list[Post]:
    """Every post of a person's badges."""
    rows = connection.execute(
        "SELECT job_id, kind, posts.chat_id, message_id FROM posts JOIN jobs ON jobs.id = job_id"
        " WHERE jobs.user_id = ? ORDER BY job_id",
        (user_id,),
    )
    return [Post(*row) for row in rows]


def to_show(connection: sqlite3.Connection) -> list[int]:
    """Every badge that its person has, newest first: no sheets to choose from, and of those only what was chosen."""
    rows = connection.execute(
        "SELECT id FROM jobs WHERE state = 'delivered' AND english <> '' AND picture <> ''"
        " AND origin NOT LIKE 'more:%' AND (origin NOT LIKE 'choice:%' OR status_id <> 0) ORDER BY id DESC"
    )
    return [row["id"] for row in rows]
