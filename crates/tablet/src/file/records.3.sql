-- Record ids of own bodies that were pruned: whoever tries to save one of them again is told that it was saved.
CREATE TABLE pruned (
  id BLOB NOT NULL PRIMARY KEY CHECK (length(id) = 16)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER pruned_never_changes BEFORE UPDATE ON pruned
BEGIN SELECT RAISE(ABORT, 'what was pruned stays known'); END;
CREATE TRIGGER pruned_never_goes BEFORE DELETE ON pruned
BEGIN SELECT RAISE(ABORT, 'what was pruned stays known'); END;

-- Audit does not stand either: it is kept, sent, and in no board.
DROP INDEX bodies_standing;
CREATE INDEX bodies_standing ON bodies (observed_at) WHERE kind NOT IN
  ('check', 'heard', 'cant_tell', 'not_done', 'mood', 'behaviour', 'note', 'silenced', 'clock.measured', 'audit');
