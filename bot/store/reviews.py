"""Reviews: badges that have to be approved before delivery: `drawn -> reviewing -> drawn` or `failed`."""

import sqlite3

APPROVED, REFUSED = "approved", "refused"


def begin(connection: sqlite3.Connection, job_id: int, now: float) -> bool:
    """Begin the review of a drawn badge; False if it is not drawn, or was approved before."""
    if decision(connection, job_id) == APPROVED:  # its picture was lost, and drawn again with the same seed
        return False
    done = connection.execute("UPDATE jobs SET state = 'reviewing' WHERE id = ? AND state = 'drawn'", (job_id,))
    if done.rowcount:
        connection.execute("INSERT OR REPLACE INTO reviews(job_id, asked) VALUES (?, ?)", (job_id, now))
    return bool(done.rowcount)


def decide(connection: sqlite3.Connection, job_id: int, approved: bool, decider: int, now: float) -> bool:
    """Approve or refuse a badge; False if it is not in review."""
    state, error = ("drawn", "") if approved else ("failed", REFUSED)
    done = connection.execute(
        "UPDATE jobs SET state = ?, error = ? WHERE id = ? AND state = 'reviewing'", (state, error, job_id)
    )
    if done.rowcount:
        connection.execute(
            "UPDATE reviews SET decided = ?, decision = ?, decider = ? WHERE job_id = ?",
            (now, APPROVED if approved else REFUSED, decider, job_id),
        )
    return bool(done.rowcount)


def decision(connection: sqlite3.Connection, job_id: int) -> str:
    """`approved`, `refused`, or "" if nobody has decided."""
    row = connection.execute("SELECT decision FROM reviews WHERE job_id = ?", (job_id,)).fetchone()
    return "" if row is None else str(row["decision"])


def overdue(connection: sqlite3.Connection, before: float, now: float) -> list[int]:
    """Badges in review since `before` or longer; each is returned once a day."""
    rows = connection.execute(
        "SELECT job_id FROM reviews JOIN jobs ON jobs.id = job_id WHERE decided = 0 AND asked <= ?1"
        " AND reminded <= ?2 AND state = 'reviewing' ORDER BY job_id",
        (before, now - 86400.0),
    ).fetchall()
    connection.executemany("UPDATE reviews SET reminded = ? WHERE job_id = ?", [(now, row["job_id"]) for row in rows])
    return [row["job_id"] for row in rows]


def waiting(connection: sqlite3.Connection) -> int:
    """The number of badges in review."""
    return int(connection.execute("SELECT COUNT(*) FROM jobs WHERE state = 'reviewing'").fetchone()[0])
