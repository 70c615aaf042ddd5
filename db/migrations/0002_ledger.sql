-- The ledger: accounts hold hard quotas, leases are the nodes' slices of them, reservations are open requests,
-- usage is the append-only truth. The bound `granted <= cap` and its two fellows below are the proof that no
-- quota is overshot: the database evaluates them on the newest row, whatever the gateways do.

-- A node's ordered stream of batches: fence, deduplicator and heartbeat in one row with one writer.
CREATE TABLE node_lane (
    shard int2 NOT NULL,
    node_id int8 NOT NULL,
    epoch uuid NOT NULL,
    last_seq int8 NOT NULL DEFAULT 0,
    live bool NOT NULL DEFAULT true,
    heartbeat_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, node_id)
) WITH (fillfactor = 50);

-- One quota of one subject in one period. A new period is a new row; no counter is ever reset.
-- `limit_units` is what an administrator asked for; `cap` is what is enforced: the greater of the limit and what
-- was already granted when the limit was lowered, sinking as leases come back.
CREATE TABLE account (
    shard int2 NOT NULL,
    account_id int8 NOT NULL,
    organization_id int8 NOT NULL,
    subject_kind int2 NOT NULL CHECK (subject_kind BETWEEN 1 AND 3),
    subject_id int8 NOT NULL,
    resource int2 NOT NULL CHECK (resource BETWEEN 1 AND 3),
    period int2 NOT NULL CHECK (period BETWEEN 1 AND 3),
    period_start date NOT NULL,
    limit_units int8 NOT NULL CHECK (limit_units >= 0),
    cap int8 NOT NULL,
    granted int8 NOT NULL DEFAULT 0,
    used int8 NOT NULL DEFAULT 0,
    last_grant int8 NOT NULL DEFAULT 0,
    ride bool NOT NULL DEFAULT true,
    recall_gen int8 NOT NULL DEFAULT 0,
    closed_at timestamptz,
    PRIMARY KEY (shard, account_id),
    UNIQUE (shard, subject_kind, subject_id, resource, period, period_start),
    CHECK (used >= 0),
    CHECK (used <= granted),
    CHECK (granted <= cap),
    CHECK (limit_units <= cap)
) WITH (fillfactor = 50);

-- A node's slice of an account. Only the node that owns it changes `reserved` and `settled`.
-- Indexes stand on columns that never change, so that updates stay heap-only.
CREATE TABLE lease (
    shard int2 NOT NULL,
    lease_id int8 NOT NULL,
    account_id int8 NOT NULL,
    node_id int8 NOT NULL,
    epoch uuid NOT NULL,
    granted int8 NOT NULL,
    reserved int8 NOT NULL DEFAULT 0,
    settled int8 NOT NULL DEFAULT 0,
    PRIMARY KEY (shard, lease_id),
    CHECK (reserved >= 0),
    CHECK (settled >= 0),
    CHECK (reserved + settled <= granted)
) WITH (fillfactor = 50);
CREATE INDEX lease_account ON lease (shard, account_id);
CREATE INDEX lease_node ON lease (shard, node_id, epoch);

