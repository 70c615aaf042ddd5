public import Domain
import Postgres

/// A quota with its running numbers, all in the quota's resource.
public struct QuotaStatus: Sendable, Hashable {
    /// The quota.
    public let quota: Quota
    /// Settled for good in the current period, over all nodes.
    public let used: Int64
    /// Claimed by open requests, at their bounds.
    public let reserved: Int64
    /// In the nodes' hands and not claimed; 0 where that means nothing, of a soft quota.
    public let leased: Int64
    /// When the period ends; nil for a total.
    public let resetsAt: Timestamp?

    /// What may still be used: the limit less what is used or reserved, never negative. Of a soft
    /// quota what is left until the whole limit is used; more may be.
    public var left: Int64 { max(0, quota.limit - used - reserved) }
}

/// The allowances in the directory.
public struct QuotaStore {
    let connection: PostgresConnection

    /// The subject's quotas over all models, by resource and period, then those of single models by
    /// their names. The subject's organization says the shard.
    public func list(_ subject: Subject, organization: Organization) throws(LedgerError) -> [Quota]
    {
        try status(subject, organization: organization).map(\.quota)
    }

    /// The subject's quotas with the numbers of their current periods, in one snapshot. A quota
    /// that nobody has used yet has no account, and zeros.
    public func status(
        _ subject: Subject, organization: Organization
    ) throws(LedgerError) -> [QuotaStatus] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let command = PostgresCommand(
                QuotaStatements.status,
                AllowanceStatements.Owner(organization.id.shard, organization.id, subject)
                    .parametersWithOrganization)
            return try connection.execute(command).rows.map { row throws(PostgresError) in
                try Self.read(row, subject.kind)
            }
        }
    }

    private static func read(
        _ row: PostgresRow, _ kind: Subject.Kind
    ) throws(PostgresError) -> QuotaStatus {
        guard let resource = Resource(rawValue: try row.int2(0)),
            let period = Period(rawValue: try row.int2(1))
        else { throw PostgresError(kind: .decoding(reason: "a quota has an unknown kind")) }
        return QuotaStatus(
            quota: Quota(
                subject: Subject(kind: kind, id: try row.int8(8)), resource: resource,
                period: period, limit: try row.int8(2), ridesOutages: try row.bool(7),
                model: SubjectModelStatements.model(try row.text(9)), isSoft: try row.bool(10)),
            used: try row.int8(3), reserved: try row.int8(4), leased: try row.int8(5),
            resetsAt: period.end(of: CalendarDay(rawValue: try row.date(6))))
    }
}

/// The statement about a subject's quotas.
private enum QuotaStatements {
    // A subject's quotas, of all models and of single ones, their accounts of the current period
    // and the sums over the accounts' leases, in one snapshot. Primary keys of subject_model and of
    // quota, unique index of account, index lease (shard, account_id).
    static let status = PostgresStatement(
        name: nil,
        sql: """
            SELECT q.resource, q.period, q.limit_units,
                coalesce(a.used, 0) + coalesce(l.settled, 0), coalesce(l.reserved, 0),
                CASE WHEN a.soft THEN 0 ELSE coalesce(l.free, 0) END, s.start, q.ride,
                q.subject_id, o.model, q.soft
            FROM (\(SubjectModelStatements.applying(to: "SELECT $2::int2, $3::int8"))) o
            JOIN quota q ON q.shard = $1 AND q.subject_kind = o.kind AND q.subject_id = o.id
            CROSS JOIN LATERAL (SELECT q.period AS period) p
            CROSS JOIN LATERAL (SELECT \(AllowanceStatements.periodStart) AS start) s
            LEFT JOIN account a ON a.shard = $1 AND a.subject_kind = q.subject_kind
                AND a.subject_id = q.subject_id AND a.resource = q.resource AND a.period = q.period
                AND a.period_start = s.start
            LEFT JOIN LATERAL (
                SELECT sum(x.settled)::int8 AS settled, sum(x.reserved)::int8 AS reserved,
                    sum(x.granted - x.reserved - x.settled)::int8 AS free
                FROM lease x WHERE x.shard = $1 AND x.account_id = a.account_id) l ON true
            WHERE q.organization_id = $4
            ORDER BY o.model, q.resource, q.period
            """, isReadOnly: true)
}

extension DirectoryStore {
    /// Sets a quota; see ``apply(_:subject:organization:)``.
    public func setQuota(_ quota: Quota, organization: Organization) throws(LedgerError) {
        _ = try apply(
            [
                .setQuota(
                    quota.resource, quota.period, limit: quota.limit,
                    ridesOutages: quota.ridesOutages, isSoft: quota.isSoft)
            ], subject: quota.subject, organization: organization)
    }

    /// Takes a quota away and says whether there was one; see ``apply(_:subject:organization:)``.
    public func clearQuota(
        _ subject: Subject, _ resource: Resource, _ period: Period, organization: Organization
    ) throws(LedgerError) -> Bool {
        try apply(
            [.clearQuota(resource, period)], subject: subject, organization: organization) == [true]
    }
}
