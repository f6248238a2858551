"""The queue: the next job, queue positions, limits, expected times, and the counters of /stats and /metrics."""

import sqlite3
from dataclasses import dataclass

from bot.store import jobs

SUSPECT = 3
"""Attempts from which on a job comes after those of other people, chosen by hand: an update or a restart may interrupt
a job once or twice, but three times suggests that it crashes the process."""
_MEASURED = 20  # last badges whose mean time is shown, chosen by hand: fewer jump, more follow another generator slowly
_ASSUMED_SECONDS = 20.0  # a guess until the first badge is drawn
_SLICE = 600
"""Seconds: the width of a row of `slices` (see `migrations`)."""
_COUNTS = (
    "origin <> 'award' AND drew AND (state NOT IN ('failed', 'canceled') OR attempts > 0"
    " AND (state = 'canceled' OR error IN ('words', 'refused', 'picture')))"
)
"""Jobs that count towards a person's limits: all but awards, jobs that never started, jobs that failed through no fault
of the person, and those whose portrait was cached. A canceled drawing counts: it used the GPU, or was paid for."""


@dataclass(frozen=True)
class Totals:
    """What /stats and /metrics show. Seconds are means over the last 20 badges."""

    waiting: int
    drawing: int
    oldest_seconds: float
    day: dict[str, int]
    draw_seconds: float
    banner_seconds: float
    send_seconds: float
    cost_usd: float
    people: int


def claim(
    connection: sqlite3.Connection, owner: str, until: float, now: float, preset: str | None = None
) -> jobs.Job | None:
    """Claim the next job, with a lease until `until` (monotonic, as `now`); None if there is none.

    With a `preset`, jobs with that preset come first.
    """
    connection.execute(
        "UPDATE jobs SET state = 'waiting' WHERE state = 'drawing' AND lease_owner = ? AND lease_until < ?",
        (owner, now),
    )
    row = _next(connection, preset)
    if row is None:
        return None
    turn = int(connection.execute("SELECT COALESCE(MAX(served), 0) + 1 FROM people").fetchone()[0])
    connection.execute("UPDATE people SET served = ? WHERE user_id = ?", (turn, row["user_id"]))
    connection.execute(
        "UPDATE jobs SET state = 'drawing', fence = fence + 1, attempts = attempts + 1, lease_owner = ?,"
        " lease_until = ?, turn_before = ? WHERE id = ?",
        (owner, until, row["served"], row["id"]),
    )
    return jobs.get(connection, row["id"])


def first_in_turn(connection: sqlite3.Connection) -> int:
    """The id of the next job, whatever its preset; 0 if there is none."""
    row = _next(connection, None)
    return 0 if row is None else int(row["id"])


def _next(connection: sqlite3.Connection, preset: str | None) -> sqlite3.Row | None:
    row: sqlite3.Row | None = connection.execute(
        "SELECT first.id, people.served, people.user_id FROM"
        " (SELECT MIN(id) AS id, user_id, attempts, preset FROM jobs WHERE state = 'waiting' GROUP BY user_id) AS first"
        " JOIN people ON people.user_id = first.user_id"
        " WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE state = 'drawing' AND user_id = first.user_id)"
        " ORDER BY first.attempts >= ?1, first.preset <> COALESCE(?2, first.preset), people.served, first.id LIMIT 1",
        (SUSPECT, preset),
    ).fetchone()
    return row


def places(connection: sqlite3.Connection) -> dict[int, int]:
    """Each waiting job's queue position, from 1, in the order of `claim` without a preset."""
    rows = connection.execute(
        "SELECT jobs.id, ROW_NUMBER() OVER (PARTITION BY jobs.user_id ORDER BY jobs.id) AS turn, people.served,"
        " MAX(jobs.attempts) OVER (PARTITION BY jobs.user_id) >= ? AS suspect"
        " FROM jobs JOIN people USING (user_id) WHERE state = 'waiting'",
        (SUSPECT,),
    ).fetchall()
    ordered = sorted(rows, key=lambda row: (row["suspect"], row["turn"], row["served"], row["id"]))
    return {row["id"]: number for number, row in enumerate(ordered, start=1)}


def ahead_of(place: int, drawing: int, parallel: int) -> int:
    """The number of jobs ahead of queue position `place`; 0 if a worker is free for it."""
    before = place - 1 + drawing
    return before if before >= parallel else 0


def waiting(connection: sqlite3.Connection, user_id: int | None = None) -> int:
    """The number of waiting jobs, without those being drawn; of one person without awards."""
    if user_id is None:
        return _count(connection, "state = 'waiting'")
    return _count(connection, "state = 'waiting' AND user_id = ? AND origin <> 'award'", user_id)


def drawing(connection: sqlite3.Connection) -> int:
    """The number of jobs being drawn."""
    return _count(connection, "state = 'drawing'")


def made_since(connection: sqlite3.Connection, since: float, now: float, *, user_id: int = 0, chat_id: int = 0) -> int:
    """The number of jobs created between two times that count towards the limits (see `_COUNTS`).

    Jobs dated in the future (the clock was set back) do not count.
    """
    where, values = _between(since, now, user_id, chat_id)
    return _count(connection, where, *values)


