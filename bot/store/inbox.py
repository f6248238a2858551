"""Received updates: unanswered ones with their content, answered ones by id only, to recognise duplicates."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

_REMEMBERED = 100_000  # newest ids that are kept whatever the clock says, chosen by hand: some MB
_ALBUMS = 50  # albums that are remembered as answered, chosen by hand: pictures of one arrive within seconds
_DAYS = 3  # Telegram repeats an update for 24 hours; the rest is a margin for a wrong clock


def store(connection: sqlite3.Connection, updates: Sequence[tuple[int, str]], now: float) -> list[int]:
    """Store (update id, JSON) pairs; returns the new ids. Duplicates are ignored."""
    fresh = []
    for update_id, payload in updates:
        done = connection.execute(
            "INSERT OR IGNORE INTO inbox(update_id, payload, received) VALUES (?, ?, ?)", (update_id, payload, now)
        )
        if done.rowcount:
            fresh.append(update_id)
    return fresh


def answered(connection: sqlite3.Connection, update_id: int) -> bool:
    """Whether the update was answered (or never stored)."""
    row = connection.execute("SELECT payload FROM inbox WHERE update_id = ?", (update_id,)).fetchone()
    return row is None or row["payload"] is None


def finish(connection: sqlite3.Connection, update_id: int) -> None:
    """Mark the update as answered: its content is deleted, its id kept to recognise duplicates."""
    connection.execute("UPDATE inbox SET payload = NULL WHERE update_id = ?", (update_id,))


def waiting(connection: sqlite3.Connection) -> list[tuple[int, str]]:
    """(id, JSON) of all unanswered updates, oldest first."""
    rows = connection.execute(
        "SELECT update_id, payload FROM inbox WHERE payload IS NOT NULL ORDER BY received, update_id"
    )
    return [(row["update_id"], row["payload"]) for row in rows]


def first_of_album(connection: sqlite3.Connection, update_id: int, album: str, captioned: bool) -> bool:
    """Whether this update is the one of its album (`media_group_id`) to answer: that with the caption, else the first.

    Telegram sends an update for each picture of an album.
    """
    album = "".join(album.split())  # the fact is a list separated by spaces
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
    """Whether more messages of this person are unanswered, such as several forwarded at once."""
    row = connection.execute(
        "SELECT 1 FROM inbox WHERE payload IS NOT NULL AND update_id <> ?"
        " AND json_extract(payload, '$.message.from.id') = ? LIMIT 1",
        (update_id, user_id),
    ).fetchone()
    return row is not None


def forget_old(connection: sqlite3.Connection, now: float) -> None:
    """Delete ids of answered updates that are older than `_DAYS` and not among the newest `_REMEMBERED`.

    By age, not by id: after a week without updates Telegram continues with a random id, which may be lower. The newest
    are kept even if the clock has jumped.
    """
    connection.execute(
        "DELETE FROM inbox WHERE payload IS NULL AND received < ?"
        " AND received < (SELECT received FROM inbox ORDER BY received DESC LIMIT 1 OFFSET ?)",
        (now - _DAYS * 86400, _REMEMBERED),
    )
