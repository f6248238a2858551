"""Choices: several badges drawn as one job (origin `more:17:4`), of which the person picks one.

Each badge is also a job of its own (`choice:18:2` is the second of choice 18), in state `offered` until the choice is
delivered and then `delivered` with it, so that /history has all of them.
"""

import sqlite3

from bot.store import jobs
from bot.store.jobs import Job, Part

MORE = "more"


def origin(job_id: int, many: int) -> str:
    """The origin of a choice of `many` badges like the badge `job_id`."""
    return f"{MORE}:{job_id}:{many}"


def offered(job: Job) -> int:
    """The number of badges in a choice; 0 if the job is not a choice."""
    verb, _, rest = job.origin.partition(":")
    return int(rest.partition(":")[2]) if verb == MORE else 0


def divide(connection: sqlite3.Connection, choice: Job, parts: tuple[Part, ...], now: float) -> None:
    """Store the badges of a drawn choice, replacing those of an earlier attempt."""
    connection.execute("DELETE FROM jobs WHERE origin GLOB ? AND state = 'offered'", (f"choice:{choice.id}:*",))
    for number, part in enumerate(parts, start=1):
        connection.execute(
            "INSERT INTO jobs(user_id, chat_id, thread_id, reply_to, language, object, english, text, style, preset,"
            " seed, origin, state, told, picture, picture_size, generator, draw_seconds, drew, created, finished)"
            " SELECT user_id, chat_id, thread_id, reply_to, language, object, english, text, style, preset,"
            " ?, ?, 'offered', 1, ?, ?, ?, ?, ?, created, ? FROM jobs WHERE id = ?",
            (part.seed, f"choice:{choice.id}:{number}", part.picture, part.picture_size, part.generator,
             part.draw_seconds, part.drew, now, choice.id),
        )  # fmt: skip


def deliver(connection: sqlite3.Connection, choice: Job) -> None:
    """Mark the badges of a delivered choice as delivered."""
    connection.execute(
        "UPDATE jobs SET state = 'delivered' WHERE origin GLOB ? AND state = 'offered'", (f"choice:{choice.id}:*",)
    )


def take(connection: sqlite3.Connection, job_id: int, message_id: int) -> None:
    """The badge was picked: the message of the choice becomes its status message."""
    connection.execute("UPDATE jobs SET status_id = ? WHERE id = ?", (message_id, job_id))


def chosen(connection: sqlite3.Connection, choice: Job, number: int) -> Job | None:
    """The badge with that number in a choice; None if there is none or it is not delivered yet."""
    row = connection.execute(
        "SELECT id FROM jobs WHERE user_id = ? AND origin = ? AND state = 'delivered'",
        (choice.user_id, f"choice:{choice.id}:{number}"),
    ).fetchone()
    return None if row is None else jobs.get(connection, row["id"])
