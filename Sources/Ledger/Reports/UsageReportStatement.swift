import Domain
import Postgres

/// A usage report: sums over the rollup by hour.
enum UsageReportStatement {
    /// The sums over rows `u` of the rollup, as ``decodeSums(_:from:)`` reads them.
    static let sums = """
        sum(u.requests)::text, sum(u.failed_requests)::text, sum(u.prompt_tokens)::text,
            sum(u.cached_tokens)::text, sum(u.cache_write_tokens)::text,
            sum(u.completion_tokens)::text, sum(u.reasoning_tokens)::text, sum(u.charged)::text,
            sum(u.cost_nanousd)::text
        """

    // The keys that a report is about, so that the report itself needs no join for every row of the
    // rollup. Of one key all that its subject ever had: what it was rotated from and to. Of tags
    // only keys that have all of them. Index team
    // of api_key.
    private static let keys = PostgresStatement(
        name: "report_usage_keys",
        sql: """
            SELECT coalesce(array_agg(k.key_id), '{}') FROM api_key k
            WHERE k.shard = $1 AND k.organization_id = $2
                AND ($3::int8 IS NULL OR k.team_id = $3) AND ($4::int8 IS NULL OR k.subject_id = (
                    SELECT s.subject_id FROM api_key s WHERE s.shard = $1 AND s.key_id = $4))
                AND k.tags @> $5::text[]
            """, isReadOnly: true)

    /// Beside keys `k`: a row for each of a key's tags, or one for a key without any.
    static let tags = " LEFT JOIN LATERAL unnest(k.tags) AS g(tag) ON true"

    // For one report, in its transaction: room for the sums of every hour of years in memory, and
    // no plan that looks a row up for each row. Fresh tables have no statistics, and a plan for
    // one key, run over all, took 29 s where this takes one.
    static let settings = PostgresStatement(
        name: "report_usage_settings",
        sql: """
            SELECT set_config('work_mem', '65536', true), set_config('jit', 'off', true),
                set_config('enable_nestloop', 'off', true),
                set_config('enable_mergejoin', 'off', true)
            """, isReadOnly: true)

    // One statement, so one snapshot: the rows of a report add up. Sums come first, over the
    // range of the primary key usage_hour (shard, hour, …), and names after, for what few groups
    // there are. Bound to one shard and, by its list of keys, to one organization. Without a name,
    // so that it is planned for the list and the span that it is asked for. Sums of int8 are numeric
    // and travel as text: nothing rounds or overflows. A grouping by what belongs to a key joins it
    // to the sums by key.
    private static func statement(_ grouping: UsageQuery.Grouping) -> PostgresStatement {
        if grouping == .endState { return records }
        let shape = shape(grouping)
        return PostgresStatement(
            name: nil,
            sql: """
                WITH u AS MATERIALIZED (
                    SELECT x.\(shape.summed), sum(x.requests) AS requests,
                        sum(x.failed_requests) AS failed_requests,
                        sum(x.prompt_tokens) AS prompt_tokens,
                        sum(x.cached_tokens) AS cached_tokens,
                        sum(x.cache_write_tokens) AS cache_write_tokens,
                        sum(x.completion_tokens) AS completion_tokens,
                        sum(x.reasoning_tokens) AS reasoning_tokens, sum(x.charged) AS charged,
                        sum(x.cost_nanousd) AS cost_nanousd
                    FROM usage_hour x
                    WHERE x.shard = $1 AND x.hour >= $2 AND x.hour < $3 AND x.key_id = ANY ($4)
                    GROUP BY 1)
                SELECT \(shape.columns), \(sums)
                FROM u \(shape.names)
                GROUP BY \(shape.groups) ORDER BY \(shape.order) LIMIT $5
                """, isReadOnly: true)
    }

    // The same sums by how requests ended, which the rollup does not keep: from the records, and of
    // days whose records were dropped from what retention kept. In one snapshot: the partitions of
    // the span's days, of an organization by its keys, and a range of the primary key of sealed_end.
    // A void request (basis 5) counts as failed, and a record costs what it was corrected to, as in
    // the rollup.
    private static let records = PostgresStatement(
        name: nil,
        sql: """
            WITH x AS (
                SELECT u.end_state, count(*) FILTER (WHERE u.basis <> 5) AS requests,
                    count(*) FILTER (WHERE u.basis = 5) AS failed_requests,
                    sum(u.prompt_tokens) AS prompt_tokens, sum(u.cached_tokens) AS cached_tokens,
                    sum(u.cache_write_tokens) AS cache_write_tokens,
                    sum(u.completion_tokens) AS completion_tokens,
                    sum(u.reasoning_tokens) AS reasoning_tokens, sum(u.charged) AS charged,
                    sum(u.cost_nanousd + coalesce((
                        SELECT sum(c.delta_nanousd) FROM price_correction c
                        WHERE c.shard = u.shard AND c.day = u.day
                            AND c.request_id = u.request_id), 0)) AS cost_nanousd
                FROM usage u
                WHERE u.shard = $1 AND u.key_id = ANY ($4)
                    AND u.day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
                    AND u.day <= ($3::timestamptz AT TIME ZONE 'UTC')::date
                    AND u.admitted_at >= $2 AND u.admitted_at < $3
                GROUP BY 1
                UNION ALL
                SELECT s.end_state, s.requests, s.failed_requests, s.prompt_tokens,
                    s.cached_tokens, s.cache_write_tokens, s.completion_tokens,
                    s.reasoning_tokens, s.charged, s.cost_nanousd + s.correction_nanousd
                FROM sealed_end s
                WHERE s.shard = $1 AND s.key_id = ANY ($4)
                    AND \(DroppedDaysStatements.isInSpan("s")))
            SELECT u.end_state, \(sums) FROM x u GROUP BY 1 ORDER BY \(most), 1 LIMIT $5
            """, isReadOnly: true)

