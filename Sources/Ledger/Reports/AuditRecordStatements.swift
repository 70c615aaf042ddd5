import Postgres

/// The audit's questions about usage records, their rollup and their corrections; parameters and
/// answers as in ``AuditStatements``.
enum AuditRecordStatements {
    // Each record by itself: its day, what it charged against what it used. One pass over the days
    // from $2 on.
    static let records = PostgresStatement(
        name: nil,
        sql: """
            SELECT c.weight, c.rule, 'usage', concat('day=', u.day, ' request_id=', u.request_id),
                c.found, c.expected
            FROM usage u CROSS JOIN LATERAL (VALUES
                ('difference', 'day = the UTC day of admitted_at',
                    u.day <> (u.admitted_at AT TIME ZONE 'UTC')::date, 'day ' || u.day,
                    'day ' || (u.admitted_at AT TIME ZONE 'UTC')::date),
                ('difference', 'charged + overage = prompt + completion',
                    u.basis <> 5
                        AND u.charged + u.overage <> u.prompt_tokens + u.completion_tokens,
                    'charged + overage ' || u.charged + u.overage,
                    'charged + overage ' || u.prompt_tokens + u.completion_tokens),
                ('difference', 'a void request is not charged',
                    u.basis = 5 AND (u.charged <> 0 OR u.overage <> 0 OR u.cost_nanousd <> 0),
                    concat('charged ', u.charged, ', overage ', u.overage, ', cost_nanousd ',
                        u.cost_nanousd), 'nothing'),
                ('warning', 'overage = 0', u.overage <> 0, 'overage ' || u.overage, 'overage 0')
            ) AS c(weight, rule, differs, found, expected)
            WHERE u.shard = $1 AND u.day >= $2 AND c.differs
                AND (u.day <> (u.admitted_at AT TIME ZONE 'UTC')::date OR u.basis = 5
                    OR u.overage <> 0
                    OR u.charged + u.overage <> u.prompt_tokens + u.completion_tokens)
            ORDER BY u.day, u.request_id, c.rule LIMIT $3
            """, isReadOnly: true)

    // What each account was charged against the record's own amount of the account's resource.
    static let charges = PostgresStatement(
        name: nil,
        sql: """
            SELECT 'difference', 'a charge = the record''s amount', 'usage',
                concat('day=', u.day, ' request_id=', u.request_id),
                concat('charge ', c.charge, ' to account ', c.account_id), 'charge ' || e.amount
            FROM usage u CROSS JOIN unnest(u.account_ids, u.charges) AS c(account_id, charge)
            JOIN account a ON a.shard = $1 AND a.account_id = c.account_id
            CROSS JOIN LATERAL (SELECT CASE a.resource WHEN 1 THEN u.charged
                WHEN 2 THEN CASE WHEN u.basis = 5 THEN 0 ELSE 1 END
                ELSE u.cost_nanousd END AS amount) e
            WHERE u.shard = $1 AND u.day >= $2 AND c.charge <> e.amount
            ORDER BY u.day, u.request_id, c.account_id LIMIT $3
            """, isReadOnly: true)

    // Request ids with more than one record. From the day before $2 on: a request's time is in its
    // id, so two records of it are on days beside each other unless somebody wrote them by hand,
    // which a complete audit finds.
    static let duplicates = PostgresStatement(
        name: nil,
        sql: """
            SELECT 'difference', 'a request has one record', 'usage',
                concat('day=', max(u.day), ' request_id=', u.request_id),
                concat(count(*), ' records, days ', string_agg(u.day::text, ', ' ORDER BY u.day)),
                '1 record'
            FROM usage u WHERE u.shard = $1 AND u.day >= $2::date - 1
            GROUP BY u.request_id HAVING count(*) > 1 ORDER BY u.request_id LIMIT $3
            """, isReadOnly: true)

