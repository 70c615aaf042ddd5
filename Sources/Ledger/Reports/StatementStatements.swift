import Postgres

/// What a statement is read from: records and corrections until `$5`, and seals for days that were
/// dropped.
enum StatementStatements {
    /// The statement's parameters: shard, organization, subject's kind and id, instant, beginning.
    private static let keys = """
        SELECT k.key_id FROM api_key k WHERE k.shard = $1 AND k.organization_id = $2
            AND CASE $3::int2 WHEN 1 THEN $4 = k.organization_id WHEN 2 THEN $4 = k.team_id
                ELSE $4 = k.subject_id END
        """

    // Days without records in which an instant falls that cuts through them: a seal has no parts.
    // The instant cuts a day when some of its records were settled before it and some after; the
    // beginning, when it is within it.
    static let cut = PostgresStatement(
        name: nil,
        sql: """
            SELECT min(day) FROM sealed_day WHERE shard = $1 AND dropped_at IS NOT NULL
                AND ((first_settled_at <= $2 AND last_settled_at > $2)
                    OR (day::timestamp AT TIME ZONE 'UTC' < $3
                        AND (day + 1)::timestamp AT TIME ZONE 'UTC' > $3
                        AND first_settled_at <= $2))
            """, isReadOnly: true)

    // Each quota of the subject, of all models and of single ones, that was in force at the instant,
    // in the period that holds it, with its limit of then: from the noted changes, not from the
    // accounts, of which one may be made for that period later. A request belongs to the period it
    // was admitted in, so the account itself says which records count; those are on days from the
    // period's first to the instant's, the day after included, since the time of admission is an
    // estimate. Primary keys of subject_model and quota_change, unique index of account, ranges
    // of days of usage.
    static let lines = PostgresStatement(
        name: nil,
        sql: """
            WITH q AS (
                SELECT DISTINCT ON (o.model, c.resource, c.period) o.model, c.subject_id,
                    c.resource, c.period, c.limit_units,
                    CASE c.period
                        WHEN 1 THEN ($5::timestamptz AT TIME ZONE 'UTC')::date
                        WHEN 2 THEN date_trunc('month', $5::timestamptz AT TIME ZONE 'UTC')::date
                        ELSE date '1970-01-01' END AS period_start
                FROM (\(SubjectModelStatements.applying(to: "SELECT $3::int2, $4::int8"))) o
                JOIN quota_change c ON c.shard = $1 AND c.organization_id = $2
                    AND c.subject_kind = o.kind AND c.subject_id = o.id AND c.at <= $5
                ORDER BY o.model, c.resource, c.period, c.at DESC),
            a AS (
                SELECT a.account_id, q.resource, q.period, q.period_start, q.limit_units,
                    q.subject_id, q.model
                FROM q LEFT JOIN account a ON a.shard = $1 AND a.organization_id = $2
                    AND a.subject_kind = $3 AND a.subject_id = q.subject_id AND a.resource = q.resource
                    AND a.period = q.period AND a.period_start = q.period_start
                WHERE q.limit_units IS NOT NULL),
            u AS (
                SELECT z.account_id, sum(z.amount) AS amount FROM (
                    SELECT c.account_id, sum(c.charge) AS amount
                    FROM usage u, unnest(u.account_ids, u.charges) AS c(account_id, charge)
                    WHERE u.shard = $1 AND u.settled_at <= $5
                        AND u.day BETWEEN (SELECT min(a.period_start) FROM a)
                            AND ($5::timestamptz AT TIME ZONE 'UTC')::date + 1
                        AND u.account_ids && (SELECT array_agg(a.account_id) FROM a)
                    GROUP BY c.account_id
                    UNION ALL
                    SELECT s.account_id, sum(s.charged)
                    FROM sealed_account s
                    JOIN sealed_day d ON d.shard = s.shard AND d.day = s.day
                    WHERE s.shard = $1 AND d.dropped_at IS NOT NULL AND d.last_settled_at <= $5
                    GROUP BY s.account_id) z
                GROUP BY z.account_id),
            j AS (
                SELECT z.account_id, sum(z.delta) AS delta FROM (
                    SELECT c.account_id, c.delta FROM usage_adj c
                    WHERE c.shard = $1 AND c.at <= $5
                    UNION ALL
                    SELECT r.account_id, r.delta_nanousd FROM repriced_account_adj r
                    WHERE r.shard = $1 AND r.at <= $5) z
                GROUP BY z.account_id)
            SELECT a.resource, a.period, a.period_start, a.limit_units,
                coalesce(u.amount, 0)::text, coalesce(j.delta, 0)::text, a.subject_id, a.model
            FROM a LEFT JOIN u USING (account_id) LEFT JOIN j USING (account_id)
            ORDER BY a.model, a.resource, a.period
            """, isReadOnly: true)

    // What the subject's keys used: requests admitted from $6 on and settled until $5, and what
    // corrections of their prices came to until then.
    static let usage = PostgresStatement(
        name: nil,
        sql: """
            WITH k AS (\(keys)),
            z AS (
                SELECT (u.basis <> 5)::int AS requests, (u.basis = 5)::int AS failed_requests,
                    u.prompt_tokens, u.cached_tokens, u.cache_write_tokens, u.completion_tokens,
                    u.reasoning_tokens, u.charged, u.cost_nanousd
                FROM usage u
                WHERE u.shard = $1 AND u.key_id IN (SELECT k.key_id FROM k)
                    AND u.settled_at <= $5 AND u.admitted_at >= $6
                    AND u.day >= ($6::timestamptz AT TIME ZONE 'UTC')::date
                    AND u.day <= ($5::timestamptz AT TIME ZONE 'UTC')::date + 1
                UNION ALL
                SELECT s.requests, s.failed_requests, s.prompt_tokens, s.cached_tokens,
                    s.cache_write_tokens, s.completion_tokens, s.reasoning_tokens, s.charged,
                    s.cost_nanousd
                FROM sealed_key s JOIN sealed_day d ON d.shard = s.shard AND d.day = s.day
                WHERE s.shard = $1 AND s.key_id IN (SELECT k.key_id FROM k)
                    AND d.dropped_at IS NOT NULL AND d.last_settled_at <= $5
                    AND s.day >= ($6::timestamptz AT TIME ZONE 'UTC')::date
                UNION ALL
                SELECT 0, 0, 0, 0, 0, 0, 0, 0, c.delta_nanousd
                FROM price_correction c
                WHERE c.shard = $1 AND c.key_id IN (SELECT k.key_id FROM k)
                    AND c.at <= $5 AND c.admitted_at >= $6
                    AND c.day >= ($6::timestamptz AT TIME ZONE 'UTC')::date)
            SELECT coalesce(sum(requests), 0)::text, coalesce(sum(failed_requests), 0)::text,
                coalesce(sum(prompt_tokens), 0)::text, coalesce(sum(cached_tokens), 0)::text,
                coalesce(sum(cache_write_tokens), 0)::text,
                coalesce(sum(completion_tokens), 0)::text,
                coalesce(sum(reasoning_tokens), 0)::text, coalesce(sum(charged), 0)::text,
                coalesce(sum(cost_nanousd), 0)::text
            FROM z
            """, isReadOnly: true)
}
