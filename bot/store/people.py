"""People and their dialogues: languages, bans, open questions, hints; also facts about the bot and moved chats."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a dialogue takes place: each person has their own in each chat and topic."""

    chat_id: int
    thread_id: int
    user_id: int


@dataclass(frozen=True)
class Dialogue:
    """An open question. `object` and `english` are set from the second question on, `job_id` with `new_text`.

    At the first question `object` has the objects that were offered instead of one that cannot be drawn, one a line;
    with `doubt` the text that the person may want drawn anyway, with `preset` what was given before the character was
    asked for. `text` is a banner text that was given earlier, `preset` the character.
    """

    question: str
    object: str = ""
    english: str = ""
    job_id: int = 0
    text: str = ""
    preset: str = ""


def meet(connection: sqlite3.Connection, user_id: int, language: str) -> bool:
    """Store a person and the language of their Telegram; False if they are banned."""
    connection.execute(
        "INSERT INTO people(user_id, language) VALUES (?, ?)"
        " ON CONFLICT(user_id) DO UPDATE SET language = excluded.language WHERE language <> excluded.language",
        (user_id, language),
    )
    row = connection.execute("SELECT banned FROM people WHERE user_id = ?", (user_id,)).fetchone()
    return not row["banned"]


def language(connection: sqlite3.Connection, user_id: int) -> str:
    """The language code that a person chose, else that of their Telegram; "" if they never wrote."""
    row = connection.execute("SELECT language, chosen FROM people WHERE user_id = ?", (user_id,)).fetchone()
    return "" if row is None else str(row["chosen"] or row["language"])


def chosen_language(connection: sqlite3.Connection, user_id: int) -> str:
    """The language that a person chose by /language; "" for the one of their Telegram."""
    row = connection.execute("SELECT chosen FROM people WHERE user_id = ?", (user_id,)).fetchone()
    return "" if row is None else str(row["chosen"])


def choose_language(connection: sqlite3.Connection, user_id: int, language: str) -> None:
    """Store the language chosen by /language; "" for the one of their Telegram."""
    connection.execute("UPDATE people SET chosen = ? WHERE user_id = ?", (language, user_id))


def is_named(connection: sqlite3.Connection, user_id: int) -> bool:
    """Whether a person agreed to be named in the gallery."""
    row = connection.execute("SELECT named FROM people WHERE user_id = ?", (user_id,)).fetchone()
    return row is not None and bool(row["named"])


def name(connection: sqlite3.Connection, user_id: int, yes: bool) -> None:
    """Store whether a person agrees to be named in the gallery."""
    connection.execute("UPDATE people SET named = ? WHERE user_id = ?", (int(yes), user_id))


def welcome(connection: sqlite3.Connection, user_id: int, now: float) -> bool:
    """Store that a person is greeted; True the first time."""
    done = connection.execute("UPDATE people SET welcomed = ? WHERE user_id = ? AND welcomed = 0", (now, user_id))
    return bool(done.rowcount)


def ban(connection: sqlite3.Connection, user_id: int, banned: bool) -> None:
    """Ban a person, or lift the ban."""
    connection.execute(
        "INSERT INTO people(user_id, banned) VALUES (?, ?) ON CONFLICT(user_id) DO UPDATE SET banned = excluded.banned",
        (user_id, int(banned)),
    )


def know(connection: sqlite3.Connection, user_id: int) -> None:
    """Add a row for a person who may never have written."""
    connection.execute("INSERT OR IGNORE INTO people(user_id) VALUES (?)", (user_id,))


def is_banned(connection: sqlite3.Connection, user_id: int) -> bool:
    """Whether a person is banned."""
    row = connection.execute("SELECT banned FROM people WHERE user_id = ?", (user_id,)).fetchone()
    return row is not None and bool(row["banned"])


def dialogue(connection: sqlite3.Connection, place: Place) -> Dialogue | None:
    """The open question at a place."""
    row = connection.execute(
        "SELECT question, object, english, job_id, text, preset FROM dialogues"
        " WHERE chat_id = ? AND thread_id = ? AND user_id = ?",
        (place.chat_id, place.thread_id, place.user_id),
    ).fetchone()
    return None if row is None else Dialogue(*row)


def ask(connection: sqlite3.Connection, place: Place, dialogue: Dialogue, now: float) -> None:
    """Make `dialogue` the open question at a place."""
    connection.execute(
        "INSERT OR REPLACE INTO dialogues"
        "(chat_id, thread_id, user_id, question, object, english, job_id, text, preset, changed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (*_key(place), dialogue.question, dialogue.object, dialogue.english, dialogue.job_id, dialogue.text,
         dialogue.preset, now),
    )  # fmt: skip


