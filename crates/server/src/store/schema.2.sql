-- The older receipt itself, where one shows an earlier time of receipt: so that it can be checked again.
ALTER TABLE heads ADD COLUMN proven_request BLOB;
ALTER TABLE heads ADD COLUMN proven_receipt BLOB;

-- By which invite each tablet came, so that only the same one gives the same answer again.
CREATE TABLE joins (
    author    BLOB NOT NULL PRIMARY KEY,
    code_hash BLOB NOT NULL
) STRICT, WITHOUT ROWID;
