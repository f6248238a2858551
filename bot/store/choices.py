"""Choices: several badges drawn as one job (`more:17:4`), of which the person picks one.

Each is a job of its own, `choice:18:2` the second of the choice 18: `offered` until the choice is delivered, and then
delivered like it, so that /history has them all.
"""

import sqlite3

from bot.store import jobs
from bot.store.jobs import Job, Part

MORE = "more"


def origin(job_id: int, many: int) -> str:
    """The origin of a choice of `many` badges like the badge `job_id`."""
    return f"{MORE}:{job_id}:{many}"


def offered(job: Job) -> int:
    """How many badges a job is a choice of; 0 where it is none."""
    verb, _, rest = job.origin.partition(":")
    return int(rest.partition(":")[2]) if verb == MORE else 0


def divide(connection: sqlite3.Connection, choice: Job, parts: tuple[Part, ...], now: float) -> None:
    """Store the badges of a choice that was drawn; those of an earlier drawing go."""
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
    """The choice is in its chat, and its badges with it."""
    connection.execute(
        "UPDATE jobs SET state = 'delivered' WHERE origin GLOB ? AND state = 'offered'", (f"choice:{choice.id}:*",)
    )


def take(connection: sqlite3.Connection, job_id: int, message_id: int) -> None:
    """A badge of a choice was chosen: the choice's message becomes its own."""
    connection.execute("UPDATE jobs SET status_id = ? WHERE id = ?", (message_id, job_id))


def chosen(connection: sqlite3.Connection, choice: Job, number: int) -> Job | None:
    """The badge of that number in a choice; None where there is none or it may not be shown yet."""
    row = connection.execute(
        "SELECT id FROM jobs WHERE user_id = ? AND origin = ? AND state = 'delivered'",
        (choice.user_id, f"choice:{choice.id}:{number}"),
    ).fetchone()
    return None if row is None else jobs.get(connection, row["id"])
