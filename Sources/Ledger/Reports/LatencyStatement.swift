import Domain
import Postgres

/// Percentiles of how long requests took.
enum LatencyStatement {
    // One statement, so one snapshot. Reads every record of the span: the partitions of its days, of
    // an organization by its keys, and sorts the times of each group. The rollup cannot tell:
    // percentiles of hours do not add up to those of a day. Void (5), swept (4) and recovered (3)
    // records are left out: their times are no request's. Without a name, so that it is planned for
    // the list and the span that it is asked for.
    private static func statement(_ grouping: UsageQuery.Grouping) -> PostgresStatement {
        let shape = shape(grouping)
        return PostgresStatement(
            name: nil,
            sql: """
                SELECT \(shape.columns), count(*),
                    coalesce(percentile_disc(\(parts)) WITHIN GROUP (ORDER BY u.first_token_us),
                        '{}'),
                    coalesce(percentile_disc(\(parts)) WITHIN GROUP (ORDER BY u.duration_us), '{}')
                FROM usage u \(shape.names)
                WHERE u.shard = $1 AND u.key_id = ANY ($4)
                    AND u.day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
                    AND u.day <= ($3::timestamptz AT TIME ZONE 'UTC')::date
                    AND u.admitted_at >= $2 AND u.admitted_at < $3 AND u.basis IN (1, 2, 6)
                    AND $6::text IS NOT NULL
                GROUP BY \(shape.groups) ORDER BY \(shape.order) LIMIT $5
                """, isReadOnly: true)
    }

    private static let parts = "ARRAY[0.5, 0.95, 0.99]::float8[]"
    private static let hour = "date_trunc('hour', u.admitted_at, 'UTC')"
    private static let keys = """
        JOIN api_key k ON k.shard = $1 AND k.key_id = u.key_id
            JOIN team t ON t.shard = $1 AND t.team_id = k.team_id
        """

    private struct Shape {
        var names = ""
        let columns: String
        var groups = "1"
        var order = "count(*) DESC, 1"
    }

    private static func shape(_ grouping: UsageQuery.Grouping) -> Shape {
        switch grouping {
        case .hour: Shape(columns: hour, order: "1")
        case .day: Shape(columns: "(\(hour) AT TIME ZONE $6::text)::date", order: "1")
        case .month:
            Shape(
                columns: "date_trunc('month', \(hour) AT TIME ZONE $6::text)::date", order: "1")
        case .model:
            Shape(
                names: "LEFT JOIN model m ON m.shard = $1 AND m.model_id = u.model_id",
                columns: "coalesce(m.name, '#' || u.model_id)")
        case .team: Shape(names: keys, columns: "t.name", groups: "t.team_id, t.name")
        case .tag: Shape(names: keys + UsageReportStatement.tags, columns: "g.tag")
        case .key:
            Shape(
                names: keys, columns: "k.key_id, k.name, t.name",
                groups: "k.key_id, k.name, t.name")
        case .endState: Shape(columns: "u.end_state")
        }
    }

    /// What to run for a report on these keys; the last result counts.
    static func report(
        _ query: UsageQuery, of keys: [Int64], in zone: String, mostRows: Int64
    ) -> [PostgresCommand] {
        [
            PostgresCommand(UsageReportStatement.settings, []),
            PostgresCommand(
                statement(query.grouping),
                [
                    .int2(query.organization.shard.rawValue),
                    .timestamp(query.since.microseconds),
                    .timestamp(query.until?.microseconds ?? .max), .int8s(keys), .int8(mostRows),
                    .text(zone),
                ]),
        ]
    }

    static func decode(
        _ row: PostgresRow, _ grouping: UsageQuery.Grouping
    ) throws(PostgresError) -> LatencyRow {
        let first = row.count - 3
        return LatencyRow(
            group: try group(row, grouping), requests: try row.int8(first),
            firstToken: try percentiles(row.int8s(first + 1)),
            duration: try percentiles(row.int8s(first + 2)), isApproximate: false)
    }

    /// Reads what a row stands for, from its first columns; days and months are dates.
    static func group(
        _ row: PostgresRow, _ grouping: UsageQuery.Grouping
    ) throws(PostgresError) -> UsageRow.Group {
        switch grouping {
        case .day: .day(CalendarDay(rawValue: try row.date(0)))
        case .month: .month(CalendarDay(rawValue: try row.date(0)))
        default: try UsageReportStatement.group(row, grouping)
        }
    }

    private static func percentiles(_ times: [Int64]) -> LatencyRow.Percentiles? {
        guard times.count == 3 else { return nil }
        return LatencyRow.Percentiles(
            p50: .microseconds(times[0]), p95: .microseconds(times[1]),
            p99: .microseconds(times[2]))
    }
}
