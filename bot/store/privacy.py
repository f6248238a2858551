"""What /forget takes away, and what has to stay: bans, the counters of limits and the sums of cost, without words."""

import sqlite3
from dataclasses import dataclass

from bot.store import awards, people, posts, stickers
from bot.store.posts import Post

_DAY = 86400.0
_AGAIN_FOR = 3600.0
"""Seconds during which the files of a forgotten badge are looked for again: one that is being drawn is saved late."""


@dataclass(frozen=True)
class Forgotten:
    """What is left to do about a person who was forgotten: jobs that ended, and what is to be taken away at Telegram
    (`stickers` as chat and file id)."""

    ended: list[int]
    posts: list[Post]
    stickers: list[tuple[int, str]]


def forget(connection: sqlite3.Connection, user_id: int, now: float) -> Forgotten:
    """Delete all about a person in this transaction.

    Badges of the last day stay as empty rows, so that nobody gets more of them by being forgotten; `forget_counted`
    deletes those later. Files are listed for `to_erase`.
    """
    connection.execute(
        "INSERT OR REPLACE INTO erasures(job_id, at) SELECT id, ? FROM jobs WHERE user_id = ?", (now, user_id)
    )
    shown = [post for post in posts.of_person(connection, user_id) if post.message_id]
    awards.forget(connection, user_id)
    in_packs = stickers.forget(connection, user_id)
    for table in ("posts", "reviews"):
        connection.execute(f"DELETE FROM {table} WHERE job_id IN (SELECT id FROM jobs WHERE user_id = ?)", (user_id,))
    ended = connection.execute(
        "UPDATE jobs SET state = 'canceled', finished = ? WHERE user_id = ?"
        " AND state IN ('waiting', 'drawing', 'drawn', 'reviewing') RETURNING id",
        (now, user_id),
    ).fetchall()
    connection.execute(
        "UPDATE jobs SET object = '', english = '', text = '', picture = '', picture_size = 0, photo_id = '',"
        " document_id = '', sticker_id = '', seed = 0 WHERE user_id = ?",
        (user_id,),
    )
    connection.execute("DELETE FROM jobs WHERE user_id = ? AND told = 1 AND created < ?", (user_id, now - 2 * _DAY))
    for table in ("dialogues", "hints", "outbox"):
        connection.execute(f"DELETE FROM {table} WHERE user_id = ?", (user_id,))
    connection.execute("DELETE FROM facts WHERE key = ?", (people.usual_preset(user_id),))  # of the private chat
    connection.execute(
        "UPDATE people SET language = '', chosen = '', username = '', name = '', welcomed = 0, seen = 0, named = 0"
        " WHERE user_id = ?",
        (user_id,),
    )
    return Forgotten(sorted(row["id"] for row in ended), shown, in_packs)


def to_erase(connection: sqlite3.Connection) -> list[int]:
    """Badges whose files are to be removed."""
    return [row["job_id"] for row in connection.execute("SELECT job_id FROM erasures ORDER BY job_id")]


def erased(connection: sqlite3.Connection, now: float) -> None:
    """The files of all badges that were listed an hour ago or earlier are gone, and so go rows that no limit counts."""
    forget_counted(connection, now)
    connection.execute("DELETE FROM erasures WHERE at < ?", (now - _AGAIN_FOR,))


def forget_counted(connection: sqlite3.Connection, now: float) -> None:
    """Delete the empty rows that no limit counts any more."""
    connection.execute("DELETE FROM jobs WHERE english = '' AND told = 1 AND created < ?", (now - 2 * _DAY,))
