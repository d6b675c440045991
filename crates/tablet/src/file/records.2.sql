-- Others' credentials, as they proved themselves.
CREATE TABLE authors_seen (
  author     BLOB NOT NULL PRIMARY KEY CHECK (length(author) = 16),
  -- JSON
  credential TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- How far others' chains went at the server, each signed by its author: evidence of what the server's history was.
CREATE TABLE heads_seen (
  n         INTEGER PRIMARY KEY,
  author    BLOB NOT NULL CHECK (length(author) = 16),
  seq       INTEGER NOT NULL CHECK (seq >= 1),
  hash      BLOB NOT NULL CHECK (length(hash) = 32),
  signature BLOB NOT NULL CHECK (length(signature) = 64),
  UNIQUE (author, seq, hash)
) STRICT;

-- Every feed that was read, in each of its generations.
CREATE TABLE feeds_read (
  no         INTEGER PRIMARY KEY,
  ward       BLOB NOT NULL CHECK (length(ward) = 16),
  generation BLOB NOT NULL CHECK (length(generation) = 16),
  UNIQUE (ward, generation)
) STRICT;
-- In which of them `n` is the number; none for what an older program read.
ALTER TABLE held ADD COLUMN feed INTEGER;

CREATE TRIGGER authors_seen_never_change BEFORE UPDATE ON authors_seen
BEGIN SELECT RAISE(ABORT, 'a credential is never changed'); END;
CREATE TRIGGER authors_seen_never_go BEFORE DELETE ON authors_seen
BEGIN SELECT RAISE(ABORT, 'a credential is never deleted'); END;
CREATE TRIGGER heads_seen_never_change BEFORE UPDATE ON heads_seen
BEGIN SELECT RAISE(ABORT, 'a signed head is never changed'); END;
CREATE TRIGGER heads_seen_never_go BEFORE DELETE ON heads_seen
BEGIN SELECT RAISE(ABORT, 'a signed head is never deleted'); END;
CREATE TRIGGER receipts_never_change BEFORE UPDATE ON receipts
BEGIN SELECT RAISE(ABORT, 'a receipt is never changed'); END;
CREATE TRIGGER receipts_never_go BEFORE DELETE ON receipts
BEGIN SELECT RAISE(ABORT, 'a receipt is never deleted'); END;
