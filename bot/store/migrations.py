"""The schema, one script per version; `schema.migrate` runs the missing ones in order.

A released script is never changed: changes go into a new one at the end of `SCRIPTS`. Times are seconds since 1970
(wall clock) except `lease_until`, which is the monotonic clock of the process in `lease_owner`, so that a jump of the
wall clock neither ends nor extends a lease.
"""

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

# `object` is what was typed and `english` what the model gets, as everywhere else in the program.
_ENGLISH = """
ALTER TABLE jobs RENAME COLUMN object TO english;
ALTER TABLE jobs RENAME COLUMN typed TO object;
ALTER TABLE dialogues RENAME COLUMN object TO english;
ALTER TABLE dialogues RENAME COLUMN typed TO object;
"""

# /stats and /metrics read these counters, so that they cost the same after a million badges as after ten. They are
# kept by triggers, in the transaction that changes a job; a deleted job stays counted. `slices` are 600 s wide: the
# last 24 hours are at most 145 of them, and only the oldest one is looked up job by job.
_COUNTERS = """
CREATE TABLE sums (name TEXT PRIMARY KEY, value REAL NOT NULL) WITHOUT ROWID;
CREATE TABLE outcomes (
    generator TEXT NOT NULL,
    state     TEXT NOT NULL,
    n         INTEGER NOT NULL,
    PRIMARY KEY (generator, state)
) WITHOUT ROWID;
CREATE TABLE slices (
    slice INTEGER NOT NULL,        -- created / 600
    state TEXT NOT NULL,
    n     INTEGER NOT NULL,
    PRIMARY KEY (slice, state)
) WITHOUT ROWID;
CREATE INDEX jobs_by_time ON jobs(created, state);
CREATE INDEX jobs_by_person_time ON jobs(user_id, created);
CREATE INDEX jobs_delivered ON jobs(id) WHERE state = 'delivered';
CREATE INDEX jobs_pictured ON jobs(id) WHERE picture <> '';
CREATE INDEX people_served ON people(served);
CREATE INDEX inbox_by_time ON inbox(received);
INSERT INTO sums
    SELECT 'people', COUNT(DISTINCT user_id) FROM jobs
    UNION ALL SELECT 'cost_usd', COALESCE(SUM(cost_usd), 0) FROM jobs
    UNION ALL SELECT 'delivered', COUNT(*) FROM jobs WHERE state = 'delivered'
    UNION ALL SELECT 'draw_seconds', COALESCE(SUM(draw_seconds), 0) FROM jobs WHERE state = 'delivered'
    UNION ALL SELECT 'banner_seconds', COALESCE(SUM(banner_seconds), 0) FROM jobs WHERE state = 'delivered'
    UNION ALL SELECT 'send_seconds', COALESCE(SUM(send_seconds), 0) FROM jobs WHERE state = 'delivered';
INSERT INTO outcomes
    SELECT generator, state, COUNT(*) FROM jobs WHERE state IN ('delivered', 'failed', 'canceled')
    GROUP BY generator, state;
INSERT INTO slices SELECT CAST(created / 600 AS INTEGER), state, COUNT(*) FROM jobs GROUP BY 1, 2;
CREATE TRIGGER jobs_added AFTER INSERT ON jobs BEGIN
    INSERT INTO slices VALUES (CAST(NEW.created / 600 AS INTEGER), NEW.state, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
    UPDATE sums SET value = value + 1 WHERE name = 'people'
        AND NOT EXISTS (SELECT 1 FROM jobs WHERE user_id = NEW.user_id AND id <> NEW.id);
    UPDATE sums SET value = value + NEW.cost_usd WHERE name = 'cost_usd' AND NEW.cost_usd <> 0;
END;
CREATE TRIGGER jobs_paid AFTER UPDATE OF cost_usd ON jobs WHEN NEW.cost_usd <> OLD.cost_usd BEGIN
    UPDATE sums SET value = value + NEW.cost_usd - OLD.cost_usd WHERE name = 'cost_usd';
END;
CREATE TRIGGER jobs_moved AFTER UPDATE OF state ON jobs WHEN NEW.state <> OLD.state BEGIN
    UPDATE slices SET n = n - 1 WHERE slice = CAST(OLD.created / 600 AS INTEGER) AND state = OLD.state;
    INSERT INTO slices VALUES (CAST(NEW.created / 600 AS INTEGER), NEW.state, 1)
        ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER jobs_ended AFTER UPDATE OF state ON jobs
    WHEN NEW.state <> OLD.state AND NEW.state IN ('delivered', 'failed', 'canceled') BEGIN
    INSERT INTO outcomes VALUES (NEW.generator, NEW.state, 1) ON CONFLICT DO UPDATE SET n = n + 1;
END;
CREATE TRIGGER jobs_delivered AFTER UPDATE OF state ON jobs
    WHEN NEW.state = 'delivered' AND OLD.state <> 'delivered' BEGIN
    UPDATE sums SET value = value + CASE name
        WHEN 'delivered' THEN 1 WHEN 'draw_seconds' THEN NEW.draw_seconds
        WHEN 'banner_seconds' THEN NEW.banner_seconds ELSE NEW.send_seconds END
        WHERE name IN ('delivered', 'draw_seconds', 'banner_seconds', 'send_seconds');
END;
"""