    private struct Shape {
        /// The column of the rollup that is summed by.
        let summed: String
        /// What the sums are joined to.
        var names = ""
        let columns: String
        var groups = "1"
        var order = "1"
    }

    private static let most = "sum(u.prompt_tokens) + sum(u.completion_tokens) DESC"

    private static func shape(_ grouping: UsageQuery.Grouping) -> Shape {
        let keys = """
            JOIN api_key k ON k.shard = $1 AND k.key_id = u.key_id
                JOIN team t ON t.shard = $1 AND t.team_id = k.team_id
            """
        switch grouping {
        case .hour: return Shape(summed: "hour", columns: "u.hour")
        case .day: return Shape(summed: "hour", columns: "date_trunc('day', u.hour, 'UTC')")
        case .month: return Shape(summed: "hour", columns: "date_trunc('month', u.hour, 'UTC')")
        case .model:
            return Shape(
                summed: "model_id",
                names: "LEFT JOIN model m ON m.shard = $1 AND m.model_id = u.model_id",
                columns: "coalesce(m.name, '#' || u.model_id)", order: "\(most), 1")
        case .team:
            return Shape(
                summed: "key_id", names: keys, columns: "t.name", groups: "t.team_id, t.name",
                order: "\(most), 1")
        case .key:
            return Shape(
                summed: "key_id", names: keys, columns: "k.key_id, k.name, t.name",
                groups: "k.key_id, k.name, t.name", order: "\(most), 1")
        case .tag:
            return Shape(
                summed: "key_id", names: keys + tags, columns: "g.tag", order: "\(most), 1")
        case .endState: preconditionFailure("the rollup does not know how requests ended")
        }
    }

    /// The keys that a report or an export is about; the list of them goes with it.
    static func keys(
        of organization: OrganizationID, team: TeamID?, key: KeyID?, tags: [String]
    ) -> PostgresCommand {
        PostgresCommand(
            keys,
            [
                .int2(organization.shard.rawValue), .int8(organization.rawValue),
                team.map { .int8($0.rawValue) } ?? .null,
                key.map { .int8($0.databaseValue) } ?? .null, .texts(tags),
            ])
    }

    /// What to run for a report on these keys; the last result counts.
    static func report(
        _ query: UsageQuery, of keys: [Int64], mostRows: Int64
    ) -> [PostgresCommand] {
        let span: [PostgresValue] = [
            .int2(query.organization.shard.rawValue), .timestamp(query.since.microseconds),
            .timestamp(query.until?.microseconds ?? .max),
        ]
        return [
            PostgresCommand(settings, []),
            PostgresCommand(
                statement(query.grouping), span + [.int8s(keys), .int8(mostRows)]),
        ]
    }

    static func decode(
        _ row: PostgresRow, _ grouping: UsageQuery.Grouping
    ) throws(PostgresError) -> UsageRow {
        UsageRow(
            group: try group(row, grouping), sums: try decodeSums(row, from: row.count - 9))
    }

    /// Reads what a row stands for, from its first columns.
    static func group(
        _ row: PostgresRow, _ grouping: UsageQuery.Grouping
    ) throws(PostgresError) -> UsageRow.Group {
        switch grouping {
        case .day: return .day(Timestamp(microseconds: try row.timestamp(0)).day)
        case .hour: return .hour(Timestamp(microseconds: try row.timestamp(0)))
        case .month: return .month(Timestamp(microseconds: try row.timestamp(0)).day)
        case .endState:
            guard let state = EndState(rawValue: try row.int2(0)) else {
                throw PostgresError(kind: .decoding(reason: "a record has an unknown end state"))
            }
            return .endState(state)
        case .model: return .model(try row.text(0))
        case .team: return .team(try row.text(0))
        case .tag: return .tag(try row.optionalText(0))
        case .key:
            let id = KeyID(rawValue: UInt64(bitPattern: try row.int8(0)))
            return .key(id, name: try row.text(1), team: try row.text(2))
        }
    }

    /// Reads ``sums``, which begin in column `first`.
    static func decodeSums(
        _ row: PostgresRow, from first: Int
    ) throws(PostgresError) -> UsageSums {
        var sums = UsageSums()
        sums.requests = try number(row, first)
        sums.failedRequests = try number(row, first + 1)
        sums.promptTokens = try number(row, first + 2)
        sums.cachedTokens = try number(row, first + 3)
        sums.cacheWriteTokens = try number(row, first + 4)
        sums.completionTokens = try number(row, first + 5)
        sums.reasoningTokens = try number(row, first + 6)
        sums.chargedTokens = try number(row, first + 7)
        sums.costNanoUSD = try number(row, first + 8)
        return sums
    }

    /// A sum that travelled as text, so that nothing rounds or overflows.
    static func number(_ row: PostgresRow, _ column: Int) throws(PostgresError) -> Int128 {
        guard let number = Int128(try row.text(column)) else {
            throw PostgresError(kind: .decoding(reason: "column \(column) is no whole number"))
        }
        return number
    }
}
