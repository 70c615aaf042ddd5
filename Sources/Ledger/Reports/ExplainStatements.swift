import Postgres

/// What one request's story is read from.
enum ExplainStatements {
    /// Names beside the numbers of a row `x`; a key of another organization makes the row
    /// invisible.
    private static let names = """
        JOIN api_key k ON k.shard = $1 AND k.key_id = x.key_id AND k.organization_id = $3
        LEFT JOIN team t ON t.shard = $1 AND t.team_id = k.team_id
        LEFT JOIN model m ON m.shard = $1 AND m.model_id = x.model_id
        LEFT JOIN backend b ON b.shard = $1 AND b.backend_id = x.backend_id
        LEFT JOIN usage_user v ON v.shard = $1 AND v.request_id = x.request_id
            AND v.day = (x.admitted_at AT TIME ZONE 'UTC')::date
        """
    private static let common = """
        x.key_id, k.name, coalesce(t.name, '#' || k.team_id), coalesce(m.name, '#' || x.model_id),
        coalesce(b.name, '#' || x.backend_id), x.price_version, x.node_id, x.admitted_at,
        x.account_ids, v.user_hash
        """

    // An open request. Primary keys throughout.
    static let open = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(common), x.units, x.prompt_bound, x.completion_bound, x.cost_bound_nanousd,
                NOT EXISTS (SELECT 1 FROM node_lane n WHERE n.shard = $1
                    AND n.node_id = x.node_id AND n.epoch = x.epoch AND n.live)
            FROM reservation x \(names)
            WHERE x.shard = $1 AND x.request_id = $2
            """, isReadOnly: true)

    // A settled request. The id's own time says the day, give or take one: the primary key of three
    // partitions.
    static let settled = settled(days: "x.day BETWEEN $4::date - 1 AND $4::date + 1")

    // The same on any day: the gateway that made the id may have had a wrong clock, and the day is
    // the ledger's. One look by primary key into each partition.
    static let settledAnyDay = settled(
        days: """
            $4::date IS NOT NULL AND x.day = ANY (ARRAY(
                SELECT d FROM usage_partition_days() AS d
                UNION SELECT s.day FROM usage_default s WHERE s.shard = $1))
            """)

    private static func settled(days: String) -> PostgresStatement {
        PostgresStatement(
            name: nil,
            sql: """
                SELECT \(common), x.charges, x.prompt_tokens, x.cached_tokens,
                    x.cache_write_tokens,
                    x.completion_tokens, x.reasoning_tokens, x.charged, x.overage, x.cost_nanousd,
                    x.basis, x.end_state, x.settled_at, x.first_token_us, x.duration_us, x.day,
                    a.prompt_tokens, a.completion_tokens
                FROM usage x \(names)
                LEFT JOIN usage_audio a ON a.shard = $1 AND a.day = x.day
                    AND a.request_id = x.request_id
                WHERE x.shard = $1 AND x.request_id = $2 AND \(days)
                ORDER BY x.day LIMIT 1
                """, isReadOnly: true)
    }

    // The accounts $4 in their order, with whose they are, of which model if of one, and what was
    // given back for the request, whose record is of the day $5.
    // Primary keys, the unique index of subject_model; a subject's keys by organization, of which
    // there are few.
    static let accounts = PostgresStatement(
        name: nil,
        sql: """
            SELECT x.account_id, a.subject_kind, a.subject_id, a.resource, a.period, a.period_start,
                CASE a.subject_kind
                    WHEN 1 THEN (SELECT o.name FROM organization o
                        WHERE o.shard = $1 AND o.organization_id = s.id)
                    WHEN 2 THEN (SELECT t.name FROM team t
                        WHERE t.shard = $1 AND t.team_id = s.id)
                    ELSE (SELECT min(k.name) FROM api_key k WHERE k.shard = $1
                        AND k.organization_id = $3 AND k.subject_id = s.id) END,
                coalesce(j.delta, 0)::int8, j.at, m.model_name
            FROM unnest($4::int8[]) WITH ORDINALITY AS x(account_id, place)
            LEFT JOIN account a ON a.shard = $1 AND a.account_id = x.account_id
            LEFT JOIN subject_model m ON m.shard = $1 AND m.subject_kind = a.subject_kind
                AND m.subject_id = a.subject_id
            CROSS JOIN LATERAL (SELECT coalesce(m.owner_id, a.subject_id) AS id) s
            LEFT JOIN LATERAL (
                SELECT sum(c.delta) AS delta, max(c.at) AS at FROM usage_adj c
                WHERE c.shard = $1 AND c.request_id = $2 AND c.account_id = x.account_id
                    AND c.day = $5) j ON true
            ORDER BY x.place
            """, isReadOnly: true)

    // The calls that were made for a request whose record is of the day $3. Primary keys.
    static let attempts = PostgresStatement(
        name: nil,
        sql: """
            SELECT coalesce(b.name, '#' || t.backend_id), t.outcome, t.status, t.begun_after_us,
                t.duration_us, t.prompt_tokens, t.completion_tokens
            FROM request_attempt t
            LEFT JOIN backend b ON b.shard = $1 AND b.backend_id = t.backend_id
            WHERE t.shard = $1 AND t.request_id = $2 AND t.day = $3 ORDER BY t.number
            """, isReadOnly: true)

    // The corrections of its price, of a request whose record is of the day $3. Primary key.
    static let corrections = PostgresStatement(
        name: nil,
        sql: """
            SELECT c.at, c.price_version, c.delta_nanousd FROM price_correction c
            WHERE c.shard = $1 AND c.request_id = $2 AND c.day = $3 ORDER BY c.number
            """, isReadOnly: true)

    // Whether retention has dropped the day's records.
    static let dropped = PostgresStatement(
        name: nil,
        sql: """
            SELECT EXISTS (SELECT 1 FROM sealed_day WHERE shard = $1 AND dropped_at IS NOT NULL
                AND day BETWEEN $2::date - 1 AND $2::date + 1)
            """, isReadOnly: true)
}
