-- Small facts by name, as in the records file: what a damaged records file would take along.
CREATE TABLE meta (
  name  TEXT NOT NULL PRIMARY KEY,
  -- JSON.
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
