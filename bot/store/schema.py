"""The tables, and how an older database becomes today's: one script a version, run in order in one transaction.

Times are seconds since 1970 (wall clock) except `lease_until`, which is the monotonic clock of the process named in
`lease_owner`, so that a wall clock that jumps neither ends nor prolongs a lease.
"""

import sqlite3

from bot.errors import StoreTooNew

_FIRST = """
CREATE TABLE inbox (
    update_id INTEGER PRIMARY KEY,
    payload   TEXT,                -- the update as Telegram sent it; NULL once it is answered
    received  REAL NOT NULL
);
CREATE INDEX inbox_waiting ON inbox(update_id) WHERE payload IS NOT NULL;
CREATE TABLE people (
    user_id  INTEGER PRIMARY KEY,
    language TEXT NOT NULL DEFAULT '',
    banned   INTEGER NOT NULL DEFAULT 0,
    served   INTEGER NOT NULL DEFAULT 0   -- number of the turn in which this person was last served
);
CREATE TABLE dialogues (
    chat_id   INTEGER NOT NULL,
    thread_id INTEGER NOT NULL,
    user_id   INTEGER NOT NULL,
    question  TEXT NOT NULL,       -- object | text | new_text
    typed     TEXT NOT NULL,       -- the object as the person wrote it
    object    TEXT NOT NULL,       -- the object as the prompt has it
    job_id    INTEGER NOT NULL,    -- the badge whose text is being changed, 0 otherwise
    changed   REAL NOT NULL,
    PRIMARY KEY (chat_id, thread_id, user_id)
);
CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id      INTEGER NOT NULL,
    chat_id      INTEGER NOT NULL,
    thread_id    INTEGER NOT NULL,
    reply_to     INTEGER NOT NULL,
    language     TEXT NOT NULL,
    typed        TEXT NOT NULL,
    object       TEXT NOT NULL,
    text         TEXT NOT NULL,
    style        TEXT NOT NULL,
    seed         INTEGER NOT NULL,
    origin       TEXT NOT NULL,    -- dialogue, or what was pressed on which badge: again:17
    state        TEXT NOT NULL,    -- waiting drawing drawn delivered failed canceled
    told         INTEGER NOT NULL DEFAULT 0,   -- the last word about this job has reached the chat
    fence        INTEGER NOT NULL DEFAULT 0,
    lease_owner  TEXT NOT NULL DEFAULT '',
    lease_until  REAL NOT NULL DEFAULT 0,
    turn_before  INTEGER NOT NULL DEFAULT 0,
    attempts     INTEGER NOT NULL DEFAULT 0,
    status_id    INTEGER NOT NULL DEFAULT 0,   -- the status message, which becomes the badge
    sending      INTEGER NOT NULL DEFAULT 0,   -- a photo was about to be sent as a message of its own
    error        TEXT NOT NULL DEFAULT '',
    picture      TEXT NOT NULL DEFAULT '',     -- file name under badges/, without ending
    picture_size INTEGER NOT NULL DEFAULT 0,
    photo_id     TEXT NOT NULL DEFAULT '',
    document_id  TEXT NOT NULL DEFAULT '',
    sticker_id   TEXT NOT NULL DEFAULT '',
    generator    TEXT NOT NULL DEFAULT '',
    draw_seconds   REAL NOT NULL DEFAULT 0,
    banner_seconds REAL NOT NULL DEFAULT 0,
    send_seconds   REAL NOT NULL DEFAULT 0,
    cost_usd     REAL NOT NULL DEFAULT 0,
    created      REAL NOT NULL,
    finished     REAL NOT NULL DEFAULT 0
);
CREATE INDEX jobs_by_state ON jobs(state, user_id, id);
CREATE INDEX jobs_by_person ON jobs(user_id, id);
CREATE INDEX jobs_by_chat ON jobs(chat_id, created);
CREATE INDEX jobs_untold ON jobs(id) WHERE told = 0;
CREATE TABLE outbox (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    chat_id   INTEGER NOT NULL,
    user_id   INTEGER NOT NULL,
    job_id    INTEGER NOT NULL,    -- the job whose status message or file this is, 0 otherwise
    payload   TEXT NOT NULL,
    sending   INTEGER NOT NULL DEFAULT 0,
    created   REAL NOT NULL
);
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

MIGRATIONS: tuple[str, ...] = (_FIRST,)
VERSION = len(MIGRATIONS)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the database to VERSION. Raises StoreTooNew for one that a later version wrote."""
    present = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if present > VERSION:
        raise StoreTooNew(
            f"the database has version {present}, this program knows {VERSION}: update the program, or restore a backup"
        )
    for number in range(present, VERSION):
        script = f"BEGIN IMMEDIATE; {MIGRATIONS[number]} PRAGMA user_version = {number + 1}; COMMIT;"
        connection.executescript(script)
