-- What administrators are told of: that a quota has reached a threshold, once, and where word of it went.

-- Append-only. One row for each account, threshold and limit, however many gateways see it: whoever comes second finds
-- it there. `kind`: 1 quota.warning, 2 quota.exhausted, 3 webhook.test, which is of no account.
CREATE TABLE IF NOT EXISTS quota_event (
    shard int2 NOT NULL,
    event_id uuid NOT NULL,
    organization_id int8 NOT NULL,
    kind int2 NOT NULL CHECK (kind BETWEEN 1 AND 3),
    account_id int8,
    threshold_percent int2 CHECK (threshold_percent BETWEEN 1 AND 100),
    limit_units int8 CHECK (limit_units > 0),
    used int8 CHECK (used >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, event_id),
    UNIQUE (shard, account_id, threshold_percent, limit_units),
    CHECK ((kind = 3) = (account_id IS NULL)),
    CHECK ((account_id IS NULL) = (threshold_percent IS NULL)),
    CHECK ((account_id IS NULL) = (limit_units IS NULL)),
    CHECK ((account_id IS NULL) = (used IS NULL))
);

-- An event on its way to one webhook. `state`: 1 pending, 2 delivered, 3 dead. Whoever sends it puts `due_at` ahead first,
-- so that no other does meanwhile, and so that it comes back should the sender die.
CREATE TABLE IF NOT EXISTS event_delivery (
    shard int2 NOT NULL,
    event_id uuid NOT NULL,
    webhook text NOT NULL CHECK (octet_length(webhook) BETWEEN 1 AND 64),
    state int2 NOT NULL DEFAULT 1 CHECK (state BETWEEN 1 AND 3),
    attempts int8 NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    due_at timestamptz NOT NULL DEFAULT now(),
    status int2,
    fault text,
    ended_at timestamptz,
    PRIMARY KEY (shard, event_id, webhook),
    CHECK ((state = 1) = (ended_at IS NULL))
);
CREATE INDEX IF NOT EXISTS event_delivery_due ON event_delivery (shard, webhook, due_at) WHERE state = 1;
CREATE INDEX IF NOT EXISTS event_delivery_dead ON event_delivery (shard, event_id) WHERE state = 3;

-- The accounts of the periods that run. Both columns stay as they are, so that updates of the numbers are heap-only still.
CREATE INDEX IF NOT EXISTS account_period ON account (shard, period_start);
