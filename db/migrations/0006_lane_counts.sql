-- What a lane applied, counted where it is applied: so that an audit proves from the tables alone that no batch is
-- missing, and no record of one. And the limits of the past, which a statement of the past is made with.

-- Over all lives of the node. Null until a program that counts has opened the lane: one that does not leaves it so.
ALTER TABLE node_lane
    ADD COLUMN IF NOT EXISTS batches int8,
    ADD COLUMN IF NOT EXISTS batches_before int8,
    ADD COLUMN IF NOT EXISTS opened int8,
    ADD COLUMN IF NOT EXISTS settled int8;

-- Lanes that nobody may come back for are counted now, from the rollup, which outlives the records.
UPDATE node_lane n SET batches = n.last_seq, batches_before = 0, settled = c.records, opened = c.records + c.open
FROM (
    SELECT l.shard, l.node_id,
        (SELECT coalesce(sum(h.requests + h.failed_requests), 0)::int8 FROM usage_hour h
         WHERE h.shard = l.shard AND h.node_id = l.node_id) AS records,
        (SELECT count(*) FROM reservation r WHERE r.shard = l.shard AND r.node_id = l.node_id) AS open
    FROM node_lane l) c
WHERE c.shard = n.shard AND c.node_id = n.node_id AND NOT n.live AND n.opened IS NULL;

-- A sealed day's records by node: what the lanes' counts must add up to.
CREATE TABLE IF NOT EXISTS sealed_node (
    shard int2 NOT NULL,
    day date NOT NULL,
    node_id int8 NOT NULL,
    records int8 NOT NULL CHECK (records > 0),
    PRIMARY KEY (shard, day, node_id)
);
-- Seals of records that are still there are made anew by the next audit, with their nodes.
DELETE FROM sealed_day WHERE dropped_at IS NULL;
DELETE FROM sealed_account s WHERE NOT EXISTS (SELECT 1 FROM sealed_day d WHERE d.shard = s.shard AND d.day = s.day);
DELETE FROM sealed_key s WHERE NOT EXISTS (SELECT 1 FROM sealed_day d WHERE d.shard = s.shard AND d.day = s.day);
INSERT INTO sealed_node (shard, day, node_id, records)
SELECT h.shard, d.day, h.node_id, sum(h.requests + h.failed_requests)
FROM usage_hour h JOIN sealed_day d ON d.shard = h.shard AND d.day = (h.hour AT TIME ZONE 'UTC')::date
GROUP BY h.shard, d.day, h.node_id ON CONFLICT DO NOTHING;

-- Every limit that a quota ever had; null where it was taken away. Of the time before this table only the last is known.
CREATE TABLE IF NOT EXISTS quota_change (
    shard int2 NOT NULL,
    organization_id int8 NOT NULL,
    subject_kind int2 NOT NULL CHECK (subject_kind BETWEEN 1 AND 3),
    subject_id int8 NOT NULL,
    resource int2 NOT NULL CHECK (resource BETWEEN 1 AND 3),
    period int2 NOT NULL CHECK (period BETWEEN 1 AND 3),
    at timestamptz NOT NULL,
    limit_units int8 CHECK (limit_units >= 0),
    PRIMARY KEY (shard, subject_kind, subject_id, resource, period, at)
);
INSERT INTO quota_change (shard, organization_id, subject_kind, subject_id, resource, period, at, limit_units)
SELECT shard, organization_id, subject_kind, subject_id, resource, period, created_at, limit_units FROM quota
ON CONFLICT DO NOTHING;

-- Makes the daily partitions of `usage` from `first_day` on, `days` of them, that are not there yet; returns how many
-- it made. Records of such a day that are in the default partition move into its own. A partition is made beside and
-- attached: unlike one that is made in place, it makes no writer wait, not even behind a long audit. Two nodes may call
-- it at once: the loser of a race finds the table there and goes on, and a record that comes into the default partition
-- meanwhile leaves the day to the next call.
CREATE OR REPLACE FUNCTION make_usage_partitions(first_day date, days int) RETURNS int
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
            EXECUTE format('CREATE TABLE %I (LIKE usage INCLUDING ALL)', partition);
            IF EXISTS (SELECT 1 FROM usage_default u WHERE u.day = this_day) THEN
                LOCK TABLE usage_default IN ACCESS EXCLUSIVE MODE;
                EXECUTE format('WITH stray AS (DELETE FROM usage_default WHERE day = %L RETURNING *) '
                               'INSERT INTO %I SELECT * FROM stray', this_day, partition);
            END IF;
            EXECUTE format('ALTER TABLE usage ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                           partition, this_day, this_day + 1);
            made := made + 1;
        EXCEPTION
            WHEN duplicate_table OR unique_violation OR invalid_object_definition OR check_violation THEN
                NULL;
        END;
    END LOOP;
    RETURN made;
END $$;

-- What nodes call: today's partition and the next seven, by the database's calendar, and one for each day that has
-- records in the default partition, but for days that retention has dropped, which stay there and are counted there.
CREATE OR REPLACE FUNCTION keep_usage_partitions() RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    made int := make_usage_partitions((now() AT TIME ZONE 'UTC')::date, 8);
    stray_days date[] := ARRAY(
        SELECT DISTINCT u.day FROM usage_default u
        WHERE NOT EXISTS (SELECT 1 FROM sealed_day d WHERE d.day = u.day AND d.dropped_at IS NOT NULL));
    this_day date;
BEGIN
    FOREACH this_day IN ARRAY stray_days LOOP
        made := made + make_usage_partitions(this_day, 1);
    END LOOP;
    RETURN made;
END $$;
