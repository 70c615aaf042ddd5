import Domain
import Postgres

/// What a key reads of the books with itself. Both statements are bound to the shard, to the
/// organization and to the key's own subject.
enum TenantBookStatements {
    // A subject's usage over a bounded number of hours. The list of hours makes of it that many
    // descents of the primary key usage_hour (shard, hour, key_id, …), each to the subject's own
    // rows: other keys' rows are not read, however many there are. Index api_key (shard,
    // subject_id).
    private static func usage(_ grouping: OwnUsageQuestion.Grouping) -> PostgresStatement {
        let column =
            switch grouping {
            case .hour: "u.hour"
            case .day: "date_trunc('day', u.hour, 'UTC')"
            case .month: "date_trunc('month', u.hour, 'UTC')"
            case .model: "coalesce(m.name, '#' || u.model_id)"
            }
        return PostgresStatement(
            name: "own_usage_\(grouping.rawValue)",
            sql: """
                SELECT \(column), \(UsageReportStatement.sums)
                FROM usage_hour u
                LEFT JOIN model m ON m.shard = $1 AND m.model_id = u.model_id
                WHERE u.shard = $1
                    AND u.hour = ANY (ARRAY(SELECT generate_series(
                        $4::timestamptz, $5::timestamptz - interval '1 hour', interval '1 hour')))
                    AND u.key_id = ANY (ARRAY(
                        SELECT k.key_id FROM api_key k WHERE k.shard = $1
                            AND k.organization_id = $2 AND k.subject_id = $3))
                GROUP BY 1 ORDER BY 1 LIMIT $6
                """, isReadOnly: true)
    }

    // The quotas of an organization, one of its teams and one of its keys, of all models and of
    // single ones, their accounts of the current period and the sums over the accounts' leases, in
    // one snapshot with the clock. One row at least. Primary keys of subject_model and quota, unique
    // index of account, index lease (shard, account_id).
    private static let quotas = PostgresStatement(
        name: "own_quotas",
        sql: """
            SELECT n.at, q.subject_kind, q.subject_id, q.resource, q.period, q.limit_units,
                coalesce(a.used, 0) + coalesce(l.settled, 0), coalesce(l.reserved, 0), s.start,
                q.ride, q.model, q.soft
            FROM (SELECT now() AS at) n
            LEFT JOIN (
                SELECT q.subject_kind, q.subject_id, q.resource, q.period, q.limit_units, q.ride,
                    q.soft, o.model
                FROM (\(SubjectModelStatements.applying(
                    to: "VALUES (1::int2, $2::int8), (2::int2, $3::int8), (3::int2, $4::int8)"))) o
                JOIN quota q ON q.shard = $1 AND q.subject_kind = o.kind AND q.subject_id = o.id
                    AND q.organization_id = $2) q ON true
            CROSS JOIN LATERAL (SELECT q.period AS period) p
            CROSS JOIN LATERAL (SELECT \(AllowanceStatements.periodStart) AS start) s
            LEFT JOIN account a ON a.shard = $1 AND a.subject_kind = q.subject_kind
                AND a.subject_id = q.subject_id AND a.resource = q.resource AND a.period = q.period
                AND a.period_start = s.start
            LEFT JOIN LATERAL (
                SELECT sum(x.settled)::int8 AS settled, sum(x.reserved)::int8 AS reserved
                FROM lease x WHERE x.shard = $1 AND x.account_id = a.account_id) l ON true
            ORDER BY q.subject_kind, q.model, q.resource, q.period
            """, isReadOnly: true)

    /// The most rows of a report: as many hours as it may have, and no more models.
    static let mostRows = OwnUsageQuestion.Grouping.hour.mostHours

    static func usage(_ question: OwnUsageQuestion, of principal: Principal) -> PostgresCommand {
        PostgresCommand(
            usage(question.grouping),
            [
                .int2(principal.shard.rawValue), .int8(principal.organization.rawValue),
                .int8(principal.keySubject), .timestamp(question.since.microseconds),
                .timestamp(question.until.microseconds), .int8(mostRows),
            ])
    }

    static func quotas(of principal: Principal) -> PostgresCommand {
        PostgresCommand(
            quotas,
            [
                .int2(principal.shard.rawValue), .int8(principal.organization.rawValue),
                .int8(principal.team.rawValue), .int8(principal.keySubject),
            ])
    }

    static func decodeUsage(
        _ row: PostgresRow, _ grouping: OwnUsageQuestion.Grouping
    ) throws(PostgresError) -> OwnUsageRow {
        let group: OwnUsageRow.Group =
            switch grouping {
            case .hour: .hour(Timestamp(microseconds: try row.timestamp(0)))
            case .day: .day(Timestamp(microseconds: try row.timestamp(0)).day)
            case .month: .month(Timestamp(microseconds: try row.timestamp(0)).day)
            case .model: .model(try row.text(0))
            }
        return OwnUsageRow(group: group, sums: try UsageReportStatement.decodeSums(row, from: 1))
    }

    static func decodeQuotas(_ rows: [PostgresRow]) throws(PostgresError) -> OwnQuotas {
        guard let first = rows.first else {
            throw PostgresError(kind: .decoding(reason: "a read of quotas gave no row"))
        }
        var lines: [OwnQuotas.Line] = []
        for row in rows {
            guard let kind = try row.optionalInt2(1) else { continue }
            guard let kind = Subject.Kind(rawValue: kind),
                let resource = Resource(rawValue: try row.int2(3)),
                let period = Period(rawValue: try row.int2(4))
            else { throw PostgresError(kind: .decoding(reason: "a quota has an unknown kind")) }
            lines.append(
                OwnQuotas.Line(
                    quota: Quota(
                        subject: Subject(kind: kind, id: try row.int8(2)), resource: resource,
                        period: period, limit: try row.int8(5), ridesOutages: try row.bool(9),
                        model: SubjectModelStatements.model(try row.text(10)),
                        isSoft: try row.bool(11)),
                    used: try row.int8(6), reserved: try row.int8(7),
                    resetsAt: period.end(of: CalendarDay(rawValue: try row.date(8)))))
        }
        return OwnQuotas(asOf: Timestamp(microseconds: try first.timestamp(0)), lines: lines)
    }
}
