"""Numbers about the queue: who waits where, how many in the last hour, how long a badge takes."""

import sqlite3
from dataclasses import dataclass

from bot.store.jobs import SUSPECT

_MEASURED = 20
_ASSUMED_SECONDS = 20.0


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


def places(connection: sqlite3.Connection) -> dict[int, int]:
    """Each waiting job's place, 1 first, in the order in which `jobs.claim` would take them."""
    rows = connection.execute(
        "SELECT jobs.id, ROW_NUMBER() OVER (PARTITION BY jobs.user_id ORDER BY jobs.id) AS turn, people.served,"
        " MAX(jobs.attempts) OVER (PARTITION BY jobs.user_id) >= ? AS suspect"
        " FROM jobs JOIN people USING (user_id) WHERE state = 'waiting'",
        (SUSPECT,),
    ).fetchall()
    ordered = sorted(rows, key=lambda row: (row["suspect"], row["turn"], row["served"], row["id"]))
    return {row["id"]: number for number, row in enumerate(ordered, start=1)}


def ahead_of(place: int, drawing: int, parallel: int) -> int:
    """How many jobs are before the one that waits at `place`; 0 where a worker is free for it."""
    before = place - 1 + drawing
    return before if before >= parallel else 0


def waiting(connection: sqlite3.Connection, user_id: int | None = None) -> int:
    """How many jobs wait, in all or of one person; one that is being drawn does not wait."""
    if user_id is None:
        return _count(connection, "state = 'waiting'")
    return _count(connection, "state = 'waiting' AND user_id = ?", user_id)


def drawing(connection: sqlite3.Connection) -> int:
    """How many jobs are being drawn."""
    return _count(connection, "state = 'drawing'")


def made_since(connection: sqlite3.Connection, since: float, now: float, *, user_id: int = 0, chat_id: int = 0) -> int:
    """Badges asked for between two times, failed and canceled ones excepted.

    Ones dated in the future (the clock was set back) do not count.
    """
    where, values = _between(since, now, user_id, chat_id)
    return _count(connection, where, *values)


def seconds_until_free(
    connection: sqlite3.Connection, limit: int, span: float, now: float, *, user_id: int = 0, chat_id: int = 0
) -> float:
    """Seconds until one badge more keeps to `limit` badges within `span` seconds; 0 where it does now."""
    where, values = _between(now - span, now, user_id, chat_id)
    row = connection.execute(
        f"SELECT created FROM jobs WHERE {where} ORDER BY created DESC LIMIT 1 OFFSET ?", (*values, limit - 1)
    ).fetchone()
    return 0.0 if row is None else max(0.0, float(row["created"]) + span - now)


def _between(since: float, now: float, user_id: int, chat_id: int) -> tuple[str, tuple[float, ...]]:
    who, whom = ("user_id = ?", user_id) if user_id else ("chat_id = ?", chat_id)
    where = f"{who} AND created > ? AND created <= ? AND state NOT IN ('failed', 'canceled')"
    return where, (whom, since, now)


def similar(connection: sqlite3.Connection, thing: str) -> int | None:
    """The seed of a dialogue's job for the same object that is still waiting or being drawn."""
    row = connection.execute(
        "SELECT seed FROM jobs WHERE state IN ('waiting', 'drawing') AND origin = 'dialogue' AND object = ?"
        " ORDER BY id LIMIT 1",
        (thing,),
    ).fetchone()
    return None if row is None else int(row["seed"])


def in_flight(connection: sqlite3.Connection, user_id: int, origin: str) -> bool:
    """Whether a job that came of the same press of the same button is still under way."""
    return bool(
        _count(connection, "user_id = ? AND origin = ? AND state IN ('waiting', 'drawing', 'drawn')", user_id, origin)
    )


def seconds_a_badge(connection: sqlite3.Connection) -> float:
    """Mean seconds from claim to drawn of the last badges; a guess of 20 before the first."""
    row = connection.execute(
        "SELECT AVG(s) AS mean FROM (SELECT draw_seconds + banner_seconds AS s FROM jobs WHERE picture <> ''"
        " ORDER BY id DESC LIMIT ?)",
        (_MEASURED,),
    ).fetchone()
    return _ASSUMED_SECONDS if row["mean"] is None else float(row["mean"])


def totals(connection: sqlite3.Connection, now: float) -> Totals:
    """The numbers of /stats and /metrics."""
    oldest = connection.execute("SELECT MIN(created) AS t FROM jobs WHERE state = 'waiting'").fetchone()["t"]
    day = connection.execute(
        "SELECT state, COUNT(*) AS n FROM jobs WHERE created > ? GROUP BY state", (now - 86400,)
    ).fetchall()
    means = connection.execute(
        "SELECT AVG(draw_seconds) AS draw, AVG(banner_seconds) AS banner, AVG(send_seconds) AS send FROM"
        " (SELECT * FROM jobs WHERE state = 'delivered' ORDER BY id DESC LIMIT ?)",
        (_MEASURED,),
    ).fetchone()
    return Totals(
        waiting=waiting(connection),
        drawing=drawing(connection),
        oldest_seconds=max(0.0, now - oldest) if oldest is not None else 0.0,
        day={row["state"]: row["n"] for row in day},
        draw_seconds=means["draw"] or 0.0,
        banner_seconds=means["banner"] or 0.0,
        send_seconds=means["send"] or 0.0,
        cost_usd=float(connection.execute("SELECT COALESCE(SUM(cost_usd), 0) FROM jobs").fetchone()[0]),
        people=int(connection.execute("SELECT COUNT(DISTINCT user_id) FROM jobs").fetchone()[0]),
    )


@dataclass(frozen=True)
class Tally:
    """All badges ever: (generator, outcome, how many), and of the delivered ones how many and seconds by stage."""

    outcomes: tuple[tuple[str, str, int], ...]
    delivered: int
    seconds: tuple[float, float, float]


def tally(connection: sqlite3.Connection) -> Tally:
    """The counters of /metrics."""
    rows = connection.execute(
        "SELECT generator, state, COUNT(*) AS n FROM jobs WHERE state IN ('delivered', 'failed', 'canceled')"
        " GROUP BY generator, state ORDER BY generator, state"
    ).fetchall()
    sums = connection.execute(
        "SELECT COUNT(*) AS n, COALESCE(SUM(draw_seconds), 0) AS draw, COALESCE(SUM(banner_seconds), 0) AS banner,"
        " COALESCE(SUM(send_seconds), 0) AS send FROM jobs WHERE state = 'delivered'"
    ).fetchone()
    outcomes = tuple((row["generator"], row["state"], row["n"]) for row in rows)
    return Tally(outcomes, sums["n"], (sums["draw"], sums["banner"], sums["send"]))


def _count(connection: sqlite3.Connection, where: str, *values: object) -> int:
    return int(connection.execute(f"SELECT COUNT(*) FROM jobs WHERE {where}", values).fetchone()[0])