def clear(connection: sqlite3.Connection, place: Place) -> bool:
    """Close the dialogue at a place; True if there was one."""
    done = connection.execute("DELETE FROM dialogues WHERE chat_id = ? AND thread_id = ? AND user_id = ?", _key(place))
    return bool(done.rowcount)


def note_question(connection: sqlite3.Connection, chat_id: int, message_id: int) -> None:
    """Store that the bot's message `message_id` in this chat is a question."""
    connection.execute(
        "INSERT OR REPLACE INTO questions(chat_id, message_id, sent) VALUES (?, ?, CAST(strftime('%s') AS REAL))",
        (chat_id, message_id),
    )


def asked(connection: sqlite3.Connection, place: Place, message_id: int) -> bool:
    """Whether a reply to the bot's message `message_id` answers the question that is open for this person."""
    row = connection.execute(
        "SELECT 1 FROM questions JOIN dialogues USING (chat_id)"
        " WHERE chat_id = ? AND message_id = ? AND thread_id = ? AND user_id = ?",
        (place.chat_id, message_id, place.thread_id, place.user_id),
    ).fetchone()
    return row is not None


def forget_old_questions(connection: sqlite3.Connection) -> None:
    """Delete questions that are older than 30 days."""
    connection.execute("DELETE FROM questions WHERE sent < CAST(strftime('%s', '-30 days') AS REAL)")


def hinted(connection: sqlite3.Connection, place: Place, text: str, now: float, seconds: float) -> bool:
    """Whether the last hint here was this one, less than `seconds` ago; if not, store it as the last."""
    row = connection.execute(
        "SELECT text, at FROM hints WHERE chat_id = ? AND thread_id = ? AND user_id = ?", _key(place)
    ).fetchone()
    if row is not None and row["text"] == text and abs(now - row["at"]) < seconds:
        return True
    connection.execute(
        "INSERT OR REPLACE INTO hints(chat_id, thread_id, user_id, text, at) VALUES (?, ?, ?, ?, ?)",
        (*_key(place), text, now),
    )
    return False


def fact(connection: sqlite3.Connection, key: str, default: str = "") -> str:
    """A stored key-value pair of the whole bot, such as `paused`."""
    row = connection.execute("SELECT value FROM facts WHERE key = ?", (key,)).fetchone()
    return default if row is None else str(row["value"])


def set_fact(connection: sqlite3.Connection, key: str, value: str) -> None:
    """Store a key-value pair of the whole bot."""
    connection.execute("INSERT OR REPLACE INTO facts(key, value) VALUES (?, ?)", (key, value))


def usual_preset(chat_id: int) -> str:
    """The key of the fact with the preset of a chat's badges."""
    return f"preset {chat_id}"


def ids_of_chat(connection: sqlite3.Connection, chat_id: int) -> list[int]:
    """The id of a chat and those that it had before it became a supergroup."""
    ids = [chat_id]
    while row := connection.execute("SELECT before FROM moves WHERE chat_id = ?", (ids[-1],)).fetchone():
        if row["before"] in ids:
            break
        ids.append(row["before"])
    return ids


def move_chat(connection: sqlite3.Connection, old: int, new: int) -> str:
    """A group became a supergroup: replace its id everywhere; returns a warning for the operator."""
    connection.execute("INSERT OR REPLACE INTO moves(chat_id, before) VALUES (?, ?)", (new, old))
    connection.execute("DELETE FROM questions WHERE chat_id = ?", (old,))
    connection.execute("UPDATE OR REPLACE dialogues SET chat_id = ? WHERE chat_id = ?", (new, old))
    connection.execute("UPDATE outbox SET chat_id = ? WHERE chat_id = ?", (new, old))
    connection.execute("UPDATE OR IGNORE packs SET chat_id = ? WHERE chat_id = ?", (new, old))
    connection.execute("UPDATE OR REPLACE facts SET key = ? WHERE key = ?", (usual_preset(new), usual_preset(old)))
    connection.execute("UPDATE posts SET chat_id = ? WHERE chat_id = ?", (new, old))
    # Message ids do not survive the move, so unfinished badges need a new status message.
    connection.execute("UPDATE jobs SET chat_id = ?, status_id = 0, reply_to = 0 WHERE chat_id = ?", (new, old))
    return f"the group {old} is now the supergroup {new}: replace the old id in the settings"


def _key(place: Place) -> tuple[int, int, int]:
    return (place.chat_id, place.thread_id, place.user_id)
