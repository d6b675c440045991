-- What the facility holds. Columns never change their meaning; a new meaning is a new column.

CREATE TABLE meta (
    name  TEXT NOT NULL PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Who numbers and chains links. `no` stands for the author in the other tables.
CREATE TABLE authors (
    no            INTEGER PRIMARY KEY,
    id            BLOB NOT NULL UNIQUE,
    key           BLOB NOT NULL,
    tablet        BLOB,             -- none for an author of a server
    endorser      BLOB,             -- none for the facility key
    signature     BLOB NOT NULL,
    first_seen_at INTEGER NOT NULL  -- ms UTC
) STRICT;

-- Immutable bodies, as the very bytes that were hashed. The other columns are read from the bytes, once, for looking
-- things up; they are empty where the bytes cannot be read.
CREATE TABLE bodies (
    no          INTEGER PRIMARY KEY,
    hash        BLOB NOT NULL UNIQUE,
    id          BLOB NOT NULL,      -- nil UUID where it cannot be read
    author      INTEGER NOT NULL REFERENCES authors (no),
    seq         INTEGER NOT NULL,   -- the link that brought it here first
    kind        TEXT NOT NULL,
    stay        BLOB,               -- none for events of the ward
    observed_at INTEGER NOT NULL,   -- ms UTC
    recorded_at INTEGER NOT NULL,   -- ms UTC
    bytes       BLOB NOT NULL
) STRICT;
CREATE INDEX bodies_by_id ON bodies (id);

CREATE TABLE links (
    author      INTEGER NOT NULL REFERENCES authors (no),
    seq         INTEGER NOT NULL,
    body        INTEGER NOT NULL REFERENCES bodies (no),
    hash        BLOB NOT NULL,
    received_at INTEGER NOT NULL,   -- ms UTC, server time
    PRIMARY KEY (author, seq)
) STRICT, WITHOUT ROWID;

-- One row a committed batch: the author's signature over its last link, and the facility's receipt for it.
CREATE TABLE heads (
    author      INTEGER NOT NULL REFERENCES authors (no),
    seq         INTEGER NOT NULL,
    signature   BLOB NOT NULL,
    received_at INTEGER NOT NULL,   -- of the links after the head before
    request     BLOB NOT NULL,
    receipt     BLOB NOT NULL,
    -- Links up to proven_seq were received earlier, by an older receipt that the tablet showed; 0 where none was.
    proven_seq  INTEGER NOT NULL,
    proven_at   INTEGER NOT NULL,
    PRIMARY KEY (author, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE wards (
    no INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE
) STRICT;

CREATE TABLE feed (
    ward        INTEGER NOT NULL REFERENCES wards (no),
    n           INTEGER NOT NULL,
    body        INTEGER NOT NULL REFERENCES bodies (no),
    observed_at INTEGER NOT NULL,   -- of the body; for the last-24-hours part of an opening
    hash        BLOB NOT NULL,      -- rolling
    PRIMARY KEY (ward, n)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX feed_by_body ON feed (body, ward);
CREATE INDEX feed_by_time ON feed (ward, observed_at, n);

-- Derived from the feed: the rows that a fresh tablet needs whatever their age. Updated as things end.
CREATE TABLE standing (
    ward  INTEGER NOT NULL,
    n     INTEGER NOT NULL,
    id    BLOB NOT NULL,            -- of the record
    about BLOB NOT NULL,            -- the record that it answers; its own id where it answers none
    stay  BLOB NOT NULL,            -- nil UUID for events of the ward
    kind  TEXT NOT NULL,
    at    INTEGER NOT NULL,         -- ms UTC, min(observed, received)
    until INTEGER NOT NULL,         -- ms UTC; needed until then
    PRIMARY KEY (ward, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX standing_by_until ON standing (ward, until);
CREATE INDEX standing_by_stay ON standing (stay, kind);
CREATE INDEX standing_by_about ON standing (about);

-- What is odd about a body: shown to a person, never a reason to drop it.
CREATE TABLE flags (
    body INTEGER NOT NULL REFERENCES bodies (no),
    code TEXT NOT NULL,
    PRIMARY KEY (body, code)
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    tablet BLOB NOT NULL PRIMARY KEY,
    author BLOB NOT NULL,
    last   INTEGER NOT NULL         -- ms UTC, server time
) STRICT, WITHOUT ROWID;

-- Every version of what the facility set up; the newest holds.
CREATE TABLE roster (
    version    INTEGER PRIMARY KEY,
    changed_at INTEGER NOT NULL,    -- ms UTC
    changed_by BLOB,                -- staff id; none for a machine
    json       TEXT NOT NULL
) STRICT;

CREATE TABLE invites (
    code_hash  BLOB NOT NULL PRIMARY KEY,
    ward       BLOB NOT NULL,
    uses_left  INTEGER NOT NULL,
    made_at    INTEGER NOT NULL,    -- ms UTC
    made_by    BLOB,                -- staff id; none for the command line
    expires_at INTEGER NOT NULL     -- ms UTC
) STRICT, WITHOUT ROWID;

-- Station passwords: Argon2id, as PHC strings.
CREATE TABLE logins (
    name     TEXT NOT NULL PRIMARY KEY,
    staff    BLOB NOT NULL,
    password TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TRIGGER bodies_stay BEFORE UPDATE ON bodies BEGIN SELECT RAISE(ABORT, 'a body is never changed'); END;
CREATE TRIGGER bodies_keep BEFORE DELETE ON bodies BEGIN SELECT RAISE(ABORT, 'a body is never deleted'); END;
CREATE TRIGGER links_stay BEFORE UPDATE ON links BEGIN SELECT RAISE(ABORT, 'a link is never changed'); END;
CREATE TRIGGER links_keep BEFORE DELETE ON links BEGIN SELECT RAISE(ABORT, 'a link is never deleted'); END;
CREATE TRIGGER heads_stay BEFORE UPDATE ON heads BEGIN SELECT RAISE(ABORT, 'a signed head is never changed'); END;
CREATE TRIGGER heads_keep BEFORE DELETE ON heads BEGIN SELECT RAISE(ABORT, 'a signed head is never deleted'); END;
CREATE TRIGGER authors_stay BEFORE UPDATE ON authors BEGIN SELECT RAISE(ABORT, 'an author is never changed'); END;
CREATE TRIGGER authors_keep BEFORE DELETE ON authors BEGIN SELECT RAISE(ABORT, 'an author is never deleted'); END;
CREATE TRIGGER feed_stays BEFORE UPDATE ON feed BEGIN SELECT RAISE(ABORT, 'a feed row is never changed'); END;
CREATE TRIGGER feed_keeps BEFORE DELETE ON feed BEGIN SELECT RAISE(ABORT, 'a feed row is never deleted'); END;