# `questions` are the bot's messages that a reply may answer, `hints` what was last said without being asked, `moves`
# the ids that a group had before it became a supergroup. `drew` is 0 where the portrait was there already.
_PLACES = """
CREATE TABLE questions (
    chat_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL,
    sent       REAL NOT NULL,
    PRIMARY KEY (chat_id, message_id)
) WITHOUT ROWID;
CREATE TABLE hints (
    chat_id   INTEGER NOT NULL,
    thread_id INTEGER NOT NULL,
    user_id   INTEGER NOT NULL,
    text      TEXT NOT NULL,
    at        REAL NOT NULL,
    PRIMARY KEY (chat_id, thread_id, user_id)
) WITHOUT ROWID;
CREATE TABLE moves (chat_id INTEGER PRIMARY KEY, before INTEGER NOT NULL);
CREATE INDEX outbox_by_chat ON outbox(chat_id, user_id);
CREATE INDEX outbox_by_job ON outbox(job_id);
ALTER TABLE jobs ADD COLUMN drew INTEGER NOT NULL DEFAULT 1;
"""

# `chosen` is the language of /language, `welcomed` when the greeting was sent, `username` and `name` what Telegram
# calls a person (for @name and /people). A dialogue's `text` is a banner text that came before the object was settled.
_WELCOME = """
ALTER TABLE people ADD COLUMN chosen TEXT NOT NULL DEFAULT '';
ALTER TABLE people ADD COLUMN welcomed REAL NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN username TEXT NOT NULL DEFAULT '';
ALTER TABLE people ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE people ADD COLUMN seen REAL NOT NULL DEFAULT 0;
ALTER TABLE dialogues ADD COLUMN text TEXT NOT NULL DEFAULT '';
CREATE INDEX people_by_username ON people(username) WHERE username <> '';
"""

# Badges of people who were forgotten, whose files are still to be removed.
_ERASURES = """
CREATE TABLE erasures (job_id INTEGER PRIMARY KEY, at REAL NOT NULL);
"""

# `access` is what an admin decided (1 allowed, -1 denied), `asked` when the admins were asked about a person.
_MEMBERS = """
CREATE TABLE memberships (
    chat_id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    member  INTEGER NOT NULL,
    at      REAL NOT NULL,         -- when Telegram said so
    PRIMARY KEY (user_id, chat_id)
) WITHOUT ROWID;
ALTER TABLE people ADD COLUMN access INTEGER NOT NULL DEFAULT 0;
ALTER TABLE people ADD COLUMN asked REAL NOT NULL DEFAULT 0;
"""

# A post is a text of the bot's in another chat than the badge's own that becomes the badge: `kind` says what for
# (review). `message_id` is 0 until the text is there. `decided` is 0 while a badge waits for its review; `decision` is
# approved or refused, `decider` the user id of who decided, 0 for nobody any more.
_REVIEWS = """
CREATE TABLE posts (
    job_id     INTEGER NOT NULL,
    kind       TEXT NOT NULL,
    chat_id    INTEGER NOT NULL,
    message_id INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (job_id, kind)
) WITHOUT ROWID;
CREATE TABLE reviews (
    job_id   INTEGER PRIMARY KEY,
    asked    REAL NOT NULL,
    reminded REAL NOT NULL DEFAULT 0,
    decided  REAL NOT NULL DEFAULT 0,
    decision TEXT NOT NULL DEFAULT '',
    decider  INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX reviews_open ON reviews(asked) WHERE decided = 0;
"""

# An award is a job whose `origin` is award; `key` tells one that came from a list from the others of that list.
_AWARDS = """
CREATE TABLE awards (
    job_id     INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    giver      INTEGER NOT NULL,
    giver_name TEXT NOT NULL,
    why        TEXT NOT NULL,
    key        TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX awards_by_key ON awards(key) WHERE key <> '';
"""

# `named`: the person agreed to stand with their name in the gallery.
_GALLERY = """
ALTER TABLE people ADD COLUMN named INTEGER NOT NULL DEFAULT 0;
"""

# A pack is a chat's set of stickers at Telegram; 0 is the one of all private chats. A sticker is a badge in it:
# `before` are the stickers that were there when it was about to be added, `unique_id` is "" until it is known to be.
_PACKS = """
CREATE TABLE packs (
    chat_id INTEGER PRIMARY KEY,
    number  INTEGER NOT NULL,
    name    TEXT NOT NULL
);
CREATE TABLE stickers (
    job_id    INTEGER PRIMARY KEY,
    pack      TEXT NOT NULL,
    before    TEXT NOT NULL,
    file_id   TEXT NOT NULL DEFAULT '',
    unique_id TEXT NOT NULL DEFAULT ''
);
"""

# `preset` is the character that a badge shows, or that was chosen for the badge of a dialogue; "" is the settings' own.
_PRESETS = """
ALTER TABLE jobs ADD COLUMN preset TEXT NOT NULL DEFAULT '';
ALTER TABLE dialogues ADD COLUMN preset TEXT NOT NULL DEFAULT '';
"""

SCRIPTS: tuple[str, ...] = (
    _FIRST, _ENGLISH, _COUNTERS, _PLACES, _WELCOME, _ERASURES, _MEMBERS, _REVIEWS, _AWARDS, _GALLERY, _PACKS,
    _PRESETS,
)  # fmt: skip
