-- The furthest of all receipts is asked for with each batch, and there are as many as batches were sent.
CREATE INDEX receipts_by_seq ON receipts (author, seq);