-- Open requests only: inserted and deleted, never updated. `lease_ids`, `account_ids` and `units` run in parallel,
-- one place per quota that the request is subject to.
CREATE TABLE reservation (
    shard int2 NOT NULL,
    request_id uuid NOT NULL,
    node_id int8 NOT NULL,
    epoch uuid NOT NULL,
    key_id int8 NOT NULL,
    model_id int4 NOT NULL,
    backend_id int4 NOT NULL,
    price_version int8,
    prompt_bound int8 NOT NULL CHECK (prompt_bound > 0),
    completion_bound int8 NOT NULL CHECK (completion_bound > 0),
    cost_bound_nanousd int8 NOT NULL CHECK (cost_bound_nanousd >= 0),
    lease_ids int8[] NOT NULL,
    account_ids int8[] NOT NULL,
    units int8[] NOT NULL,
    admitted_at timestamptz NOT NULL,
    PRIMARY KEY (shard, request_id),
    CHECK (cardinality(lease_ids) = cardinality(units)),
    CHECK (cardinality(lease_ids) = cardinality(account_ids))
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
CREATE INDEX reservation_node ON reservation (shard, node_id, epoch);

-- One row per accepted request, for ever: the truth that everything else is checked against.
-- basis: 1 reported, 2 counted, 3 recovered, 4 swept, 5 void, 6 late
-- end_state: 1 finished, 2 cut at the bound, 3 client gone, 4 backend failed, 5 failed before the first byte,
--            6 revoked, 7 drained, 8 node lost
-- `charged` is in tokens; `charges` is what each account of `account_ids` was charged, in its own resource.
CREATE TABLE usage (
    shard int2 NOT NULL,
    day date NOT NULL,
    request_id uuid NOT NULL,
    key_id int8 NOT NULL,
    model_id int4 NOT NULL,
    backend_id int4 NOT NULL,
    price_version int8,
    prompt_tokens int8 NOT NULL CHECK (prompt_tokens >= 0),
    cached_tokens int8 NOT NULL CHECK (cached_tokens >= 0),
    cache_write_tokens int8 NOT NULL CHECK (cache_write_tokens >= 0),
    completion_tokens int8 NOT NULL CHECK (completion_tokens >= 0),
    reasoning_tokens int8 NOT NULL CHECK (reasoning_tokens >= 0),
    charged int8 NOT NULL CHECK (charged >= 0),
    overage int8 NOT NULL DEFAULT 0 CHECK (overage >= 0),
    cost_nanousd int8 NOT NULL DEFAULT 0 CHECK (cost_nanousd >= 0),
    basis int2 NOT NULL CHECK (basis BETWEEN 1 AND 6),
    end_state int2 NOT NULL CHECK (end_state BETWEEN 1 AND 8),
    account_ids int8[] NOT NULL,
    charges int8[] NOT NULL,
    node_id int8 NOT NULL,
    admitted_at timestamptz NOT NULL,
    settled_at timestamptz NOT NULL DEFAULT now(),
    first_token_us int8,
    duration_us int8 NOT NULL,
    PRIMARY KEY (shard, day, request_id),
    CHECK (cardinality(account_ids) = cardinality(charges))
) PARTITION BY RANGE (day);

-- Must stay empty: a row here says that nobody made the day's partition ahead of time.
CREATE TABLE usage_default PARTITION OF usage DEFAULT;

-- At most one correction per request and account, downwards only.
CREATE TABLE usage_adj (
    shard int2 NOT NULL,
    day date NOT NULL,
    request_id uuid NOT NULL,
    account_id int8 NOT NULL,
    delta int8 NOT NULL CHECK (delta <= 0),
    reason int2 NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (shard, day, request_id, account_id)
);

-- Rollup by hour, written in the same statement as the usage rows; a row belongs to one node, so that nodes never
-- wait for each other. `requests` counts charged requests, `failed_requests` void ones.
CREATE TABLE usage_hour (
    shard int2 NOT NULL,
    hour timestamptz NOT NULL,
    key_id int8 NOT NULL,
    model_id int4 NOT NULL,
    node_id int8 NOT NULL,
    requests int8 NOT NULL,
    failed_requests int8 NOT NULL,
    prompt_tokens int8 NOT NULL,
    cached_tokens int8 NOT NULL,
    cache_write_tokens int8 NOT NULL,
    completion_tokens int8 NOT NULL,
    reasoning_tokens int8 NOT NULL,
    charged int8 NOT NULL,
    overage int8 NOT NULL,
    cost_nanousd int8 NOT NULL,
    PRIMARY KEY (shard, hour, key_id, model_id, node_id)
) WITH (fillfactor = 50);

-- Rate-limit cells in the ledger (GCRA, microseconds), leased to nodes. Kept here from the start, in use once
-- several nodes share a rate.
CREATE TABLE rate_bucket (
    shard int2 NOT NULL,
    subject_kind int2 NOT NULL,
    subject_id int8 NOT NULL,
    dimension int2 NOT NULL,
    inc_us int8 NOT NULL,
    burst_us int8 NOT NULL,
    tat_us int8 NOT NULL DEFAULT 0,
    PRIMARY KEY (shard, subject_kind, subject_id, dimension)
) WITH (fillfactor = 50);

-- Makes the daily partitions of `usage` from `first_day` on, `days` of them, that are not there yet; returns how many
-- it made. Two nodes may call it at once: the loser of a race finds the table there and goes on.
CREATE FUNCTION make_usage_partitions(first_day date, days int) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    made int := 0;
    this_day date;
    partition text;
BEGIN
    FOR i IN 0 .. days - 1 LOOP
        this_day := first_day + i;
        partition := 'usage_' || to_char(this_day, 'YYYYMMDD');
        CONTINUE WHEN to_regclass(partition) IS NOT NULL;
        BEGIN
            EXECUTE format('CREATE TABLE %I PARTITION OF usage FOR VALUES FROM (%L) TO (%L)',
                           partition, this_day, this_day + 1);
            made := made + 1;
        EXCEPTION WHEN duplicate_table OR unique_violation OR invalid_object_definition THEN
            NULL;
        END;
    END LOOP;
    RETURN made;
END $$;

SELECT make_usage_partitions((now() AT TIME ZONE 'UTC')::date, 8);
