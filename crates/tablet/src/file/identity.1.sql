-- One row: who this tablet is, as JSON, private keys among it.
CREATE TABLE identity (
  one   INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  value TEXT NOT NULL
) STRICT;

-- One row: the roster without PIN verifiers, as JSON.
CREATE TABLE roster (
  one     INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  version INTEGER NOT NULL,
  value   TEXT NOT NULL
) STRICT;

-- HMAC(device secret, Argon2id(PIN, salt)): worthless on another device.
CREATE TABLE pins (
  staff  BLOB NOT NULL PRIMARY KEY CHECK (length(staff) = 16),
  salt   BLOB NOT NULL CHECK (length(salt) = 16),
  sealed BLOB NOT NULL CHECK (length(sealed) = 32)
) STRICT, WITHOUT ROWID;

-- Tries since the last right PIN, counted before each check.
CREATE TABLE pin_tries (
  staff   BLOB NOT NULL PRIMARY KEY CHECK (length(staff) = 16),
  tries   INTEGER NOT NULL,
  wall    INTEGER NOT NULL,
  boot_id BLOB NOT NULL CHECK (length(boot_id) = 16),
  boot_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row while a joining is under way: its key is made before the server is asked, so that a lost answer is met by
-- asking again with the same key.
CREATE TABLE joining (
  one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
  seed BLOB NOT NULL CHECK (length(seed) = 32)
) STRICT;
