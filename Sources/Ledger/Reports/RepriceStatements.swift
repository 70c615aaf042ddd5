import Domain
import Postgres

/// Records at other prices: what would change, and the rows beside them that change it.
///
/// `$1` the shard, `$2` the model, `$3` and `$4` the first and last instant of admission, the last
/// not included. Void requests cost nothing, and of swept ones (basis 4) nobody knows the tokens.
enum RepriceStatements {
    // What the records cost now, by the version that they were last charged by and whether they were
    // swept. One pass over the days' records and their corrections, of which there are few or as
    // many.
    static let versions = PostgresStatement(
        name: nil,
        sql: """
            SELECT z.version, z.is_swept, count(*), sum(z.cost)::text FROM (
                SELECT coalesce(c.version, u.price_version) AS version, u.basis = 4 AS is_swept,
                    u.cost_nanousd + coalesce(c.delta, 0) AS cost
                FROM usage u
                LEFT JOIN (
                    SELECT p.day, p.request_id, sum(p.delta_nanousd) AS delta,
                        (array_agg(p.price_version ORDER BY p.number DESC))[1] AS version
                    FROM price_correction p
                    WHERE p.shard = $1 AND p.model_id = $2
                        AND p.day BETWEEN ($3::timestamptz AT TIME ZONE 'UTC')::date
                            AND ($4::timestamptz AT TIME ZONE 'UTC')::date
                    GROUP BY p.day, p.request_id) c
                    ON c.day = u.day AND c.request_id = u.request_id
                WHERE u.shard = $1 AND u.model_id = $2 AND u.basis <> 5
                    AND u.day BETWEEN ($3::timestamptz AT TIME ZONE 'UTC')::date
                        AND ($4::timestamptz AT TIME ZONE 'UTC')::date
                    AND u.admitted_at >= $3 AND u.admitted_at < $4) z
            GROUP BY z.version, z.is_swept ORDER BY z.version NULLS FIRST, z.is_swept
            """, isReadOnly: true)

    /// Tokens of a record `u` with its sound `a`, by class, without those beyond its bound: these
    /// were never charged, and it is not known of which class they were. Taken off the completion
    /// first.
    static let tokens = """
        CROSS JOIN LATERAL (SELECT greatest(0, u.completion_tokens - u.overage) AS completion,
            u.prompt_tokens - greatest(0, u.overage - u.completion_tokens) AS prompt) b
        CROSS JOIN LATERAL (SELECT least(u.cached_tokens, b.prompt) AS cached) d
        CROSS JOIN LATERAL (
            SELECT least(u.cache_write_tokens, b.prompt - d.cached) AS cache_write) e
        CROSS JOIN LATERAL (SELECT
            least(coalesce(a.prompt_tokens, 0), b.prompt - d.cached - e.cache_write) AS heard,
            least(coalesce(a.completion_tokens, 0), b.completion) AS spoken) f
        """

    /// The cost of these by the version `m`, as ``Price/cost(of:)`` has it: exact, and rounded up
    /// once.
    static let cost = """
        least(9223372036854775807, div(
            (b.prompt - d.cached - e.cache_write - f.heard)::numeric * m.prompt
            + f.heard::numeric * m.heard + d.cached::numeric * m.cached
            + e.cache_write::numeric * m.cache_write
            + (b.completion - f.spoken)::numeric * m.completion
            + f.spoken::numeric * m.spoken + 1000000::numeric * m.fee + 999999, 1000000))::int8
        """

    /// Which version becomes which, -1 for none, and the new one's amounts: nine lists beginning at
    /// the parameter of that number.
    private static func mapping(_ first: Int) -> String {
        let lists = (first..<(first + 9)).map { "$\($0)::int8[]" }.joined(separator: ", ")
        return """
            unnest(\(lists)) AS m(was, becomes, prompt, cached, cache_write, completion, heard,
                spoken, fee)
            """
    }

    // What they would cost, by the version that they were last charged by. Reads as above.
    static let preview = PostgresStatement(
        name: nil,
        sql: """
            SELECT m.was, sum(\(cost))::text
            FROM usage u
            LEFT JOIN (
                SELECT p.day, p.request_id,
                    (array_agg(p.price_version ORDER BY p.number DESC))[1] AS version
                FROM price_correction p
                WHERE p.shard = $1 AND p.model_id = $2
                    AND p.day BETWEEN ($3::timestamptz AT TIME ZONE 'UTC')::date
                        AND ($4::timestamptz AT TIME ZONE 'UTC')::date
                GROUP BY p.day, p.request_id) c
                ON c.day = u.day AND c.request_id = u.request_id
            LEFT JOIN usage_audio a ON a.shard = $1 AND a.day = u.day
                AND a.request_id = u.request_id
            \(tokens)
            JOIN \(mapping(5)) ON m.was = coalesce(c.version, u.price_version, -1)
            WHERE u.shard = $1 AND u.model_id = $2 AND u.basis NOT IN (4, 5)
                AND u.day BETWEEN ($3::timestamptz AT TIME ZONE 'UTC')::date
                    AND ($4::timestamptz AT TIME ZONE 'UTC')::date
                AND u.admitted_at >= $3 AND u.admitted_at < $4
            GROUP BY m.was
            """, isReadOnly: true)

