import Postgres

/// What retention asks and does, one day at a time.
enum RetentionStatements {
    // Days with a partition that are older than $1 days by the ledger's own calendar.
    static let due = PostgresStatement(
        name: nil,
        sql: """
            SELECT day FROM usage_partition_days() AS day
            WHERE day < (now() AT TIME ZONE 'UTC')::date - $1::int4 ORDER BY day
            """, isReadOnly: true)

    // One retention at a time in the whole database; released with the transaction. The wait for a
    // lock is short: while the partition waits to be detached, every node waits behind it.
    static let begin = PostgresStatement(
        name: nil,
        sql: """
            SELECT pg_advisory_xact_lock(8389760311845940582),
                set_config('statement_timeout', '0', true),
                set_config('idle_in_transaction_session_timeout', '0', true),
                set_config('work_mem', '64MB', true), set_config('lock_timeout', '500', true)
            """)

    // Whether the partition is still there, once the lock is held.
    static let isThere = PostgresStatement(
        name: nil,
        sql: "SELECT EXISTS (SELECT 1 FROM usage_partition_days() AS day WHERE day = $1)",
        isReadOnly: true)

    // From here on nobody adds a record to the day.
    static let hold = PostgresStatement(
        name: nil, sql: "SELECT hold_usage_partition($1)::text")

    // Open requests admitted on the day or before, in every shard: the table is small.
    static let open = PostgresStatement(
        name: nil,
        sql: """
            SELECT count(*) FROM reservation
            WHERE shard BETWEEN 0 AND 255 AND (admitted_at AT TIME ZONE 'UTC')::date <= $1
            """, isReadOnly: true)

    // The shards with records of the day. One pass over the day's index.
    static let shards = PostgresStatement(
        name: nil,
        sql: "SELECT shard, count(*) FROM usage WHERE day = $1 GROUP BY shard ORDER BY shard",
        isReadOnly: true)

    // Marks a seal that an audit had written.
    static let mark = PostgresStatement(
        name: nil,
        sql: """
            UPDATE sealed_day SET dropped_at = now()
            WHERE shard = $1 AND day = $2 AND dropped_at IS NULL
            """)

    // The attempts of the day's requests, of which there are few. Primary key.
    static let dropAttempts = PostgresStatement(
        name: nil, sql: "DELETE FROM request_attempt WHERE shard = $1 AND day = $2")

    // The sound of the day's requests, of which there are few. Primary key.
    static let dropAudio = PostgresStatement(
        name: nil, sql: "DELETE FROM usage_audio WHERE shard = $1 AND day = $2")

    // For whom the day's requests were made, of those that say so. Primary key.
    static let dropUsers = PostgresStatement(
        name: nil, sql: "DELETE FROM usage_user WHERE shard = $1 AND day = $2")

    // How many rows of the day's seal and of its records differ, both ways: 0 when the seal says
    // what the records say.
    static let verify = PostgresStatement(
        name: nil,
        sql: """
            WITH a AS (
                SELECT c.account_id, sum(c.charge)::int8 AS charged
                FROM usage u, unnest(u.account_ids, u.charges) AS c(account_id, charge)
                WHERE u.shard = $1 AND u.day = $2 GROUP BY c.account_id),
            k AS (
                SELECT key_id, model_id, count(*) FILTER (WHERE basis <> 5) AS requests,
                    count(*) FILTER (WHERE basis = 5) AS failed_requests,
                    sum(prompt_tokens)::int8, sum(cached_tokens)::int8,
                    sum(cache_write_tokens)::int8, sum(completion_tokens)::int8,
                    sum(reasoning_tokens)::int8, sum(charged)::int8, sum(overage)::int8,
                    sum(cost_nanousd)::int8
                FROM usage WHERE shard = $1 AND day = $2 GROUP BY key_id, model_id),
            sk AS (
                SELECT key_id, model_id, requests, failed_requests, prompt_tokens, cached_tokens,
                    cache_write_tokens, completion_tokens, reasoning_tokens, charged, overage,
                    cost_nanousd
                FROM sealed_key WHERE shard = $1 AND day = $2),
            sa AS (
                SELECT account_id, charged FROM sealed_account WHERE shard = $1 AND day = $2),
            n AS (
                SELECT node_id, count(*) FROM usage WHERE shard = $1 AND day = $2 GROUP BY node_id),
            sn AS (
                SELECT node_id, records FROM sealed_node WHERE shard = $1 AND day = $2),
            d AS (
                SELECT count(*) AS records, min(settled_at) AS first, max(settled_at) AS last
                FROM usage WHERE shard = $1 AND day = $2)
            SELECT (SELECT count(*) FROM (TABLE a EXCEPT ALL TABLE sa) x)
                + (SELECT count(*) FROM (TABLE sa EXCEPT ALL TABLE a) x)
                + (SELECT count(*) FROM (TABLE k EXCEPT ALL TABLE sk) x)
                + (SELECT count(*) FROM (TABLE sk EXCEPT ALL TABLE k) x)
                + (SELECT count(*) FROM (TABLE n EXCEPT ALL TABLE sn) x)
                + (SELECT count(*) FROM (TABLE sn EXCEPT ALL TABLE n) x)
                + (SELECT count(*) FROM d LEFT JOIN sealed_day s
                    ON s.shard = $1 AND s.day = $2 AND s.records = d.records
                        AND s.first_settled_at = d.first AND s.last_settled_at = d.last
                        AND s.dropped_at IS NOT NULL
                    WHERE s.day IS NULL)
            """, isReadOnly: true)

    // Detaches and drops. Refuses unless the marked seals count every record. Nodes wait for the
    // moment between this and the commit.
    static let drop = PostgresStatement(
        name: nil, sql: "SELECT drop_usage_partition($1)::text")
}
