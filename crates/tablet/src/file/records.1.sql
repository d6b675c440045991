-- What happened, as the very bytes that were hashed. Never changed; goes only by pruning.
CREATE TABLE bodies (
  n           INTEGER PRIMARY KEY,
  hash        BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
  -- From the envelope, for finding; sixteen zero bytes, '' and 0 where the body cannot be read.
  id          BLOB NOT NULL CHECK (length(id) = 16),
  kind        TEXT NOT NULL,
  stay        BLOB CHECK (length(stay) = 16),
  observed_at INTEGER NOT NULL,
  bytes       BLOB NOT NULL
) STRICT;
CREATE INDEX bodies_by_id ON bodies (id);
CREATE INDEX bodies_by_time ON bodies (observed_at);
-- What stands whatever its age, for the start: everything but passing observations.
CREATE INDEX bodies_standing ON bodies (observed_at) WHERE kind NOT IN
  ('check', 'heard', 'cant_tell', 'not_done', 'mood', 'behaviour', 'note', 'silenced', 'clock.measured');
CREATE INDEX bodies_by_stay ON bodies (stay, kind, observed_at) WHERE stay IS NOT NULL;

-- This tablet's own chains: one for each author it has been.
CREATE TABLE links (
  author    BLOB NOT NULL CHECK (length(author) = 16),
  seq       INTEGER NOT NULL CHECK (seq >= 1),
  prev      BLOB NOT NULL CHECK (length(prev) = 32),
  body_hash BLOB NOT NULL CHECK (length(body_hash) = 32),
  hash      BLOB NOT NULL CHECK (length(hash) = 32),
  PRIMARY KEY (author, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX links_by_body ON links (body_hash);

CREATE TRIGGER bodies_never_change BEFORE UPDATE ON bodies
BEGIN SELECT RAISE(ABORT, 'a body is never changed'); END;
CREATE TRIGGER links_never_change BEFORE UPDATE ON links
BEGIN SELECT RAISE(ABORT, 'a link is never changed'); END;
CREATE TRIGGER links_never_go BEFORE DELETE ON links
BEGIN SELECT RAISE(ABORT, 'a link is never deleted'); END;

-- What the server holds, as its feed told: by the link that brought a body there first, own ones too.
CREATE TABLE held (
  author      BLOB NOT NULL CHECK (length(author) = 16),
  seq         INTEGER NOT NULL,
  body_hash   BLOB NOT NULL CHECK (length(body_hash) = 32),
  received_at INTEGER NOT NULL,
  -- Number in the feed when it was last read.
  n           INTEGER NOT NULL,
  -- JSON array of codes.
  flags       TEXT NOT NULL,
  PRIMARY KEY (author, seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX held_by_body ON held (body_hash);

-- Where this tablet stands in a ward's feed.
CREATE TABLE feeds (
  ward      BLOB NOT NULL PRIMARY KEY CHECK (length(ward) = 16),
  -- JSON: where the next page begins.
  next      TEXT NOT NULL,
  -- Server time up to which the server is backed up.
  backed_up INTEGER
) STRICT, WITHOUT ROWID;

-- The server's signed word for own heads, in order of arrival: the newest one counts.
CREATE TABLE receipts (
  n           INTEGER PRIMARY KEY,
  author      BLOB NOT NULL CHECK (length(author) = 16),
  seq         INTEGER NOT NULL,
  hash        BLOB NOT NULL CHECK (length(hash) = 32),
  received_at INTEGER NOT NULL,
  request     BLOB NOT NULL CHECK (length(request) = 16),
  signature   BLOB NOT NULL CHECK (length(signature) = 64)
) STRICT;
CREATE INDEX receipts_by_author ON receipts (author, n);

-- Half-made entries by their author.
CREATE TABLE drafts (
  id       BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16),
  staff    BLOB NOT NULL CHECK (length(staff) = 16),
  stay     BLOB NOT NULL CHECK (length(stay) = 16),
  begun_at INTEGER NOT NULL,
  form     TEXT NOT NULL,
  state    TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Small facts by name, as JSON.
CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
