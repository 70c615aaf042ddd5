-- Seals: the totals of a day whose records are final. The audit writes one for a closed day that it has proved, so
-- that it need not read the day again; retention keeps one for each day that it drops, so that balances stay
-- provable from the tables alone.

-- A sealed day of a shard. While `dropped_at` is null the records are still there and the seal only saves reading.
CREATE TABLE IF NOT EXISTS sealed_day (
    shard int2 NOT NULL,
    day date NOT NULL,
    records int8 NOT NULL CHECK (records > 0),
    first_settled_at timestamptz NOT NULL,
    last_settled_at timestamptz NOT NULL,
    sealed_at timestamptz NOT NULL DEFAULT now(),
    dropped_at timestamptz,
    PRIMARY KEY (shard, day)
);

-- What a sealed day's records charged each account, in the account's resource. Corrections are not in it.
CREATE TABLE IF NOT EXISTS sealed_account (
    shard int2 NOT NULL,
    day date NOT NULL,
    account_id int8 NOT NULL,
    charged int8 NOT NULL,
    PRIMARY KEY (shard, day, account_id)
);

-- A sealed day's records added up by key and model: what the rollup by hour must add up to.
CREATE TABLE IF NOT EXISTS sealed_key (
    shard int2 NOT NULL,
    day date NOT NULL,
    key_id int8 NOT NULL,
    model_id int4 NOT NULL,
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
    PRIMARY KEY (shard, day, key_id, model_id)
);

-- The days that have a partition of their own, oldest first.
CREATE OR REPLACE FUNCTION usage_partition_days() RETURNS SETOF date
LANGUAGE sql STABLE AS $$
    SELECT to_date(substr(c.relname, 7), 'YYYYMMDD') FROM pg_inherits i
    JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'usage'::regclass AND c.relname ~ '^usage_[0-9]{8}$'
    ORDER BY 1
$$;

-- Keeps everybody from writing into a day's partition until the transaction ends.
CREATE OR REPLACE FUNCTION hold_usage_partition(this_day date) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('LOCK TABLE ONLY %I IN SHARE MODE', 'usage_' || to_char(this_day, 'YYYYMMDD'));
END $$;

-- Drops a day's partition. Refuses unless every record of it is in a seal that is marked as dropped.
CREATE OR REPLACE FUNCTION drop_usage_partition(this_day date) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    partition text := 'usage_' || to_char(this_day, 'YYYYMMDD');
    found int8;
    sealed int8;
BEGIN
    EXECUTE format('SELECT count(*) FROM ONLY %I', partition) INTO found;
    SELECT coalesce(sum(d.records), 0) INTO sealed FROM sealed_day d
    WHERE d.day = this_day AND d.dropped_at IS NOT NULL;
    IF found <> sealed THEN
        RAISE EXCEPTION 'day % has % records, its seals %', this_day, found, sealed;
    END IF;
    EXECUTE format('ALTER TABLE usage DETACH PARTITION %I', partition);
    EXECUTE format('DROP TABLE %I', partition);
END $$;
