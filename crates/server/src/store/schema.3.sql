-- The second factor of a log-in: the secret of its codes (none where there is none), and the newest step of time whose
-- code was used, so that none is used twice. `must_change`: somebody else made the password.
ALTER TABLE logins ADD COLUMN factor BLOB;
ALTER TABLE logins ADD COLUMN factor_step INTEGER NOT NULL DEFAULT 0;
ALTER TABLE logins ADD COLUMN must_change INTEGER NOT NULL DEFAULT 0;

-- The tablet that goes out of use as another one comes by this invite; none for one more.
ALTER TABLE invites ADD COLUMN replaces BLOB;

-- What the audit is read from.
CREATE INDEX bodies_audited ON bodies (recorded_at, no)
    WHERE kind IN ('audit', 'tablet.joined', 'tablet.moved', 'tablet.revoked', 'access.given');

-- Who was ever admitted, for finding somebody who comes again.
CREATE INDEX bodies_opened ON bodies (no) WHERE kind = 'stay.opened';
