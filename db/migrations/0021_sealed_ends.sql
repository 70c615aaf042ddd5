-- How requests ended and how long they took, of days whose records are dropped: until then the records themselves tell
-- it, exactly. Written by the function that drops a day, in its transaction and from the records that it drops, so that
-- each request is counted once, in its record or here, whoever calls it: a program of before this table too. A gateway
-- has nothing to do with it.

-- Which power of two a time in microseconds belongs to: 0 below 16, 1 below 32, and so on.
CREATE OR REPLACE FUNCTION latency_octave(us int8) RETURNS int
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT width_bucket(us, '{
        16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768, 65536, 131072, 262144, 524288,
        1048576, 2097152, 4194304, 8388608, 16777216, 33554432, 67108864, 134217728, 268435456, 536870912,
        1073741824, 2147483648, 4294967296, 8589934592, 17179869184, 34359738368, 68719476736, 137438953472,
        274877906944, 549755813888, 1099511627776, 2199023255552, 4398046511104, 8796093022208,
        17592186044416, 35184372088832, 70368744177664, 140737488355328, 281474976710656, 562949953421312,
        1125899906842624, 2251799813685248, 4503599627370496, 9007199254740992, 18014398509481984,
        36028797018963968, 72057594037927936, 144115188075855872, 288230376151711744, 576460752303423488,
        1152921504606846976, 2305843009213693952, 4611686018427387904}'::int8[])
$$;

-- The bucket of a time in microseconds, 0 or more: sixteen of equal width for each power of two, as in HdrHistogram
-- (Gil Tene, hdrhistogram.org). The middle of a bucket is at most 1/32 away from any time in it; below 32 us each time
-- has its own. Both functions are one expression each, which the planner writes into the query.
CREATE OR REPLACE FUNCTION latency_bucket(us int8) RETURNS int2
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT (16 * latency_octave(us) + ((us >> greatest(latency_octave(us) - 1, 0)) & 15))::int2
$$;

-- A dropped day's records by key, model and how they ended. The sums are those of `sealed_key`, whose rows these add up
-- to; `correction_nanousd` is what corrections of their prices had come to. `timed` requests are those whose times
-- count: reported, counted and late ones. Of them the arrays tell how many fell into which bucket, in pairs: until the
-- first token, where there was one, and until the end.
CREATE TABLE IF NOT EXISTS sealed_end (
    shard int2 NOT NULL,
    day date NOT NULL,
    key_id int8 NOT NULL,
    model_id int4 NOT NULL,
    end_state int2 NOT NULL CHECK (end_state BETWEEN 1 AND 8),
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
    correction_nanousd int8 NOT NULL,
    timed int8 NOT NULL CHECK (timed BETWEEN 0 AND requests),
    first_token_buckets int2[] NOT NULL,
    first_token_counts int8[] NOT NULL,
    duration_buckets int2[] NOT NULL,
    duration_counts int8[] NOT NULL,
    PRIMARY KEY (shard, day, key_id, model_id, end_state),
    CHECK (cardinality(first_token_buckets) = cardinality(first_token_counts)),
    CHECK (cardinality(duration_buckets) = cardinality(duration_counts))
);

-- Whether `sealed_end` has the day. Days that were dropped before there was such a table have nothing in it.
ALTER TABLE sealed_day ADD COLUMN IF NOT EXISTS has_ends bool NOT NULL DEFAULT false;

-- Drops a day's partition. Refuses unless every record of it is in a seal that is marked as dropped. Keeps how its
-- requests ended and how long they took: two passes over the partition, which the caller holds.
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
    EXECUTE format($insert$
        WITH s AS (
            SELECT u.shard, u.key_id, u.model_id, u.end_state, count(*) FILTER (WHERE u.basis <> 5) AS requests,
                count(*) FILTER (WHERE u.basis = 5) AS failed, sum(u.prompt_tokens) AS prompt,
                sum(u.cached_tokens) AS cached, sum(u.cache_write_tokens) AS cache_write,
                sum(u.completion_tokens) AS completion, sum(u.reasoning_tokens) AS reasoning,
                sum(u.charged) AS charged, sum(u.overage) AS overage, sum(u.cost_nanousd) AS cost,
                count(*) FILTER (WHERE u.basis IN (1, 2, 6)) AS timed
            FROM ONLY %1$I u GROUP BY 1, 2, 3, 4),
        c AS (
            SELECT u.shard, u.key_id, u.model_id, u.end_state, sum(p.delta_nanousd) AS correction
            FROM (SELECT DISTINCT s.shard FROM s) x
            JOIN price_correction p ON p.shard = x.shard AND p.day = $1
            JOIN ONLY %1$I u ON u.shard = p.shard AND u.day = p.day AND u.request_id = p.request_id
            GROUP BY 1, 2, 3, 4),
        b AS (
            SELECT u.shard, u.key_id, u.model_id, u.end_state, t.is_first, latency_bucket(greatest(t.us, 0)) AS bucket,
                count(*) AS n
            FROM ONLY %1$I u CROSS JOIN LATERAL (VALUES (true, u.first_token_us), (false, u.duration_us))
                AS t(is_first, us)
            WHERE u.basis IN (1, 2, 6) AND t.us IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6),
        h AS (
            SELECT b.shard, b.key_id, b.model_id, b.end_state,
                array_agg(b.bucket ORDER BY b.bucket) FILTER (WHERE b.is_first) AS first_buckets,
                array_agg(b.n ORDER BY b.bucket) FILTER (WHERE b.is_first) AS first_counts,
                array_agg(b.bucket ORDER BY b.bucket) FILTER (WHERE NOT b.is_first) AS end_buckets,
                array_agg(b.n ORDER BY b.bucket) FILTER (WHERE NOT b.is_first) AS end_counts
            FROM b GROUP BY 1, 2, 3, 4)
        INSERT INTO sealed_end (shard, day, key_id, model_id, end_state, requests, failed_requests, prompt_tokens,
            cached_tokens, cache_write_tokens, completion_tokens, reasoning_tokens, charged, overage, cost_nanousd,
            correction_nanousd, timed, first_token_buckets, first_token_counts, duration_buckets, duration_counts)
        SELECT s.shard, $1, s.key_id, s.model_id, s.end_state, s.requests, s.failed, s.prompt, s.cached,
            s.cache_write, s.completion, s.reasoning, s.charged, s.overage, s.cost, coalesce(c.correction, 0),
            s.timed, coalesce(h.first_buckets, '{}'), coalesce(h.first_counts, '{}'),
            coalesce(h.end_buckets, '{}'), coalesce(h.end_counts, '{}')
        FROM s LEFT JOIN h USING (shard, key_id, model_id, end_state)
        LEFT JOIN c USING (shard, key_id, model_id, end_state)
        $insert$, partition) USING this_day;
    UPDATE sealed_day SET has_ends = true WHERE day = this_day AND dropped_at IS NOT NULL AND NOT has_ends;
    EXECUTE format('ALTER TABLE usage DETACH PARTITION %I', partition);
    EXECUTE format('DROP TABLE %I', partition);
END $$;
