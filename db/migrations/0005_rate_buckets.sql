-- Rate-limit buckets come into use: cells are leased to nodes. Nothing has written to the table before, so that a
-- node of the version before is not disturbed.
-- The limit itself is kept in place of whole microseconds per unit: six million tokens per minute are ten
-- microseconds each, seven million are not a whole number of them, and sixty million and one would be none.
ALTER TABLE rate_bucket DROP COLUMN IF EXISTS inc_us;
ALTER TABLE rate_bucket ADD COLUMN IF NOT EXISTS limit_units int8 NOT NULL CHECK (limit_units > 0);
-- What the last order was granted: the answer of the one statement that decides and debits.
ALTER TABLE rate_bucket ADD COLUMN IF NOT EXISTS last_grant int8 NOT NULL DEFAULT 0;
