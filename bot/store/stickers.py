"""Badges in sticker sets ("packs"): the current set of each chat, and the badges in it.

Telegram does not return the sticker that a call has added. So the stickers in the set are stored before the call, and
after a crash a new one is known to be the badge that was being added.
"""

import json
import sqlite3
from dataclasses import dataclass

PRIVATE = 0
"""Chat id for the sticker set that all private chats share."""


@dataclass(frozen=True)
class Pack:
    """A chat's current sticker set: its `number`-th, with the set name `name`; number 0 before the first."""

    number: int
    name: str


@dataclass(frozen=True)
class Sticker:
    """A badge that was about to be added to the set `pack`, or is in it (`unique_id`)."""

    job_id: int
    pack: str
    before: frozenset[str]
    unique_id: str


def pack_of(connection: sqlite3.Connection, chat_id: int) -> Pack:
    """The current sticker set of a chat."""
    row = connection.execute("SELECT number, name FROM packs WHERE chat_id = ?", (chat_id,)).fetchone()
    return Pack(0, "") if row is None else Pack(*row)


def begin(connection: sqlite3.Connection, chat_id: int, pack: Pack, job_id: int, before: list[str]) -> None:
    """Store that a badge is about to be added to a chat's set, which contains the stickers `before`."""
    connection.execute(
        "INSERT OR REPLACE INTO packs(chat_id, number, name) VALUES (?, ?, ?)", (chat_id, pack.number, pack.name)
    )
    connection.execute(
        "INSERT OR REPLACE INTO stickers(job_id, pack, before) VALUES (?, ?, ?)",
        (job_id, pack.name, json.dumps(before)),
    )


def end(connection: sqlite3.Connection, job_id: int, file_id: str, unique_id: str) -> None:
    """Store the ids of a badge's sticker, once it is in its set."""
    connection.execute(
        "UPDATE stickers SET file_id = ?, unique_id = ?, before = '[]' WHERE job_id = ?", (file_id, unique_id, job_id)
    )


def get(connection: sqlite3.Connection, job_id: int) -> Sticker | None:
    """A badge's sticker; None if nobody asked for one."""
    row = connection.execute("SELECT pack, before, unique_id FROM stickers WHERE job_id = ?", (job_id,)).fetchone()
    return None if row is None else Sticker(job_id, row["pack"], frozenset(json.loads(row["before"])), row["unique_id"])


def added(connection: sqlite3.Connection, job_id: int) -> bool:
    """Whether a badge is in a sticker set."""
    sticker = get(connection, job_id)
    return sticker is not None and bool(sticker.unique_id)


def known(connection: sqlite3.Connection, pack: str) -> set[str]:
    """The unique ids of the badges in a set."""
    rows = connection.execute("SELECT unique_id FROM stickers WHERE pack = ?", (pack,))
    return {row["unique_id"] for row in rows} - {""}


def forget(connection: sqlite3.Connection, user_id: int) -> list[tuple[int, str]]:
    """Delete a person's stickers; returns (chat, file id) of those to remove from their sets."""
    whose = "job_id IN (SELECT id FROM jobs WHERE user_id = ?)"
    rows = connection.execute(
        f"SELECT chat_id, file_id FROM stickers JOIN jobs ON jobs.id = job_id WHERE {whose} AND file_id <> ''",
        (user_id,),
    ).fetchall()
    connection.execute(f"DELETE FROM stickers WHERE {whose}", (user_id,))
    return [(row["chat_id"], row["file_id"]) for row in rows]
