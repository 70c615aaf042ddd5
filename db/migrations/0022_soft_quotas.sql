-- Soft quotas: allowances of whose use somebody is told and that refuse nothing. The account of one counts as any other,
-- by leases, but its `cap` is beyond all use, so that a lease is never refused; what is leased of it says nothing. A program
-- of before this column takes every quota for a hard one: set the first soft one when the last of them has been replaced.
ALTER TABLE quota ADD COLUMN IF NOT EXISTS soft bool NOT NULL DEFAULT false;
ALTER TABLE account ADD COLUMN IF NOT EXISTS soft bool NOT NULL DEFAULT false;
-- Whether the quota was soft when the event happened.
ALTER TABLE quota_event ADD COLUMN IF NOT EXISTS soft bool NOT NULL DEFAULT false;
