-- People who were given access on this tablet for some hours. The station's roster has them later, or never.
CREATE TABLE guests (
  staff  BLOB NOT NULL PRIMARY KEY CHECK (length(staff) = 16),
  -- Their entry of a staff list, as JSON.
  value  TEXT NOT NULL,
  until  INTEGER NOT NULL,
  -- As in `pins`.
  salt   BLOB NOT NULL CHECK (length(salt) = 16),
  sealed BLOB NOT NULL CHECK (length(sealed) = 32)
) STRICT, WITHOUT ROWID;

-- The salt of the PIN that was tried: tries at another PIN do not count. None for tries that an older program counted.
ALTER TABLE pin_tries ADD COLUMN salt BLOB CHECK (length(salt) = 16);
