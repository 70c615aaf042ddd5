import Domain
import Postgres

/// The two statements of a running gateway's key cache.
enum KeySourceStatements {
    // The subjects whose allowances apply to the key `k`.
    private static let owners = SubjectModelStatements.applying(
        to: "VALUES (1::int2, k.organization_id), (2::int2, k.team_id), (3::int2, k.subject_id)")

    // Keys with every quota and rate limit that applies to them, of all models and of single ones,
    // and the shard's revision of the same snapshot, which says whether a change came before or
    // after. One row without a key when none exists. Primary keys throughout.
    private static let read = PostgresStatement(
        name: "directory_read_keys",
        sql: """
            SELECT s.now, s.revision, k.key_id, k.organization_id, k.team_id, k.subject_id, k.mac,
                k.pepper_id, k.models, k.default_completion_tokens, k.always_usage, k.not_before,
                k.not_after, k.revoked_at IS NOT NULL, q.kinds, q.ids, q.resources, q.periods,
                q.limits, q.rides, l.kinds, l.ids, l.dimensions, l.limits, k.mirror_reasoning,
                o.name || '/' || t.name, CASE WHEN o.suspended_at IS NOT NULL THEN 1
                    WHEN t.suspended_at IS NOT NULL THEN 2
                    WHEN k.suspended_at IS NOT NULL THEN 3 END::int2, k.endpoints,
                    k.clamps, q.models, l.models, q.softs
            FROM (SELECT now() AS now, coalesce((SELECT r.revision FROM directory_revision r
                WHERE r.shard = $1), 0) AS revision) s
            LEFT JOIN api_key k ON k.shard = $1 AND k.key_id = ANY($2::int8[])
            LEFT JOIN team t ON t.shard = $1 AND t.team_id = k.team_id
            LEFT JOIN organization o ON o.shard = $1 AND o.organization_id = k.organization_id
            LEFT JOIN LATERAL (
                SELECT coalesce(array_agg(q.subject_kind), '{}') AS kinds,
                    coalesce(array_agg(q.subject_id), '{}') AS ids,
                    coalesce(array_agg(q.resource), '{}') AS resources,
                    coalesce(array_agg(q.period), '{}') AS periods,
                    coalesce(array_agg(q.limit_units), '{}') AS limits,
                    coalesce(array_agg(q.ride), '{}') AS rides,
                    coalesce(array_agg(q.soft), '{}') AS softs,
                    coalesce(array_agg(q.model), '{}') AS models
                FROM (SELECT q.subject_kind, q.subject_id, q.resource, q.period, q.limit_units,
                        q.ride, q.soft, o.model
                    FROM (\(owners)) o
                    JOIN quota q ON q.shard = $1 AND q.subject_kind = o.kind AND q.subject_id = o.id
                    ORDER BY q.subject_kind, o.model, q.resource, q.period) q) q ON true
            LEFT JOIN LATERAL (
                SELECT coalesce(array_agg(l.subject_kind), '{}') AS kinds,
                    coalesce(array_agg(l.subject_id), '{}') AS ids,
                    coalesce(array_agg(l.dimension), '{}') AS dimensions,
                    coalesce(array_agg(l.limit_units), '{}') AS limits,
                    coalesce(array_agg(l.model), '{}') AS models
                FROM (SELECT l.subject_kind, l.subject_id, l.dimension, l.limit_units, o.model
                    FROM (\(owners)) o
                    JOIN rate_limit l ON l.shard = $1 AND l.subject_kind = o.kind
                        AND l.subject_id = o.id
                    ORDER BY l.subject_kind, o.model, l.dimension) l) l ON true
            """, isReadOnly: true)

    // Revisions of the shards in use, at most 256 rows, and the clock even when there is none.
    // Primary key.
    private static let revisions = PostgresStatement(
        name: "directory_revisions",
        sql: """
            SELECT s.now, r.shard, r.revision FROM (SELECT now() AS now) s
            LEFT JOIN directory_revision r ON r.shard = ANY($1::int2[])
            """, isReadOnly: true)

    static func read(_ ids: [KeyID], _ shard: Shard) -> PostgresCommand {
        PostgresCommand(read, [.int2(shard.rawValue), .int8s(ids.map(\.databaseValue))])
    }