def seconds_until_free(
    connection: sqlite3.Connection, limit: int, span: float, now: float, *, user_id: int = 0, chat_id: int = 0
) -> float:
    """Seconds until one more badge is within `limit` badges per `span` seconds; 0 if it is now."""
    where, values = _between(now - span, now, user_id, chat_id)
    row = connection.execute(
        f"SELECT created FROM jobs WHERE {where} ORDER BY created DESC LIMIT 1 OFFSET ?", (*values, limit - 1)
    ).fetchone()
    return 0.0 if row is None else max(0.0, float(row["created"]) + span - now)


def _between(since: float, now: float, user_id: int, chat_id: int) -> tuple[str, tuple[float, ...]]:
    who, whom = ("user_id = ?", user_id) if user_id else ("chat_id = ?", chat_id)
    where = f"{who} AND created > ? AND created <= ? AND {_COUNTS}"
    return where, (whom, since, now)


def similar(connection: sqlite3.Connection, english: str, preset: str) -> int | None:
    """The seed of an unfinished job from a dialogue with the same object and preset; None if there is none."""
    row = connection.execute(
        "SELECT seed FROM jobs WHERE state IN ('waiting', 'drawing') AND origin = 'dialogue' AND english = ?"
        " AND preset = ? ORDER BY id LIMIT 1",
        (english, preset),
    ).fetchone()
    return None if row is None else int(row["seed"])


def in_flight(connection: sqlite3.Connection, user_id: int, origin: str) -> bool:
    """Whether a job of this person with this `origin` (button and badge) is unfinished."""
    under_way = "state IN ('waiting', 'drawing', 'drawn', 'reviewing')"
    return bool(_count(connection, f"user_id = ? AND origin = ? AND {under_way}", user_id, origin))


def seconds_a_badge(connection: sqlite3.Connection) -> float:
    """Mean seconds to draw a badge, over the last ones; `_ASSUMED_SECONDS` before the first."""
    row = connection.execute(
        "SELECT AVG(s) AS mean FROM (SELECT draw_seconds + banner_seconds AS s FROM jobs INDEXED BY jobs_pictured"
        " WHERE picture <> ''"
        " ORDER BY id DESC LIMIT ?)",
        (_MEASURED,),
    ).fetchone()
    return _ASSUMED_SECONDS if row["mean"] is None else float(row["mean"])


def totals(connection: sqlite3.Connection, now: float) -> Totals:
    """The numbers of /stats and /metrics, in a time that does not grow with the number of badges."""
    oldest = connection.execute("SELECT MIN(created) AS t FROM jobs WHERE state = 'waiting'").fetchone()["t"]
    means = connection.execute(
        "SELECT AVG(draw_seconds) AS draw, AVG(banner_seconds) AS banner, AVG(send_seconds) AS send FROM"
        " (SELECT * FROM jobs INDEXED BY jobs_delivered WHERE state = 'delivered' ORDER BY id DESC LIMIT ?)",
        (_MEASURED,),
    ).fetchone()
    sums = _sums(connection)
    return Totals(
        waiting=waiting(connection),
        drawing=drawing(connection),
        oldest_seconds=max(0.0, now - oldest) if oldest is not None else 0.0,
        day=_states_since(connection, now - 86400),
        draw_seconds=means["draw"] or 0.0,
        banner_seconds=means["banner"] or 0.0,
        send_seconds=means["send"] or 0.0,
        cost_usd=sums["cost_usd"],
        people=int(sums["people"]),
    )


def _states_since(connection: sqlite3.Connection, since: float) -> dict[str, int]:
    """Number of jobs created after `since`, by state: from whole slices, and job by job in the first one."""
    first = int(since // _SLICE) + 1
    rows = connection.execute(
        "SELECT state, SUM(n) AS n FROM (SELECT state, n FROM slices WHERE slice >= ?1 UNION ALL"
        " SELECT state, 1 FROM jobs WHERE created > ?2 AND created < ?3) GROUP BY state HAVING SUM(n) > 0",
        (first, since, first * _SLICE),
    ).fetchall()
    return {row["state"]: row["n"] for row in rows}


@dataclass(frozen=True)
class Tally:
    """Counters of all jobs: (generator, outcome, number); of delivered ones the number and the seconds by stage."""

    outcomes: tuple[tuple[str, str, int], ...]
    delivered: int
    seconds: tuple[float, float, float]


def tally(connection: sqlite3.Connection) -> Tally:
    """The counters of /metrics."""
    rows = connection.execute("SELECT generator, state, n FROM outcomes ORDER BY generator, state").fetchall()
    sums = _sums(connection)
    outcomes = tuple((row["generator"], row["state"], row["n"]) for row in rows)
    seconds = sums["draw_seconds"], sums["banner_seconds"], sums["send_seconds"]
    return Tally(outcomes, int(sums["delivered"]), seconds)


def _sums(connection: sqlite3.Connection) -> dict[str, float]:
    """The sums that the triggers in `migrations` keep."""
    return {row["name"]: row["value"] for row in connection.execute("SELECT name, value FROM sums")}


def _count(connection: sqlite3.Connection, where: str, *values: object) -> int:
    return int(connection.execute(f"SELECT COUNT(*) FROM jobs WHERE {where}", values).fetchone()[0])
