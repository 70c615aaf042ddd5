import Postgres

/// The audit's questions about what retention keeps of how requests ended and how long they took;
/// parameters and answers as in ``AuditStatements``.
enum AuditEndStatements {
    private typealias Seal = AuditRecordStatements

    private static let sums =
        Seal.columns.map { "sum(s.\($0)) AS \($0)" }.joined(separator: ", ")

    // Of each dropped day that has them: how its requests ended, added up, against its seal by key
    // and model, which the rollup is held against. A row of any other day is a difference too. Ranges
    // of the primary keys of both.
    static let ends = PostgresStatement(
        name: nil,
        sql: """
            WITH e AS (
                SELECT s.day, s.key_id, s.model_id,
                    \(sums)
                FROM sealed_end s WHERE s.shard = $1 AND s.day >= $2 GROUP BY 1, 2, 3),
            k AS (
                SELECT s.day, s.key_id, s.model_id, \(Seal.list("s"))
                FROM sealed_key s JOIN sealed_day d ON d.shard = s.shard AND d.day = s.day
                WHERE s.shard = $1 AND s.day >= $2 AND d.has_ends)
            SELECT 'difference', 'how requests ended = the dropped records', 'sealed_end',
                concat('day=', day, ' key_id=', key_id, ' model_id=', model_id),
                \(Seal.differing("e", from: "k")), \(Seal.differing("k", from: "e"))
            FROM e FULL JOIN k USING (day, key_id, model_id)
            WHERE (\(Seal.list("e"))) IS DISTINCT FROM (\(Seal.list("k")))
            ORDER BY day, key_id, model_id LIMIT $3
            """, isReadOnly: true)

    // Each histogram against the number of requests whose times count, of which each has an end and
    // at most one first token. Range of the primary key.
    static let times = PostgresStatement(
        name: nil,
        sql: """
            SELECT 'difference', c.rule, 'sealed_end',
                concat('day=', s.day, ' key_id=', s.key_id, ' model_id=', s.model_id,
                    ' end_state=', s.end_state),
                'times ' || c.found, concat(c.word, s.timed)
            FROM sealed_end s
            CROSS JOIN LATERAL (SELECT
                (SELECT coalesce(sum(x.n), 0) FROM unnest(s.first_token_counts) AS x(n)) AS first,
                (SELECT coalesce(sum(x.n), 0) FROM unnest(s.duration_counts) AS x(n)) AS ends) n
            CROSS JOIN LATERAL (VALUES
                ('a timed request has one end', n.ends <> s.timed, n.ends, 'times '),
                ('a timed request has at most one first token', n.first > s.timed, n.first,
                    'times at most ')
            ) AS c(rule, differs, found, word)
            WHERE s.shard = $1 AND s.day >= $2 AND c.differs
            ORDER BY s.day, s.key_id, s.model_id, s.end_state, c.rule LIMIT $3
            """, isReadOnly: true)
}