    private static let sums = """
        count(*) FILTER (WHERE basis <> 5) AS requests,
        count(*) FILTER (WHERE basis = 5) AS failed_requests,
        sum(prompt_tokens) AS prompt_tokens, sum(cached_tokens) AS cached_tokens,
        sum(cache_write_tokens) AS cache_write_tokens,
        sum(completion_tokens) AS completion_tokens, sum(reasoning_tokens) AS reasoning_tokens,
        sum(charged) AS charged, sum(overage) AS overage, sum(cost_nanousd) AS cost_nanousd
        """
    /// What the rollup and the seals add up, by column.
    static let columns = [
        "requests", "failed_requests", "prompt_tokens", "cached_tokens", "cache_write_tokens",
        "completion_tokens", "reasoning_tokens", "charged", "overage", "cost_nanousd",
    ]
    /// All of them, of a table.
    static func list(_ table: String) -> String {
        columns.map { "\(table).\($0)" }.joined(separator: ", ")
    }
    /// Only the columns that differ, of one side and of the other.
    static func differing(_ table: String, from other: String) -> String {
        let parts = columns.map {
            "CASE WHEN \(table).\($0) IS DISTINCT FROM \(other).\($0)"
                + " THEN '\($0) ' || coalesce(\(table).\($0)::text, 'none') END"
        }
        return "concat_ws(', ', \(parts.joined(separator: ", ")))"
    }
    private static let added = columns.map { "sum(\($0)) AS \($0)" }.joined(separator: ", ")

    // The rollup by hour against the records, for every hour whose records are kept.
    static let rollup = PostgresStatement(
        name: nil,
        sql: """
            WITH u AS (
                SELECT date_trunc('hour', admitted_at, 'UTC') AS hour, key_id, model_id, node_id,
                    \(sums)
                FROM usage WHERE shard = $1 AND day >= $2 GROUP BY 1, 2, 3, 4
                UNION ALL
                SELECT date_trunc('hour', admitted_at, 'UTC'), key_id, model_id, 0,
                    0, 0, 0, 0, 0, 0, 0, 0, 0, sum(delta_nanousd)
                FROM price_correction WHERE shard = $1 AND day >= $2 GROUP BY 1, 2, 3),
            h AS (
                SELECT hour, key_id, model_id, node_id, \(list("usage_hour"))
                FROM usage_hour
                WHERE shard = $1 AND hour >= $2::date::timestamp AT TIME ZONE 'UTC'
                    AND (hour AT TIME ZONE 'UTC')::date NOT IN (
                        SELECT day FROM sealed_day WHERE shard = $1 AND dropped_at IS NOT NULL))
            SELECT 'difference', 'the rollup = the records', 'usage_hour',
                concat('hour=', to_char(hour AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"'),
                    ' key_id=', key_id, ' model_id=', model_id, ' node_id=', node_id),
                \(differing("h", from: "u")), \(differing("u", from: "h"))
            FROM h FULL JOIN u USING (hour, key_id, model_id, node_id)
            WHERE (\(list("h"))) IS DISTINCT FROM (\(list("u")))
                AND (hour AT TIME ZONE 'UTC')::date NOT IN (
                    SELECT day FROM sealed_day WHERE shard = $1 AND dropped_at IS NOT NULL)
            ORDER BY hour, key_id, model_id, node_id LIMIT $3
            """, isReadOnly: true)

