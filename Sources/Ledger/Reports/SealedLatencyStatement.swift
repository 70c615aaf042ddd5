import Domain
import Postgres

/// Histograms of how long requests took, of groups that reach beyond the records that are kept.
enum SealedLatencyStatement {
    // One statement, so one snapshot. The times of dropped days are in sealed_end by bucket: a range
    // of its primary key, of an organization by its keys. Those of records that are there are put
    // into the same buckets, since a group may have both: the partitions of the span's days. Buckets
    // are summed by what the tables know of a group, and only then joined to names; a group of
    // several keys has a bucket several times, which whoever reads adds up. Groups that the records
    // tell whole are left out. Without a name, so that it is planned for the list and the span that
    // it is asked for.
    private static func statement(_ grouping: UsageQuery.Grouping) -> PostgresStatement {
        let shape = shape(grouping)
        return PostgresStatement(
            name: nil,
            sql: """
                WITH x AS (
                    SELECT \(shape.sealed) AS part, true AS is_sealed, true AS is_first,
                        unnest(s.first_token_buckets) AS bucket, unnest(s.first_token_counts) AS n
                    FROM sealed_end s
                    WHERE s.shard = $1 AND s.key_id = ANY ($4)
                        AND \(DroppedDaysStatements.isInSpan("s"))
                    UNION ALL
                    SELECT \(shape.sealed), true, false,
                        unnest(s.duration_buckets), unnest(s.duration_counts)
                    FROM sealed_end s
                    WHERE s.shard = $1 AND s.key_id = ANY ($4)
                        AND \(DroppedDaysStatements.isInSpan("s"))
                    UNION ALL
                    SELECT \(shape.recorded), false, t.is_first,
                        latency_bucket(greatest(t.us, 0)), 1::int8
                    FROM usage u CROSS JOIN LATERAL (
                        VALUES (true, u.first_token_us), (false, u.duration_us)) AS t(is_first, us)
                    WHERE u.shard = $1 AND u.key_id = ANY ($4)
                        AND u.day >= ($2::timestamptz AT TIME ZONE 'UTC')::date
                        AND u.day <= ($3::timestamptz AT TIME ZONE 'UTC')::date
                        AND u.admitted_at >= $2 AND u.admitted_at < $3 AND u.basis IN (1, 2, 6)
                        AND t.us IS NOT NULL),
                u AS MATERIALIZED (
                    SELECT x.part, x.is_first, x.bucket, sum(x.n)::int8 AS n,
                        bool_or(x.is_sealed) AS is_sealed
                    FROM x WHERE $6::text IS NOT NULL GROUP BY 1, 2, 3)
                SELECT \(shape.columns),
                    coalesce(array_agg(u.bucket) FILTER (WHERE u.is_first), '{}'),
                    coalesce(array_agg(u.n) FILTER (WHERE u.is_first), '{}'),
                    coalesce(array_agg(u.bucket) FILTER (WHERE NOT u.is_first), '{}'),
                    coalesce(array_agg(u.n) FILTER (WHERE NOT u.is_first), '{}')
                FROM u \(shape.names)
                GROUP BY \(shape.groups) HAVING bool_or(u.is_sealed) ORDER BY 1 LIMIT $5
                """, isReadOnly: true)
    }

    private struct Shape {
        /// What a row of sealed_end, and a record, are summed by.
        let sealed: String
        let recorded: String
        /// What the sums are joined to.
        var names = ""
        let columns: String
        var groups = "1"
    }

    private static func shape(_ grouping: UsageQuery.Grouping) -> Shape {
        let noon = "(s.day + time '12:00') AT TIME ZONE 'UTC' AT TIME ZONE $6::text"
        let hour = "date_trunc('hour', u.admitted_at, 'UTC') AT TIME ZONE $6::text"
        let keys = """
            JOIN api_key k ON k.shard = $1 AND k.key_id = u.part
                JOIN team t ON t.shard = $1 AND t.team_id = k.team_id
            """
        func byKey(_ columns: String, groups: String = "1", tags: String = "") -> Shape {
            Shape(
                sealed: "s.key_id", recorded: "u.key_id", names: keys + tags, columns: columns,
                groups: groups)
        }
        switch grouping {
        case .day:
            return Shape(sealed: "(\(noon))::date", recorded: "(\(hour))::date", columns: "u.part")
        case .month:
            return Shape(
                sealed: "date_trunc('month', \(noon))::date",
                recorded: "date_trunc('month', \(hour))::date", columns: "u.part")
        case .model:
            return Shape(
                sealed: "s.model_id", recorded: "u.model_id",
                names: "LEFT JOIN model m ON m.shard = $1 AND m.model_id = u.part",
                columns: "coalesce(m.name, '#' || u.part)")
        case .team: return byKey("t.name", groups: "t.team_id, t.name")
        case .tag: return byKey("g.tag", tags: UsageReportStatement.tags)
        case .key:
            return byKey("k.key_id, k.name, t.name", groups: "k.key_id, k.name, t.name")
        case .endState:
            return Shape(sealed: "s.end_state", recorded: "u.end_state", columns: "u.part")
        case .hour: preconditionFailure("a dropped day does not know its hours")
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
                [.int2(query.organization.shard.rawValue)] + DroppedDaysStatements.span(query)
                    + [.int8s(keys), .int8(mostRows), .text(zone)]),
        ]
    }

    static func decode(
        _ row: PostgresRow, _ grouping: UsageQuery.Grouping
    ) throws(PostgresError) -> LatencyRow {
        let first = row.count - 4
        let firstToken = try histogram(row, first)
        let duration = try histogram(row, first + 2)
        return LatencyRow(
            group: try LatencyStatement.group(row, grouping),
            requests: Int64(clamping: duration.count), firstToken: percentiles(firstToken),
            duration: percentiles(duration), isApproximate: true)
    }

    private static func histogram(
        _ row: PostgresRow, _ column: Int
    ) throws(PostgresError) -> LatencyHistogram {
        var histogram = LatencyHistogram()
        let (buckets, counts) = (try row.int2s(column), try row.int8s(column + 1))
        guard buckets.count == counts.count,
            buckets.allSatisfy(LatencyHistogram.buckets.contains), counts.allSatisfy({ $0 >= 0 })
        else { throw PostgresError(kind: .decoding(reason: "a histogram is none")) }
        for (bucket, count) in zip(buckets, counts) { histogram.add(count, to: bucket) }
        return histogram
    }

    private static func percentiles(_ times: LatencyHistogram) -> LatencyRow.Percentiles? {
        guard let p50 = times.percentile(50), let p95 = times.percentile(95),
            let p99 = times.percentile(99)
        else { return nil }
        return LatencyRow.Percentiles(p50: p50, p95: p95, p99: p99)
    }
}
