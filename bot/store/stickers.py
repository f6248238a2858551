"""Badges in packs of stickers at Telegram: which pack a chat has, and which badges are in one.

Telegram does not say which sticker a call has added. Before the call the stickers that are there are written down, so
that after a crash one that is new is known for the one that was being added.
"""

import json
import sqlite3
from dataclasses import dataclass

PRIVATE = 0
"""The chat of the pack that all private chats share."""


@dataclass(frozen=True)
class Pack:
    """A chat's present pack: its `number`-th, called `name` at Telegram; number 0 before the first."""

    number: int
    name: str


@dataclass(frozen=True)
class Sticker:
    """A badge that was about to be put into the pack `pack`, or is there (`unique_id`)."""

    job_id: int
    pack: str
    before: frozenset[str]
    unique_id: str


def pack_of(connection: sqlite3.Connection, chat_id: int) -> Pack:
    """The present pack of a chat."""
    row = connection.execute("SELECT number, name FROM packs WHERE chat_id = ?", (chat_id,)).fetchone()
    return Pack(0, "") if row is None else Pack(*row)


def begin(connection: sqlite3.Connection, chat_id: int, pack: Pack, job_id: int, before: list[str]) -> None:
    """Write down that a badge is about to be put into a chat's pack, in which `before` are."""
    connection.execute(
        "INSERT OR REPLACE INTO packs(chat_id, number, name) VALUES (?, ?, ?)", (chat_id, pack.number, pack.name)
    )
    connection.execute(
        "INSERT OR REPLACE INTO stickers(job_id, pack, before) VALUES (?, ?, ?)",
        (job_id, pack.name, json.dumps(before)),
    )


def end(connection: sqlite3.Connection, job_id: int, file_id: str, unique_id: str) -> None:
    """A badge is in its pack, under these ids."""
    connection.execute(
        "UPDATE stickers SET file_id = ?, unique_id = ?, before = '[]' WHERE job_id = ?", (file_id, unique_id, job_id)
    )


def get(connection: sqlite3.Connection, job_id: int) -> Sticker | None:
    """A badge's sticker; None where nobody asked for one."""
    row = connection.execute("SELECT pack, before, unique_id FROM stickers WHERE job_id = ?", (job_id,)).fetchone()
    return None if row is None else Sticker(job_id, row["pack"], frozenset(json.loads(row["before"])), row["unique_id"])


def added(connection: sqlite3.Connection, job_id: int) -> bool:
    """Whether a badge is in a pack."""
    sticker = get(connection, job_id)
    return sticker is not None and bool(sticker.unique_id)


def known(connection: sqlite3.Connection, pack: str) -> set[str]:
    """The unique ids in a pack that are known to be a badge's."""
    rows = connection.execute("SELECT unique_id FROM stickers WHERE pack = ?", (pack,))
    return {row["unique_id"] for row in rows} - {""}


def forget(connection: sqlite3.Connection, user_id: int) -> list[tuple[int, str]]:
    """Forget a person's stickers; (chat, file id) of those that are to be taken out of their packs."""
    whose = "job_id IN (SELECT id FROM jobs WHERE user_id = ?)"
    rows = connection.execute(
        f"SELECT chat_id, file_id FROM stickers JOIN jobs ON jobs.id = job_id WHERE {whose} AND file_id <> ''",
        (user_id,),
    ).fetchall()
    connection.execute(f"DELETE FROM stickers WHERE {whose}", (user_id,))
    return [(row["chat_id"], row["file_id"]) for row in rows]