    // The rollup of days whose records retention has dropped, against their seals and against
    // records that came after.
    static let droppedRollup = PostgresStatement(
        name: nil,
        sql: """
            WITH d AS (
                SELECT day FROM sealed_day
                WHERE shard = $1 AND dropped_at IS NOT NULL AND day >= $2),
            s AS (
                SELECT day, key_id, model_id, \(added) FROM (
                    SELECT day, key_id, model_id, \(list("sealed_key"))
                    FROM sealed_key WHERE shard = $1 AND day IN (SELECT day FROM d)
                    UNION ALL
                    SELECT day, key_id, model_id, \(sums)
                    FROM usage_default WHERE shard = $1 AND day IN (SELECT day FROM d)
                    GROUP BY 1, 2, 3
                    UNION ALL
                    SELECT day, key_id, model_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, sum(delta_nanousd)
                    FROM price_correction WHERE shard = $1 AND day IN (SELECT day FROM d)
                    GROUP BY 1, 2, 3) z
                GROUP BY 1, 2, 3),
            h AS (
                SELECT (hour AT TIME ZONE 'UTC')::date AS day, key_id, model_id, \(added)
                FROM usage_hour
                WHERE shard = $1 AND (hour AT TIME ZONE 'UTC')::date IN (SELECT day FROM d)
                GROUP BY 1, 2, 3)
            SELECT 'difference', 'the rollup = the dropped records', 'usage_hour',
                concat('day=', day, ' key_id=', key_id, ' model_id=', model_id),
                \(differing("h", from: "s")), \(differing("s", from: "h"))
            FROM h FULL JOIN s USING (day, key_id, model_id)
            WHERE (\(list("h"))) IS DISTINCT FROM (\(list("s")))
            ORDER BY day, key_id, model_id LIMIT $3
            """, isReadOnly: true)

    // Each correction against the record that it corrects, unless retention has dropped that. By
    // primary key.
    static let corrections = PostgresStatement(
        name: nil,
        sql: """
            SELECT 'difference', c.rule, 'usage_adj',
                concat('day=', j.day, ' request_id=', j.request_id, ' account_id=', j.account_id),
                c.found, c.expected
            FROM usage_adj j
            LEFT JOIN usage u ON u.shard = $1 AND u.day = j.day AND u.request_id = j.request_id
            CROSS JOIN LATERAL (
                SELECT u.charges[array_position(u.account_ids, j.account_id)] AS charge) x
            CROSS JOIN LATERAL (VALUES
                ('a correction has its record', u.request_id IS NULL, 'no record', 'a record'),
                ('only a swept request is corrected', u.basis <> 4, 'basis ' || u.basis,
                    'basis 4'),
                ('a correction is of an account that was charged',
                    u.request_id IS NOT NULL AND x.charge IS NULL, 'not charged', 'charged'),
                ('a correction gives back at most the charge', -j.delta > x.charge,
                    'delta ' || j.delta, 'delta at least ' || -x.charge)
            ) AS c(rule, differs, found, expected)
            WHERE j.shard = $1 AND $2::date IS NOT NULL AND c.differs AND NOT EXISTS (
                SELECT 1 FROM sealed_day d
                WHERE d.shard = $1 AND d.day = j.day AND d.dropped_at IS NOT NULL)
            ORDER BY j.day, j.request_id, j.account_id, c.rule LIMIT $3
            """, isReadOnly: true)

    // Records for which nobody had made a partition. A gateway moves them; those of a day that
    // retention has dropped stay, and are counted beside its seal.
    static let strays = PostgresStatement(
        name: nil,
        sql: """
            SELECT CASE WHEN d.is_dropped THEN 'warning' ELSE 'difference' END,
                'the default partition is empty', 'usage_default',
                concat('day=', u.day, ' request_id=', u.request_id), 'a record',
                CASE WHEN d.is_dropped THEN 'no record after its day was dropped'
                    ELSE 'no record: a gateway moves it within an hour, or when it starts' END
            FROM usage_default u CROSS JOIN LATERAL (SELECT EXISTS (
                SELECT 1 FROM sealed_day s WHERE s.day = u.day AND s.dropped_at IS NOT NULL
                    AND s.shard BETWEEN 0 AND 255) AS is_dropped) d
            WHERE u.shard = $1 AND $2::date IS NOT NULL
            ORDER BY u.day, u.request_id LIMIT $3
            """, isReadOnly: true)

    // What was read.
    static let extent = PostgresStatement(
        name: nil,
        sql: """
            SELECT (SELECT count(*) FROM account WHERE shard = $1),
                (SELECT count(*) FROM reservation WHERE shard = $1),
                (SELECT count(*) FROM usage WHERE shard = $1 AND day >= $2),
                (SELECT coalesce(sum(records), 0)::int8 FROM sealed_day
                 WHERE shard = $1 AND (dropped_at IS NOT NULL OR day < $2))
            """, isReadOnly: true)
}
