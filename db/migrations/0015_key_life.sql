-- The life of organizations, teams and keys: they can be suspended and come back, and be deleted while the books keep
-- what they used. Nothing is ever removed from these tables, because usage records refer to them; a name is unique
-- among those that are not deleted, so that it can be given again.
ALTER TABLE organization ADD COLUMN IF NOT EXISTS suspended_at timestamptz;
ALTER TABLE organization ADD COLUMN IF NOT EXISTS suspend_reason text;
ALTER TABLE organization ADD COLUMN IF NOT EXISTS deleted_at timestamptz;

ALTER TABLE team ADD COLUMN IF NOT EXISTS suspended_at timestamptz;
ALTER TABLE team ADD COLUMN IF NOT EXISTS suspend_reason text;
ALTER TABLE team ADD COLUMN IF NOT EXISTS deleted_at timestamptz;
CREATE UNIQUE INDEX IF NOT EXISTS team_name ON team (shard, organization_id, name) WHERE deleted_at IS NULL;
ALTER TABLE team DROP CONSTRAINT IF EXISTS team_shard_organization_id_name_key;

-- `replaced_by`: the key that takes this one's place; both work until `not_after` of this one. `endpoints`: what it may
-- call, null for all. `tags`: name=value. `clamps`: a bound that does not fit is made smaller instead of refused.
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS suspended_at timestamptz;
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS suspend_reason text;
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS revoke_reason text;
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS deleted_at timestamptz;
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS replaced_by int8;
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS endpoints text[];
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS tags text[] NOT NULL DEFAULT '{}';
ALTER TABLE api_key ADD COLUMN IF NOT EXISTS clamps bool NOT NULL DEFAULT false;

-- When a key was last presented and found good, to the minute. Beside the keys, so that noting it is no change of the
-- directory; written by each gateway for all of its keys at once.
CREATE TABLE IF NOT EXISTS key_use (
    shard int2 NOT NULL,
    key_id int8 NOT NULL,
    used_at timestamptz NOT NULL,
    PRIMARY KEY (shard, key_id)
) WITH (fillfactor = 50);
