import Postgres

/// What backends were used for, from the records: the rollup does not say which backend it was.
enum BackendUsageStatements {
    // The shards that may hold records: those of organizations, of which each has one.
    static let shards = PostgresStatement(
        name: nil, sql: "SELECT shard FROM organization WHERE shard BETWEEN 0 AND 255 GROUP BY 1",
        isReadOnly: true)

    /// Bound to $1 shard, $2 and $3 the days as dates, $4 and $5 the instants, $6 the backends, $7
    /// how long a row's time is, $8 the most rows. The days choose the partitions of `usage`.
    private static func rows(_ columns: String, _ source: String) -> PostgresStatement {
        PostgresStatement(
            name: nil,
            sql: """
                SELECT date_trunc($7, u.admitted_at, 'UTC'), coalesce(m.name, '#' || u.model_id),
                    b.name, \(columns)
                FROM \(source)
                LEFT JOIN model m ON m.shard = $1 AND m.model_id = u.model_id
                WHERE u.shard = $1 AND u.day BETWEEN $2 AND $3 AND u.admitted_at >= $4
                    AND u.admitted_at < $5 AND b.name = ANY ($6)
                GROUP BY 1, 2, 3 LIMIT $8
                """, isReadOnly: true)
    }

    // The records that backends answered. One pass over the days' partitions; sums travel as text,
    // so that nothing rounds or overflows. A void record (5) is of no request that was charged.
    static let records = rows(
        """
        count(*) FILTER (WHERE u.basis <> 5)::text, sum(u.prompt_tokens)::text,
            sum(u.cached_tokens)::text, sum(u.cache_write_tokens)::text,
            sum(u.completion_tokens)::text, sum(u.cost_nanousd)::text,
            coalesce(sum(u.prompt_tokens + u.completion_tokens) FILTER (WHERE u.basis <> 1), 0)::text
        """,
        "usage u JOIN backend b ON b.shard = $1 AND b.backend_id = u.backend_id")

    // Calls that gave the client nothing and are known to have used tokens: the provider bills them
    // to us. Of the call that was answered (1) the record itself tells. Their number is that of
    // troubled requests; usage by its primary key.
    static let attempts = rows(
        """
        count(*)::text, sum(coalesce(a.prompt_tokens, 0))::text, '0', '0',
            sum(coalesce(a.completion_tokens, 0))::text, '0', '0'
        """,
        """
        request_attempt a
        JOIN backend b ON b.shard = $1 AND b.backend_id = a.backend_id
        JOIN usage u ON u.shard = $1 AND u.day = a.day AND u.request_id = a.request_id
            AND a.shard = $1 AND a.day BETWEEN $2 AND $3 AND a.outcome <> 1
            AND (a.prompt_tokens IS NOT NULL OR a.completion_tokens IS NOT NULL)
        """)

    // Corrections of swept requests. A request is corrected once for each account that it was
    // charged to, by the same amount for all of one resource (1 tokens, 3 cost), so any of them
    // tells; where no account of tokens was charged, none tells. Few; by primary keys.
    static let corrections = rows(
        "sum(c.tokens)::text, sum(c.cost)::text",
        """
        (SELECT a.day, a.request_id, coalesce(min(a.delta) FILTER (WHERE t.resource = 1), 0)
                AS tokens, coalesce(min(a.delta) FILTER (WHERE t.resource = 3), 0) AS cost
            FROM usage_adj a JOIN account t ON t.shard = $1 AND t.account_id = a.account_id
            WHERE a.shard = $1 AND a.day BETWEEN $2 AND $3 GROUP BY a.day, a.request_id) c
        JOIN usage u ON u.shard = $1 AND u.day = c.day AND u.request_id = c.request_id
        JOIN backend b ON b.shard = $1 AND b.backend_id = u.backend_id
        """)

    // Days whose records are gone. Range of the primary key.
    static let dropped = PostgresStatement(
        name: nil,
        sql: """
            SELECT day FROM sealed_day
            WHERE shard = $1 AND day BETWEEN $2 AND $3 AND dropped_at IS NOT NULL
            """, isReadOnly: true)

    // Open requests: the table is small.
    static let open = PostgresStatement(
        name: nil,
        sql: """
            SELECT count(*) FROM reservation r
            JOIN backend b ON b.shard = $1 AND b.backend_id = r.backend_id
            WHERE r.shard = $1 AND r.admitted_at >= $2 AND r.admitted_at < $3
                AND b.name = ANY ($4)
            """, isReadOnly: true)
}
