"""/forget: deletes all data of a person except bans, and jobs that limits still count, without their words."""

import sqlite3
from dataclasses import dataclass

from bot.store import awards, people, posts, stickers
from bot.store.posts import Post

_DAY = 86400.0
_AGAIN_FOR = 3600.0
"""Seconds during which the files of a deleted badge are looked for again, chosen by hand: a badge that is being drawn
is saved after /forget, and its file would stay if that took longer."""


@dataclass(frozen=True)
class Forgotten:
    """What is left to do after /forget: canceled jobs; posts and `stickers` (chat, file id) to delete at Telegram."""

    ended: list[int]
    posts: list[Post]
    stickers: list[tuple[int, str]]


def forget(connection: sqlite3.Connection, user_id: int, now: float) -> Forgotten:
    """Delete everything about a person in this transaction.

    Jobs of the last two days stay as empty rows, so that /forget does not reset the limits; `forget_counted` deletes
    them later. Files are listed for `to_erase`.
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
    """Ids of the jobs whose files are to be removed."""
    return [row["job_id"] for row in connection.execute("SELECT job_id FROM erasures ORDER BY job_id")]


def erased(connection: sqlite3.Connection, now: float) -> None:
    """After removing files: delete list entries older than an hour, and rows that no limit counts any more."""
    forget_counted(connection, now)
    connection.execute("DELETE FROM erasures WHERE at < ?", (now - _AGAIN_FOR,))


def forget_counted(connection: sqlite3.Connection, now: float) -> None:
    """Delete the empty rows that no limit counts any more."""
    connection.execute("DELETE FROM jobs WHERE english = '' AND told = 1 AND created < ?", (now - 2 * _DAY,))
