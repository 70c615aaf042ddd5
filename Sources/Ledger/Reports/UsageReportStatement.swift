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

    // One statement, so one snapshot: the rows of a report add up. Bound to one shard and one
    // organization; the key's row says whose usage it is, since a shard holds many organizations.
    // Range of the primary key usage_hour (shard, hour, …); keys, teams and models by theirs. Sums
    // of int8 are numeric and travel as text: nothing rounds or overflows.
    private static func statement(_ grouping: UsageQuery.Grouping) -> PostgresStatement {
        if grouping == .endState { return records }
        let shape = shape(grouping)
        return PostgresStatement(
            name: "report_usage_\(grouping.rawValue)",
            sql: """
                SELECT \(shape.columns), \(sums)
                FROM usage_hour u
                JOIN api_key k ON k.shard = $1 AND k.key_id = u.key_id
                JOIN team t ON t.shard = $1 AND t.team_id = k.team_id
                LEFT JOIN model m ON m.shard = $1 AND m.model_id = u.model_id
                WHERE u.shard = $1 AND k.organization_id = $2 AND u.hour >= $3 AND u.hour < $4
                    AND ($5::int8 IS NULL OR k.team_id = $5)
                    AND ($6::int8 IS NULL OR u.key_id = $6)
                GROUP BY \(shape.groups) ORDER BY \(shape.order) LIMIT $7
                """, isReadOnly: true)
    }

    // The same sums from the records, for what the rollup does not keep, as far back as records
    // are kept. Reads every record of the span: the partitions of its days, in one snapshot, and of
    // a shard's organization by its keys. A void request (basis 5) counts as failed, as in the
    // rollup.
    private static let records = PostgresStatement(
        name: "report_usage_records",
        sql: """
            SELECT u.end_state, count(*) FILTER (WHERE u.basis <> 5)::text,
                count(*) FILTER (WHERE u.basis = 5)::text, sum(u.prompt_tokens)::text,
                sum(u.cached_tokens)::text, sum(u.cache_write_tokens)::text,
                sum(u.completion_tokens)::text, sum(u.reasoning_tokens)::text,
                sum(u.charged)::text, sum(u.cost_nanousd)::text
            FROM usage u
            JOIN api_key k ON k.shard = $1 AND k.key_id = u.key_id
            WHERE u.shard = $1 AND k.organization_id = $2
                AND u.day >= ($3::timestamptz AT TIME ZONE 'UTC')::date
                AND u.day <= ($4::timestamptz AT TIME ZONE 'UTC')::date
                AND u.admitted_at >= $3 AND u.admitted_at < $4
                AND ($5::int8 IS NULL OR k.team_id = $5)
                AND ($6::int8 IS NULL OR u.key_id = $6)
            GROUP BY 1 ORDER BY sum(u.prompt_tokens) + sum(u.completion_tokens) DESC, 1 LIMIT $7
            """, isReadOnly: true)

    private struct Shape {
        let columns: String
        let groups: String
        let order: String
    }

    private static let most = "sum(u.prompt_tokens) + sum(u.completion_tokens) DESC"

    private static func shape(_ grouping: UsageQuery.Grouping) -> Shape {
        switch grouping {
        case .day: Shape(columns: "date_trunc('day', u.hour, 'UTC')", groups: "1", order: "1")
        case .month: Shape(columns: "date_trunc('month', u.hour, 'UTC')", groups: "1", order: "1")
        case .hour: Shape(columns: "date_trunc('hour', u.hour, 'UTC')", groups: "1", order: "1")
        case .model:
            Shape(
                columns: "coalesce(m.name, '#' || u.model_id)", groups: "1", order: "\(most), 1")
        case .team: Shape(columns: "t.name", groups: "t.team_id, t.name", order: "\(most), 1")
        case .key:
            Shape(
                columns: "k.key_id, k.name, t.name", groups: "k.key_id, k.name, t.name",
                order: "\(most), 1")
        case .endState: preconditionFailure("the rollup does not know how requests ended")
        }
    }

    static func command(_ query: UsageQuery, mostRows: Int64) -> PostgresCommand {
        PostgresCommand(
            statement(query.grouping),
            [
                .int2(query.organization.shard.rawValue), .int8(query.organization.rawValue),
                .timestamp(query.since.microseconds),
                .timestamp(query.until?.microseconds ?? .max),
                query.team.map { .int8($0.rawValue) } ?? .null,
                query.key.map { .int8($0.databaseValue) } ?? .null,
                .int8(mostRows),
            ])
    }

    static func decode(
        _ row: PostgresRow, _ grouping: UsageQuery.Grouping
    ) throws(PostgresError) -> UsageRow {
        let group: UsageRow.Group
        switch grouping {
        case .day: group = .day(Timestamp(microseconds: try row.timestamp(0)).day)
        case .hour: group = .hour(Timestamp(microseconds: try row.timestamp(0)))
        case .month: group = .month(Timestamp(microseconds: try row.timestamp(0)).day)
        case .endState:
            guard let state = EndState(rawValue: try row.int2(0)) else {
                throw PostgresError(kind: .decoding(reason: "a record has an unknown end state"))
            }
            group = .endState(state)
        case .model: group = .model(try row.text(0))
        case .team: group = .team(try row.text(0))
        case .key:
            let id = KeyID(rawValue: UInt64(bitPattern: try row.int8(0)))
            group = .key(id, name: try row.text(1), team: try row.text(2))
        }
        return UsageRow(group: group, sums: try decodeSums(row, from: row.count - 9))
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
