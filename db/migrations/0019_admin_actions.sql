-- Who administered what: one row for each action, written in the transaction of the change. Appended only; the rows say
-- names as they were then, so that they can be read when what they tell of is renamed or deleted.
CREATE TABLE IF NOT EXISTS admin_action (
    shard int2 NOT NULL,
    action_id int8 NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    revision int8,
    author_way text NOT NULL,
    author_name text NOT NULL,
    action text NOT NULL,
    organization_id int8,
    organization_name text,
    team_id int8,
    subject_kind text NOT NULL,
    subject_id int8,
    subject_name text NOT NULL,
    before json,
    after json,
    PRIMARY KEY (shard, action_id)
);
CREATE INDEX IF NOT EXISTS admin_action_time ON admin_action (shard, at, action_id);
CREATE INDEX IF NOT EXISTS admin_action_revision ON admin_action (shard, revision);

-- The program that owns the table may add to it and read it. A superuser is not bound by this, nor is an owner who
-- first gives himself leave again: what is missing is found by the audit.
REVOKE UPDATE, DELETE, TRUNCATE ON admin_action FROM CURRENT_USER;

-- Each revision above `recorded_from` has an action. Those before were raised by programs that kept no record.
ALTER TABLE directory_revision ADD COLUMN IF NOT EXISTS recorded_from int8 NOT NULL DEFAULT 0;
UPDATE directory_revision SET recorded_from = revision;