    static func revisions(of shards: [Shard]) -> PostgresCommand {
        PostgresCommand(revisions, [.int2s(shards.map(\.rawValue))])
    }

    /// Reads a row of `read`; nil when it has no key.
    static func decode(_ row: PostgresRow, _ shard: Shard) throws(PostgresError) -> StoredKey? {
        guard let id = try row.optionalInt8(2) else { return nil }
        var principal = Principal(
            shard: shard, organization: OrganizationID(rawValue: try row.int8(3)),
            team: TeamID(rawValue: try row.int8(4)),
            key: KeyID(rawValue: UInt64(bitPattern: id)), keySubject: try row.int8(5),
            allowedModels: try row.isNull(8) ? nil : Set(try row.texts(8)),
            defaultCompletionTokens: try row.optionalInt8(9), alwaysShowsUsage: try row.bool(10),
            quotas: try quotas(row), rateLimits: try rateLimits(row))
        principal.mirrorsReasoning = try row.bool(24)
        // A scope that this program does not know opens nothing.
        principal.allowedScopes =
            try row.isNull(27) ? nil : Set(try row.texts(27).compactMap(KeyScope.init))
        principal.clampsCompletion = try row.isNull(28) ? false : row.bool(28)
        principal.teamName = try row.isNull(25) ? "" : try row.text(25)
        return StoredKey(
            principal: principal, digest: try row.bytes(6), pepperID: try row.int2(7),
            notBefore: Timestamp(microseconds: try row.timestamp(11)),
            notAfter: try row.optionalTimestamp(12).map(Timestamp.init(microseconds:)),
            isRevoked: try row.bool(13), suspended: try suspended(row))
    }

    private static func suspended(_ row: PostgresRow) throws(PostgresError) -> Subject.Kind? {
        guard let number = try row.optionalInt2(26) else { return nil }
        guard let kind = Subject.Kind(rawValue: number) else { throw unknown }
        return kind
    }

    private static func quotas(_ row: PostgresRow) throws(PostgresError) -> [Quota] {
        let (kinds, ids) = (try row.int2s(14), try row.int8s(15))
        let (resources, periods) = (try row.int2s(16), try row.int2s(17))
        let (limits, rides, models) = (try row.int8s(18), try row.bools(19), try row.texts(29))
        let softs = try row.bools(31)
        let counts = [ids, limits].map(\.count) + [resources, periods].map(\.count)
        guard
            (counts + [rides.count, models.count, softs.count])
                .allSatisfy({ $0 == kinds.count })
        else { throw unknown }
        return try kinds.indices.map { index throws(PostgresError) in
            guard let kind = Subject.Kind(rawValue: kinds[index]),
                let resource = Resource(rawValue: resources[index]),
                let period = Period(rawValue: periods[index]), limits[index] >= 0
            else { throw unknown }
            return Quota(
                subject: Subject(kind: kind, id: ids[index]), resource: resource, period: period,
                limit: limits[index], ridesOutages: rides[index],
                model: SubjectModelStatements.model(models[index]), isSoft: softs[index])
        }
    }

    private static func rateLimits(_ row: PostgresRow) throws(PostgresError) -> [RateLimit] {
        let (kinds, ids) = (try row.int2s(20), try row.int8s(21))
        let (dimensions, limits) = (try row.int2s(22), try row.int8s(23))
        let models = try row.texts(30)
        guard
            [ids.count, dimensions.count, limits.count, models.count]
                .allSatisfy({ $0 == kinds.count })
        else { throw unknown }
        return try kinds.indices.map { index throws(PostgresError) in
            guard let kind = Subject.Kind(rawValue: kinds[index]),
                let dimension = RateLimit.Dimension(rawValue: dimensions[index]),
                limits[index] >= 1
            else { throw unknown }
            return RateLimit(
                subject: Subject(kind: kind, id: ids[index]), dimension: dimension,
                limit: limits[index], model: SubjectModelStatements.model(models[index]))
        }
    }

    /// A quota that this program does not know must not be passed over: it is a fault, not a
    /// missing limit.
    private static var unknown: PostgresError {
        PostgresError(
            kind: .decoding(reason: "a quota or rate limit that this program cannot read"))
    }
}