    // One batch: the next $7 records of the day $5 after the id $6, of which those of the model that
    // were last charged by a version of the list get a correction to what the list says. It names
    // the new version, so that repeating it, after a kill too, finds nothing more to do; and of two
    // that run at once only one inserts a record's next number. What really was inserted moves the
    // rollup's rows of node 0, which no gateway writes to, and what accounts in cost are owed whose
    // period runs. No row is locked that a gateway's batch waits for. Autocommitted; primary keys.
    static let batch = PostgresStatement(
        name: nil,
        sql: """
            WITH s AS (
                SELECT u.request_id, u.key_id, u.model_id, u.price_version, u.prompt_tokens,
                    u.cached_tokens, u.cache_write_tokens, u.completion_tokens, u.overage,
                    u.cost_nanousd, u.basis, u.admitted_at, u.account_ids
                FROM usage u WHERE u.shard = $1 AND u.day = $5 AND u.request_id > $6
                ORDER BY u.request_id LIMIT $7),
            n AS (
                SELECT u.request_id, u.key_id, u.model_id, u.admitted_at, u.account_ids, m.becomes,
                    coalesce(c.number, 0) + 1 AS number,
                    \(cost) - u.cost_nanousd - coalesce(c.delta, 0) AS delta
                FROM s u
                LEFT JOIN LATERAL (
                    SELECT max(p.number) AS number, sum(p.delta_nanousd) AS delta,
                        (array_agg(p.price_version ORDER BY p.number DESC))[1] AS version
                    FROM price_correction p
                    WHERE p.shard = $1 AND p.day = $5 AND p.request_id = u.request_id) c ON true
                LEFT JOIN usage_audio a ON a.shard = $1 AND a.day = $5
                    AND a.request_id = u.request_id
                \(tokens)
                JOIN \(mapping(8)) ON m.was = coalesce(c.version, u.price_version, -1)
                WHERE u.model_id = $2 AND u.basis NOT IN (4, 5) AND u.admitted_at >= $3
                    AND u.admitted_at < $4),
            i AS (
                INSERT INTO price_correction (shard, day, request_id, number, price_version,
                    delta_nanousd, key_id, model_id, admitted_at)
                SELECT $1, $5, n.request_id, n.number, n.becomes, n.delta, n.key_id, n.model_id,
                    n.admitted_at
                FROM n ON CONFLICT (shard, day, request_id, number) DO NOTHING
                RETURNING request_id, key_id, model_id, admitted_at, delta_nanousd),
            h AS (
                INSERT INTO usage_hour (shard, hour, key_id, model_id, node_id, requests,
                    failed_requests, prompt_tokens, cached_tokens, cache_write_tokens,
                    completion_tokens, reasoning_tokens, charged, overage, cost_nanousd)
                SELECT $1, date_trunc('hour', i.admitted_at, 'UTC'), i.key_id, i.model_id, 0, 0, 0,
                    0, 0, 0, 0, 0, 0, 0, sum(i.delta_nanousd)
                FROM i GROUP BY 2, 3, 4 ORDER BY 2, 3, 4
                ON CONFLICT (shard, hour, key_id, model_id, node_id) DO UPDATE
                SET cost_nanousd = usage_hour.cost_nanousd + EXCLUDED.cost_nanousd
                RETURNING 1),
            d AS (
                INSERT INTO repriced_account (shard, account_id, due_nanousd)
                SELECT $1, c.account_id, sum(i.delta_nanousd)
                FROM i JOIN n ON n.request_id = i.request_id
                CROSS JOIN unnest(n.account_ids) AS c(account_id)
                JOIN account x ON x.shard = $1 AND x.account_id = c.account_id
                WHERE x.resource = 3 AND i.delta_nanousd <> 0 AND x.period_start = CASE x.period
                    WHEN 1 THEN (now() AT TIME ZONE 'UTC')::date
                    WHEN 2 THEN date_trunc('month', now() AT TIME ZONE 'UTC')::date
                    ELSE x.period_start END
                GROUP BY c.account_id ORDER BY c.account_id
                ON CONFLICT (shard, account_id) DO UPDATE
                SET due_nanousd = repriced_account.due_nanousd + EXCLUDED.due_nanousd
                RETURNING 1)
            SELECT (SELECT count(*) FROM s),
                (SELECT s.request_id FROM s ORDER BY s.request_id DESC LIMIT 1),
                (SELECT count(*) FROM i),
                (SELECT coalesce(sum(i.delta_nanousd), 0)::text FROM i),
                (SELECT count(*) FROM h) + (SELECT count(*) FROM d)
            """)

