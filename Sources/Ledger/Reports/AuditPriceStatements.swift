import Postgres

/// The audit's questions about records that were priced anew; parameters and answers as in
/// ``AuditStatements``.
enum AuditPriceStatements {
    // Each record that was priced anew: what it costs now is its cost by the last version that its
    // corrections name, they are numbered without a gap, and the record is one that may be priced
    // anew. Unless retention has dropped it: its corrections stay, as the rollup holds them. One
    // pass over the corrections from $2 on; records, sound and versions by primary key.
    static let corrections = PostgresStatement(
        name: nil,
        sql: """
            WITH c AS (
                SELECT p.day, p.request_id, count(*) AS corrections, max(p.number) AS number,
                    sum(p.delta_nanousd) AS delta,
                    (array_agg(p.price_version ORDER BY p.number DESC))[1] AS version
                FROM price_correction p
                WHERE p.shard = $1 AND p.day >= $2 AND p.day NOT IN (
                    SELECT d.day FROM sealed_day d
                    WHERE d.shard = $1 AND d.dropped_at IS NOT NULL)
                GROUP BY p.day, p.request_id),
            b AS (
                SELECT c.day, c.request_id, c.corrections, c.number, c.version, u.basis,
                    u.cost_nanousd + c.delta AS cost, m.version AS known,
                    CASE WHEN u.basis IS NOT NULL AND m.version IS NOT NULL THEN
                        \(RepriceStatements.cost) END AS amount
                FROM c
                LEFT JOIN usage u ON u.shard = $1 AND u.day = c.day
                    AND u.request_id = c.request_id
                LEFT JOIN usage_audio a ON a.shard = $1 AND a.day = c.day
                    AND a.request_id = c.request_id
                \(RepriceStatements.tokens)
                LEFT JOIN LATERAL (
                    SELECT v.price_version AS version, v.prompt_nanousd AS prompt,
                        v.cached_nanousd AS cached, v.cache_write_nanousd AS cache_write,
                        v.completion_nanousd AS completion,
                        coalesce(v.audio_prompt_nanousd, v.prompt_nanousd) AS heard,
                        coalesce(v.audio_completion_nanousd, v.completion_nanousd) AS spoken,
                        v.fee_nanousd AS fee
                    FROM price v WHERE v.shard = $1 AND v.price_version = c.version) m ON true)
            SELECT 'difference', x.rule, 'price_correction',
                concat('day=', b.day, ' request_id=', b.request_id), x.found, x.expected
            FROM b CROSS JOIN LATERAL (VALUES
                ('a price correction has its record', b.basis IS NULL, 'no record', 'a record'),
                ('no swept or void request is priced anew', b.basis IN (4, 5),
                    'basis ' || b.basis, 'basis 1, 2, 3 or 6'),
                ('a record''s price corrections have no gap', b.number <> b.corrections,
                    'number ' || b.number, 'number ' || b.corrections),
                ('a price correction''s version is known', b.known IS NULL,
                    'no version ' || b.version, 'a version'),
                ('cost + price corrections = the cost by their version', b.cost <> b.amount,
                    'cost ' || b.cost, 'cost ' || b.amount)
            ) AS x(rule, differs, found, expected)
            WHERE x.differs ORDER BY b.day, b.request_id, x.rule LIMIT $3
            """, isReadOnly: true)

    // What accounts were owed for it and what was applied. What is still owed waits for leases to be
    // folded. Two passes over small tables; $2 is not needed.
    static let accounts = PostgresStatement(
        name: nil,
        sql: """
            WITH j AS (
                SELECT account_id, sum(delta_nanousd) AS delta, max(number) AS number
                FROM repriced_account_adj WHERE shard = $1 GROUP BY account_id),
            r AS (
                SELECT account_id, due_nanousd AS due, applied_nanousd AS applied, applications
                FROM repriced_account WHERE shard = $1 AND $2::date IS NOT NULL),
            b AS (
                SELECT account_id, due, coalesce(applied, 0) AS applied,
                    coalesce(applications, 0) AS applications, coalesce(delta, 0) AS delta,
                    coalesce(number, 0) AS number
                FROM r FULL JOIN j USING (account_id))
            SELECT x.weight, x.rule, 'repriced_account', 'account_id=' || b.account_id, x.found,
                x.expected
            FROM b CROSS JOIN LATERAL (VALUES
                ('difference', 'applied = the applications',
                    b.applied <> b.delta OR b.applications <> b.number,
                    concat('applied ', b.applied, ' in ', b.applications),
                    concat('applied ', b.delta, ' in ', b.number)),
                ('warning', 'what accounts are owed for new prices is applied',
                    b.due <> b.applied, 'applied ' || b.applied,
                    concat('applied ', b.due, ': repeat `turnpike admin model reprice`'))
            ) AS x(weight, rule, differs, found, expected)
            WHERE x.differs ORDER BY b.account_id, x.rule LIMIT $3
            """, isReadOnly: true)
}
