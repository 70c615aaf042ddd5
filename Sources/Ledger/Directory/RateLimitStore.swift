public import Domain
import Postgres

/// The allowances per flow in the directory.
public struct RateLimitStore {
    let connection: PostgresConnection

    /// The subject's rate limits over all models, by dimension, then those of single models by their
    /// names. The subject's organization says the shard.
    public func list(
        _ subject: Subject, organization: Organization
    ) throws(LedgerError) -> [RateLimit] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            let command = PostgresCommand(
                Self.read,
                AllowanceStatements.Owner(organization.id.shard, organization.id, subject)
                    .parametersWithOrganization)
            return try connection.execute(command).rows.map { row throws(PostgresError) in
                guard let dimension = RateLimit.Dimension(rawValue: try row.int2(0)) else {
                    throw PostgresError(
                        kind: .decoding(reason: "a rate limit has an unknown dimension"))
                }
                return RateLimit(
                    subject: Subject(kind: subject.kind, id: try row.int8(2)), dimension: dimension,
                    limit: try row.int8(1), model: SubjectModelStatements.model(try row.text(3)))
            }
        }
    }

    // A subject's rate limits, of all models and of single ones. Primary keys.
    private static let read = PostgresStatement(
        name: nil,
        sql: """
            SELECT r.dimension, r.limit_units, r.subject_id, o.model
            FROM (\(SubjectModelStatements.applying(to: "SELECT $2::int2, $3::int8"))) o
            JOIN rate_limit r ON r.shard = $1 AND r.subject_kind = o.kind AND r.subject_id = o.id
            WHERE r.organization_id = $4
            ORDER BY o.model, r.dimension
            """, isReadOnly: true)
}

extension DirectoryStore {
    /// Sets a rate limit; running gateways follow within two seconds.
    public func setRateLimit(
        _ limit: RateLimit, organization: Organization
    ) throws(LedgerError) {
        _ = try apply(
            [.setRateLimit(limit.dimension, limit: limit.limit)], subject: limit.subject,
            organization: organization)
    }

    /// Takes a rate limit away and says whether there was one.
    public func clearRateLimit(
        _ subject: Subject, _ dimension: RateLimit.Dimension, organization: Organization
    ) throws(LedgerError) -> Bool {
        try apply(
            [.clearRateLimit(dimension)], subject: subject, organization: organization) == [true]
    }
}