    // The days of a shard that may have records, in order.
    static let days = PostgresStatement(
        name: nil,
        sql: """
            SELECT d FROM usage_partition_days() AS d
            WHERE d BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date
                AND ($3::timestamptz AT TIME ZONE 'UTC')::date
            UNION
            SELECT s.day FROM usage_default s
            WHERE s.shard = $1 AND s.day BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date
                AND ($3::timestamptz AT TIME ZONE 'UTC')::date
            ORDER BY 1
            """, isReadOnly: true)

    // How many days of the range retention has dropped, whose records nobody can price.
    static let dropped = PostgresStatement(
        name: nil,
        sql: """
            SELECT count(*) FROM sealed_day
            WHERE shard = $1 AND dropped_at IS NOT NULL
                AND day BETWEEN ($2::timestamptz AT TIME ZONE 'UTC')::date
                    AND ($3::timestamptz AT TIME ZONE 'UTC')::date
            """, isReadOnly: true)

    // Accounts that are owed something, of this run or of one before it that was killed.
    static let owed = PostgresStatement(
        name: nil,
        sql: """
            SELECT account_id FROM repriced_account
            WHERE shard = $1 AND due_nanousd <> applied_nanousd ORDER BY account_id
            """, isReadOnly: true)

    // Applies what one account is owed: `used` and `granted` move alike, so the identity holds, and
    // as when a limit is lowered `cap` goes as high as what is granted: a quota that is now used up
    // or more grants nothing further, and holders are asked for what they hold. What is given back
    // is at most what is folded: the rest waits for the leases. Every new value comes from the rows
    // as they were locked. One account row, locked first; repeating it finds nothing owed. Primary
    // keys.
    static let apply = PostgresStatement(
        name: nil,
        sql: """
            WITH a AS (
                SELECT account_id, used, granted, limit_units, soft FROM account
                WHERE shard = $1 AND account_id = $2 FOR UPDATE),
            r AS (
                SELECT r.account_id, r.due_nanousd AS due, r.applied_nanousd AS applied,
                    r.applications
                FROM repriced_account r JOIN a ON r.account_id = a.account_id
                WHERE r.shard = $1 AND r.account_id = $2 FOR UPDATE OF r),
            d AS (
                SELECT r.due, r.applied, r.applications + 1 AS number,
                    greatest(r.due - r.applied, -a.used) AS delta
                FROM a, r WHERE greatest(r.due - r.applied, -a.used) <> 0),
            j AS (
                INSERT INTO repriced_account_adj (shard, account_id, number, delta_nanousd)
                SELECT $1, $2, d.number, d.delta FROM d RETURNING 1),
            u AS (
                UPDATE repriced_account SET applied_nanousd = d.applied + d.delta,
                    due_nanousd = d.due, applications = d.number
                FROM d
                WHERE repriced_account.shard = $1 AND repriced_account.account_id = $2
                RETURNING 1)
            UPDATE account SET used = a.used + d.delta, granted = a.granted + d.delta,
                limit_units = a.limit_units,
                cap = \(GrowStatement.cap(
                    soft: "a.soft", limit: "a.limit_units", granted: "a.granted + d.delta")),
                recall_gen = account.recall_gen + CASE WHEN d.delta > 0 THEN 1 ELSE 0 END
            FROM a, d WHERE account.shard = $1 AND account.account_id = $2
            RETURNING d.delta
            """)

    // What accounts are still owed. Range of the primary key.
    static let waiting = PostgresStatement(
        name: nil,
        sql: """
            SELECT count(*), coalesce(sum(due_nanousd - applied_nanousd), 0)::text
            FROM repriced_account WHERE shard = $1 AND due_nanousd <> applied_nanousd
            """, isReadOnly: true)

    /// The lists of a mapping as parameters.
    static func lists(_ steps: [RepriceStep]) -> [PostgresValue] {
        func list(_ amount: (Price) -> NanoUSD) -> PostgresValue {
            .int8s(steps.map { amount($0.becomes).rawValue })
        }
        return [
            .int8s(steps.map { $0.was ?? -1 }), .int8s(steps.map(\.becomes.version)),
            list(\.prompt), list(\.cached), list(\.cacheWrite), list(\.completion),
            list { $0.audioPrompt ?? $0.prompt }, list { $0.audioCompletion ?? $0.completion },
            list(\.fee),
        ]
    }
}

/// Which version of a price becomes which.
struct RepriceStep: Sendable, Hashable {
    /// What records were last charged by; nil for no price at all.
    let was: Int64?
    /// What they are charged by from now on.
    let becomes: Price
}
