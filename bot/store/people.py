"""People and their dialogues: who is banned, whose turn was when, and which question is open where."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a dialogue goes on: each person has their own in each chat and thread."""

    chat_id: int
    thread_id: int
    user_id: int


@dataclass(frozen=True)
class Dialogue:
    """An open question. `object` and `english` are set from the second question on, `job_id` with `new_text`."""

    question: str
    object: str = ""
    english: str = ""
    job_id: int = 0


def meet(connection: sqlite3.Connection, user_id: int, language: str) -> bool:
    """Remember a person and their language; whether they may talk to the bot (not banned)."""
    connection.execute(
        "INSERT INTO people(user_id, language) VALUES (?, ?)"
        " ON CONFLICT(user_id) DO UPDATE SET language = excluded.language WHERE language <> excluded.language",
        (user_id, language),
    )
    row = connection.execute("SELECT banned FROM people WHERE user_id = ?", (user_id,)).fetchone()
    return not row["banned"]


def ban(connection: sqlite3.Connection, user_id: int, banned: bool) -> None:
    """Ban a person, or take it back."""
    connection.execute(
        "INSERT INTO people(user_id, banned) VALUES (?, ?) ON CONFLICT(user_id) DO UPDATE SET banned = excluded.banned",
        (user_id, int(banned)),
    )


def dialogue(connection: sqlite3.Connection, place: Place) -> Dialogue | None:
    """The open question at a place."""
    row = connection.execute(
        "SELECT question, object, english, job_id FROM dialogues WHERE chat_id = ? AND thread_id = ? AND user_id = ?",
        (place.chat_id, place.thread_id, place.user_id),
    ).fetchone()
    return None if row is None else Dialogue(row["question"], row["object"], row["english"], row["job_id"])


def ask(connection: sqlite3.Connection, place: Place, dialogue: Dialogue, now: float) -> None:
    """Make `dialogue` the open question at a place."""
    connection.execute(
        "INSERT OR REPLACE INTO dialogues(chat_id, thread_id, user_id, question, object, english, job_id, changed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (*_key(place), dialogue.question, dialogue.object, dialogue.english, dialogue.job_id, now),
    )


def clear(connection: sqlite3.Connection, place: Place) -> bool:
    """Close the dialogue at a place; whether there was one."""
    done = connection.execute("DELETE FROM dialogues WHERE chat_id = ? AND thread_id = ? AND user_id = ?", _key(place))
    return bool(done.rowcount)


def fact(connection: sqlite3.Connection, key: str, default: str = "") -> str:
    """A lasting fact about the bot as a whole, such as `paused`."""
    row = connection.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
    return default if row is None else str(row["value"])


def set_fact(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Set a lasting fact."""
    connection.execute("INSERT OR REPLACE INTO facts(key, value) VALUES (?, ?)", (key, value))


def move_chat(connection: sqlite3.Connection, old: int, new: int) -> None:
    """A group became a supergroup: everything about it now has the new id."""
    connection.execute("UPDATE OR REPLACE dialogues SET chat_id = ? WHERE chat_id = ?", (new, old))
    connection.execute("UPDATE outbox SET chat_id = ? WHERE chat_id = ?", (new, old))
    # Message ids do not survive the move, so unfinished badges need a new status message.
    connection.execute("UPDATE jobs SET chat_id = ?, status_id = 0, reply_to = 0 WHERE chat_id = ?", (new, old))


def _key(place: Place) -> tuple[int, int, int]:
    return (place.chat_id, place.thread_id, place.user_id)
