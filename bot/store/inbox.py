"""Updates that arrived and are not answered yet. One that is stored is never asked of Telegram again."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

_REMEMBERED = 100_000
_ALBUMS = 50
"""Albums that are remembered as answered; their pictures arrive within seconds of each other."""
_DAYS = 3
"""Telegram keeps and repeats an update for 24 hours."""


def store(connection: sqlite3.Connection, updates: Sequence[tuple[int, str]], now: float) -> list[int]:
    """Store (update id, JSON) pairs; the ids that were new. Ones that were seen before are left out silently."""
    fresh = []
    for update_id, payload in updates:
        done = connection.execute(
            "INSERT OR IGNORE INTO inbox(update_id, payload, received) VALUES (?, ?, ?)", (update_id, payload, now)
        )
        if done.rowcount:
            fresh.append(update_id)
    return fresh


def answered(connection: sqlite3.Connection, update_id: int) -> bool:
    """Whether the update has been answered (or was never stored)."""
    row = connection.execute("SELECT payload FROM inbox WHERE update_id = ?", (update_id,)).fetchone()
    return row is None or row["payload"] is None


def finish(connection: sqlite3.Connection, update_id: int) -> None:
    """Remember the update as answered; its text is dropped, its id kept against repeats."""
    connection.execute("UPDATE inbox SET payload = NULL WHERE update_id = ?", (update_id,))


def waiting(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    """(id, JSON) of all unanswered updates, in the order of their arrival."""
    rows = connection.execute(
        "SELECT update_id, payload FROM inbox WHERE payload IS NOT NULL ORDER BY received, update_id"
    )
    return [(row["update_id"], row["payload"]) for row in rows]


def first_of_album(connection: sqlite3.Connection, update_id: int, album: str, captioned: bool) -> bool:
    """Whether this update is the one of its album (`media_group_id`) that is to be answered: the one with the caption,
    or else the first. Telegram sends an update for each picture of it."""
    album = "".join(album.split())  # kept in one line of words
    key = json.dumps({"media_group_id": album}, ensure_ascii=False)[1:-1]
    rows = connection.execute("SELECT payload FROM inbox WHERE payload IS NOT NULL AND update_id <> ?", (update_id,))
    others = [json.loads(row["payload"]) for row in rows if key in row["payload"]]
    answered = connection.execute("SELECT value FROM facts WHERE key = 'album'").fetchone()
    if not captioned and ((answered is not None and album in answered["value"].split()) or _any_captioned(others)):
        return False
    kept = [] if answered is None else answered["value"].split()[-_ALBUMS:]
    connection.execute("INSERT OR REPLACE INTO facts(key, value) VALUES ('album', ?)", (" ".join([*kept, album]),))
    return True


def _any_captioned(updates: list[dict[str, Any]]) -> bool:
    return any(update.get("message", {}).get("caption") for update in updates)


def others_wait(connection: sqlite3.Connection, update_id: int, user_id: int) -> bool:
    """Whether more messages of this person wait to be answered: lines that were pasted or forwarded at once."""
    row = connection.execute(
        "SELECT 1 FROM inbox WHERE payload IS NOT NULL AND update_id <> ?"
        " AND json_extract(payload, '$.message.from.id') = ? LIMIT 1",
        (update_id, user_id),
    ).fetchone()
    return row is not None


def forget_old(connection: sqlite3.Connection, now: float) -> None:
    """Drop the ids of updates that were answered long ago: older than `_DAYS` and not among the newest 100,000.

    The age decides, not the size of an id: after a week without updates Telegram goes on from a random id, which may be
    lower. The newest ones stay whatever the clock says, which may have jumped.
    """
    connection.execute(
        "DELETE FROM inbox WHERE payload IS NULL AND received < ?"
        " AND received < (SELECT received FROM inbox ORDER BY received DESC LIMIT 1 OFFSET ?)",
        (now - _DAYS * 86400, _REMEMBERED),
    )
