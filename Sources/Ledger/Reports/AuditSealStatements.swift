import Postgres

/// Seals of closed days: what lets an audit skip records that it has proved, and what stays of a
/// dropped day.
enum AuditSealStatements {
    // Settings for a long report, until its transaction ends: its own limits, memory for hash
    // tables, no compilation, which costs more than it gives here.
    static let unhurried = PostgresStatement(
        name: nil,
        sql: """
            SELECT set_config('statement_timeout', '1h', true),
                set_config('idle_in_transaction_session_timeout', '0', true),
                set_config('work_mem', '64MB', true), set_config('jit', 'off', true)
            """)

    // Every shard that holds anything: the directory's, and those of rows that no organization
    // owns. A pass over each of some small tables.
    static let shards = PostgresStatement(
        name: nil,
        sql: """
            SELECT shard FROM organization UNION SELECT shard FROM account
            UNION SELECT shard FROM lease UNION SELECT shard FROM reservation
            UNION SELECT shard FROM node_lane UNION SELECT shard FROM sealed_day
            UNION SELECT shard FROM usage_hour UNION SELECT shard FROM directory_revision ORDER BY 1
            """, isReadOnly: true)

    // The first day that has no seal. Days are sealed in order, so that all before it have one or
    // no record.
    static let frontier = PostgresStatement(
        name: nil,
        sql: "SELECT coalesce(max(day) + 1, '-infinity') FROM sealed_day WHERE shard = $1",
        isReadOnly: true)

    // Days that may be sealed, the oldest first: closed for a day, with records, behind the
    // frontier $2, and before the day of the oldest open request, which will get a record. Minimum
    // and existence by the primary key of usage.
    static let sealable = PostgresStatement(
        name: nil,
        sql: """
            SELECT d.day::date
            FROM generate_series(
                (SELECT greatest(min(u.day), $2) FROM usage u WHERE u.shard = $1
                    HAVING min(u.day) IS NOT NULL)::timestamp,
                ((now() AT TIME ZONE 'UTC')::date - 2)::timestamp, interval '1 day') AS d(day)
            WHERE EXISTS (SELECT 1 FROM usage u WHERE u.shard = $1 AND u.day = d.day::date)
                AND d.day::date < coalesce((SELECT min((r.admitted_at AT TIME ZONE 'UTC')::date)
                    FROM reservation r WHERE r.shard = $1), 'infinity')
            ORDER BY 1 LIMIT 400
            """, isReadOnly: true)

    // Seals one day: its four parts from one snapshot, or none of them when there is a seal
    // already. $3 tells whether the records are about to be dropped. Range of the primary key of
    // usage.
    static let seal = PostgresStatement(
        name: nil,
        sql: """
            WITH d AS (
                INSERT INTO sealed_day (shard, day, records, first_settled_at, last_settled_at,
                    dropped_at)
                SELECT $1, $2, count(*), min(settled_at), max(settled_at),
                    CASE WHEN $3 THEN now() END
                FROM usage WHERE shard = $1 AND day = $2 HAVING count(*) > 0
                ON CONFLICT DO NOTHING RETURNING records),
            a AS (
                INSERT INTO sealed_account (shard, day, account_id, charged)
                SELECT $1, $2, c.account_id, sum(c.charge)
                FROM d, usage u, unnest(u.account_ids, u.charges) AS c(account_id, charge)
                WHERE u.shard = $1 AND u.day = $2 GROUP BY c.account_id RETURNING 1),
            k AS (
                INSERT INTO sealed_key (shard, day, key_id, model_id, requests, failed_requests,
                    prompt_tokens, cached_tokens, cache_write_tokens, completion_tokens,
                    reasoning_tokens, charged, overage, cost_nanousd)
                SELECT $1, $2, u.key_id, u.model_id, count(*) FILTER (WHERE u.basis <> 5),
                    count(*) FILTER (WHERE u.basis = 5), sum(u.prompt_tokens),
                    sum(u.cached_tokens), sum(u.cache_write_tokens), sum(u.completion_tokens),
                    sum(u.reasoning_tokens), sum(u.charged), sum(u.overage), sum(u.cost_nanousd)
                FROM d, usage u
                WHERE u.shard = $1 AND u.day = $2 GROUP BY u.key_id, u.model_id RETURNING 1),
            n AS (
                INSERT INTO sealed_node (shard, day, node_id, records)
                SELECT $1, $2, u.node_id, count(*) FROM d, usage u
                WHERE u.shard = $1 AND u.day = $2 GROUP BY u.node_id RETURNING 1)
            SELECT (SELECT count(*) FROM d), (SELECT count(*) FROM a), (SELECT count(*) FROM k),
                (SELECT count(*) FROM n)
            """)

    // Forgets the seals of days whose records are still there: from $2 on.
    static let unsealDays = PostgresStatement(
        name: nil,
        sql: "DELETE FROM sealed_day WHERE shard = $1 AND dropped_at IS NULL AND day >= $2")
    // The other parts of forgotten seals.
    static let unsealAccounts = PostgresStatement(
        name: nil,
        sql: """
            DELETE FROM sealed_account s WHERE s.shard = $1 AND s.day >= $2 AND NOT EXISTS (
                SELECT 1 FROM sealed_day d WHERE d.shard = $1 AND d.day = s.day)
            """)
    static let unsealKeys = PostgresStatement(
        name: nil,
        sql: """
            DELETE FROM sealed_key s WHERE s.shard = $1 AND s.day >= $2 AND NOT EXISTS (
                SELECT 1 FROM sealed_day d WHERE d.shard = $1 AND d.day = s.day)
            """)
    static let unsealNodes = PostgresStatement(
        name: nil,
        sql: """
            DELETE FROM sealed_node s WHERE s.shard = $1 AND s.day >= $2 AND NOT EXISTS (
                SELECT 1 FROM sealed_day d WHERE d.shard = $1 AND d.day = s.day)
            """)
}
