"""Who may use the bot: people allowed or denied by admins, and the known memberships of chats."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

REMEMBERED = 3600.0
"""Seconds for which a result of getChatMember is used, chosen by hand: if the bot is an admin of the chat, chat_member
updates correct it at once; if not, somebody who left can use the bot for that long."""
ALLOWED, DENIED = 1, -1


@dataclass(frozen=True)
class Known:
    """A person as /people lists them. `access`: ALLOWED, DENIED or 0."""

    user_id: int
    name: str
    username: str
    access: int
    banned: bool


def to_ask(connection: sqlite3.Connection, chats: Sequence[int], user_id: int, now: float) -> tuple[int, ...]:
    """The chats to ask with getChatMember; () if the person is known to be a member of one."""
    rows = connection.execute("SELECT chat_id, member, at FROM memberships WHERE user_id = ?", (user_id,)).fetchall()
    fresh = {row["chat_id"]: bool(row["member"]) for row in rows if 0 <= now - row["at"] < REMEMBERED}
    if any(fresh.get(chat) for chat in chats):
        return ()
    return tuple(chat for chat in chats if chat not in fresh)


def remember(connection: sqlite3.Connection, chat_id: int, user_id: int, member: bool, now: float) -> None:
    """Store whether this person is a member of a chat, as Telegram has just told."""
    connection.execute(
        "INSERT OR REPLACE INTO memberships(chat_id, user_id, member, at) VALUES (?, ?, ?, ?)",
        (chat_id, user_id, int(member), now),
    )


def is_member(connection: sqlite3.Connection, chats: Sequence[int], user_id: int) -> bool:
    """Whether this person is a member of one of these chats, as last told by Telegram."""
    rows = connection.execute("SELECT chat_id FROM memberships WHERE user_id = ? AND member", (user_id,))
    return any(row["chat_id"] in chats for row in rows)


def access(connection: sqlite3.Connection, user_id: int) -> int:
    """What an admin decided about this person: ALLOWED, DENIED, or 0 for nothing."""
    row = connection.execute("SELECT access FROM people WHERE user_id = ?", (user_id,)).fetchone()
    return 0 if row is None else int(row["access"])


def decide(connection: sqlite3.Connection, user_id: int, decision: int) -> bool:
    """Allow or deny a person; False if that was decided already."""
    done = connection.execute(
        "INSERT INTO people(user_id, access) VALUES (?1, ?2)"
        " ON CONFLICT(user_id) DO UPDATE SET access = ?2 WHERE access <> ?2",
        (user_id, decision),
    )
    return bool(done.rowcount)


def asks(connection: sqlite3.Connection, user_id: int, now: float) -> bool:
    """Store a person's request for access; True the first time."""
    done = connection.execute("UPDATE people SET asked = ? WHERE user_id = ? AND asked = 0", (now, user_id))
    return bool(done.rowcount)


def call(connection: sqlite3.Connection, user_id: int, name: str, username: str, now: float) -> None:
    """Store a person's name and username, for @username and /people."""
    connection.execute(
        "UPDATE people SET name = ?, username = ?, seen = ? WHERE user_id = ?", (name, username.lower(), now, user_id)
    )


def by_username(connection: sqlite3.Connection, username: str) -> int:
    """The user id of the person who last wrote with this username (without @); 0 if none."""
    row = connection.execute(
        "SELECT user_id FROM people WHERE username = ? ORDER BY seen DESC LIMIT 1", (username.lower(),)
    ).fetchone()
    return 0 if row is None else int(row["user_id"])


def known(connection: sqlite3.Connection, user_id: int) -> Known | None:
    """What is known about a person; None if they never wrote."""
    row = connection.execute(
        "SELECT user_id, name, username, access, banned FROM people WHERE user_id = ?", (user_id,)
    ).fetchone()
    return None if row is None else _known(row)


def listed(connection: sqlite3.Connection, most: int) -> list[Known]:
    """People who were allowed, denied or banned, then the others, last seen first."""
    rows = connection.execute(
        "SELECT user_id, name, username, access, banned FROM people WHERE user_id > 0"
        " ORDER BY (access <> 0 OR banned) DESC, seen DESC, user_id LIMIT ?",
        (most,),
    )
    return [_known(row) for row in rows]


def _known(row: sqlite3.Row) -> Known:
    return Known(row["user_id"], row["name"], row["username"], row["access"], bool(row["banned"]))
