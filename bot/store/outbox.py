"""Messages to be sent, in the order in which they were stored."""

import json
import sqlite3
from dataclasses import asdict, dataclass, replace

from bot.store import people, posts

_REPEATS = 3  # equal unsent messages to one person, chosen by hand: more would only repeat them

Button = tuple[str, str]
"""Label and callback data."""


@dataclass(frozen=True)
class Message:
    """One message to a chat. `kind`: text, status (a text that will be edited into a badge), photo, document, sticker,
    album, welcome (the example badge with the greeting), delete (the bot's message `target`), post (a text about the
    badge `jobs[0]` in another chat, for the purpose `post`; its buttons come with the picture), illustrate (edits the
    message `target` into that picture), relabel (edits the caption of `target`), tag (sets the tag `text` of the member
    `target`), pack (adds a badge to its chat's sticker set), unpack (removes the sticker `text` from its set).

    `files` are file ids; `jobs` are the badges that they show, whose pictures are uploaded if a file id is not valid;
    `captions` are their captions.
    `force_reply` makes the person's next message a reply, which the bot gets in privacy mode too. `mention` (user id,
    name) begins the text. `asks`: a reply to this message may answer the open question.
    """

    kind: str
    text: str = ""
    thread_id: int = 0
    reply_to: int = 0
    buttons: tuple[tuple[Button, ...], ...] = ()
    files: tuple[str, ...] = ()
    force_reply: str = ""
    mention: tuple[int, str] | None = None
    asks: bool = False
    target: int = 0
    jobs: tuple[int, ...] = ()
    captions: tuple[str, ...] = ()
    post: str = ""


@dataclass(frozen=True)
class Outgoing:
    """A message in the outbox. `sending`: an attempt was started, so it may have arrived. `thread_id`: its topic, if it
    is tried without one."""

    id: int
    chat_id: int
    user_id: int
    job_id: int
    message: Message
    sending: bool = False
    thread_id: int = 0


def put(
    connection: sqlite3.Connection, chat_id: int, user_id: int, message: Message, now: float, job_id: int = 0
) -> Outgoing:
    """Store a message to be sent."""
    payload = json.dumps(asdict(message), ensure_ascii=False)
    row = connection.execute(
        "INSERT INTO outbox(chat_id, user_id, job_id, payload, created) VALUES (?, ?, ?, ?, ?)",
        (chat_id, user_id, job_id, payload, now),
    )
    return Outgoing(int(row.lastrowid or 0), chat_id, user_id, job_id, message)


def begin(connection: sqlite3.Connection, outgoing_id: int) -> None:
    """Store that the message is about to be sent."""
    connection.execute("UPDATE outbox SET sending = 1 WHERE id = ?", (outgoing_id,))


def done(connection: sqlite3.Connection, outgoing: Outgoing, message_id: int = 0) -> list[Outgoing]:
    """The message was sent as `message_id`, or given up (0); returns the messages that follow it."""
    row = connection.execute("DELETE FROM outbox WHERE id = ? RETURNING created", (outgoing.id,)).fetchone()
    if outgoing.message.kind == "status" and message_id:
        connection.execute("UPDATE jobs SET status_id = ? WHERE id = ?", (message_id, outgoing.job_id))
    if outgoing.message.asks and message_id:
        people.note_question(connection, outgoing.chat_id, message_id)
    if outgoing.message.kind != "post" or not message_id or row is None:
        return []
    posts.sent(connection, outgoing.message.jobs[0], outgoing.message.post, message_id)
    picture = replace(outgoing.message, kind="illustrate", target=message_id)
    return [put(connection, outgoing.chat_id, outgoing.user_id, picture, row["created"], outgoing.job_id)]


def pending(connection: sqlite3.Connection) -> list[Outgoing]:
    """Everything still to be sent, oldest first."""
    rows = connection.execute("SELECT * FROM outbox ORDER BY id")
    return [
        Outgoing(r["id"], r["chat_id"], r["user_id"], r["job_id"], _message(r["payload"]), bool(r["sending"]))
        for r in rows
    ]


def asked_for(connection: sqlite3.Connection, job_id: int, kind: str) -> bool:
    """Whether a message of this kind about a job is in the outbox."""
    rows = connection.execute("SELECT payload FROM outbox WHERE job_id = ?", (job_id,))
    return any(_message(row["payload"]).kind == kind for row in rows)


def enough(connection: sqlite3.Connection, chat_id: int, user_id: int, message: Message, most: int) -> bool:
    """Whether equal messages to this person wait already, or `most` messages do."""
    payload = json.dumps(asdict(message), ensure_ascii=False)
    rows = connection.execute("SELECT payload FROM outbox WHERE chat_id = ? AND user_id = ?", (chat_id, user_id))
    waiting = [row["payload"] for row in rows]
    return len(waiting) >= most or waiting.count(payload) >= _REPEATS


def drop(connection: sqlite3.Connection, chat_id: int, thread_id: int | None = None) -> None:
    """Delete the messages to an unreachable chat, or to one topic of it."""
    connection.execute(
        "DELETE FROM outbox WHERE chat_id = ?1 AND (?2 IS NULL OR json_extract(payload, '$.thread_id') = ?2)",
        (chat_id, thread_id),
    )


def _message(payload: str) -> Message:
    value = json.loads(payload)
    value["buttons"] = tuple(tuple((str(b[0]), str(b[1])) for b in row) for row in value["buttons"])
    value["files"] = tuple(value["files"])
    value["jobs"] = tuple(value.get("jobs", ()))
    value["captions"] = tuple(value.get("captions", ()))
    value["mention"] = tuple(value["mention"]) if value.get("mention") else None
    return Message(**value)
