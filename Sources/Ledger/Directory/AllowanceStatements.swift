import Domain
import Postgres

/// The statements that change quotas and rate limits and tell the accounts.
enum AllowanceStatements {
    /// Whose allowances are changed.
    struct Owner {
        let shard: Shard
        let organization: OrganizationID
        let subject: Subject

        init(_ shard: Shard, _ organization: OrganizationID, _ subject: Subject) {
            self.shard = shard
            self.organization = organization
            self.subject = subject
        }

        /// Shard, kind and id: `$1`, `$2` and `$3`.
        var parameters: [PostgresValue] {
            [.int2(shard.rawValue), .int2(subject.kind.rawValue), .int8(subject.id)]
        }

        /// The same and the organization: `$1` to `$4`.
        var parametersWithOrganization: [PostgresValue] {
            parameters + [.int8(organization.rawValue)]
        }
    }

    /// The first day of the current period of the row `p.period`, by the database's clock in UTC.
    /// The sentinel of `total` is that of `Period.start`.
    static let periodStart = """
        CASE p.period WHEN 1 THEN (now() AT TIME ZONE 'UTC')::date
            WHEN 2 THEN date_trunc('month', now() AT TIME ZONE 'UTC')::date
            ELSE date '1970-01-01' END
        """

    // The clock alone.
    static let time = PostgresCommand(
        PostgresStatement(name: nil, sql: "SELECT now()", isReadOnly: true), [])

    // The subject's name, id and team, where the organization has it, and the organization's name: no
    // row for another tenant's, as shards are shared. A key's is the secret that works longest.
    // Primary keys, and the index api_key (shard, subject_id).
    private static let subject = PostgresStatement(
        name: nil,
        sql: """
            SELECT x.name, x.id, x.team_id, o.name
            FROM (
                SELECT 0 AS rank, g.name, g.organization_id AS id, NULL::int8 AS team_id
                FROM organization g
                WHERE $2::int2 = 1 AND $3::int8 = $4::int8 AND g.shard = $1
                    AND g.organization_id = $4
                UNION ALL
                SELECT 0, t.name, t.team_id, t.team_id FROM team t
                WHERE $2 = 2 AND t.shard = $1 AND t.team_id = $3 AND t.organization_id = $4
                UNION ALL
                SELECT CASE WHEN k.replaced_by IS NULL THEN 0 ELSE 1 END, k.name, k.key_id,
                    k.team_id FROM api_key k
                WHERE $2 = 3 AND k.shard = $1 AND k.subject_id = $3 AND k.organization_id = $4) x
            JOIN organization o ON o.shard = $1 AND o.organization_id = $4
            ORDER BY x.rank LIMIT 1
            """, isReadOnly: true)

    // A quota's limit and whether it rides out outages, or a rate limit's, as they stand. Primary
    // keys.
    private static let quota = PostgresStatement(
        name: nil,
        sql: """
            SELECT limit_units, ride, soft FROM quota
            WHERE shard = $1 AND subject_kind = $2 AND subject_id = $3 AND resource = $4
                AND period = $5
            """, isReadOnly: true)
    private static let rateLimit = PostgresStatement(
        name: nil,
        sql: """
            SELECT limit_units FROM rate_limit
            WHERE shard = $1 AND subject_kind = $2 AND subject_id = $3 AND dimension = $4
            """, isReadOnly: true)

    // Sets a quota, and with $8 whether it rides out outages, with $9 whether it only warns; without,
    // an old row keeps its word and a new one rides, and is hard. After the revision's row; one row
    // by primary key; repeating it changes only the time.
    private static let setQuota = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO quota (shard, subject_kind, subject_id, organization_id, resource, period,
                limit_units, ride, soft)
            VALUES ($1, $2, $3, $4, $5, $6, $7, coalesce($8::bool, true),
                coalesce($9::bool, false))
            ON CONFLICT (shard, subject_kind, subject_id, resource, period)
            DO UPDATE SET limit_units = EXCLUDED.limit_units,
                ride = coalesce($8::bool, quota.ride), soft = coalesce($9::bool, quota.soft),
                changed_at = now()
            """)

    // Takes a quota away. After the revision's row; primary key.
    private static let clearQuota = PostgresStatement(
        name: nil,
        sql: """
            DELETE FROM quota WHERE shard = $1 AND subject_kind = $2 AND subject_id = $3
                AND resource = $4 AND period = $5
            """)

    // Sets a rate limit. As for quotas.
    private static let setRateLimit = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO rate_limit (shard, subject_kind, subject_id, organization_id, dimension,
                limit_units)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (shard, subject_kind, subject_id, dimension)
            DO UPDATE SET limit_units = EXCLUDED.limit_units, changed_at = now()
            """)

    // Takes a rate limit away. As for quotas.
    private static let clearRateLimit = PostgresStatement(
        name: nil,
        sql: """
            DELETE FROM rate_limit WHERE shard = $1 AND subject_kind = $2 AND subject_id = $3
                AND dimension = $4
            """)

    // Notes a quota's limit as it now stands, or that there is none, for statements of the past. After
    // the change, in its transaction: the revision's row, which is locked, orders changes, so that
    // the last one noted is the one in force even where a clock or a long transaction says
    // otherwise. Primary keys.
    private static let noteQuota = PostgresStatement(
        name: nil,
        sql: """
            INSERT INTO quota_change (shard, subject_kind, subject_id, organization_id, resource,
                period, at, limit_units)
            SELECT $1, $2, $3, $4, $5, $6, greatest(now(), (
                    SELECT max(c.at) + interval '1 microsecond' FROM quota_change c
                    WHERE c.shard = $1 AND c.subject_kind = $2 AND c.subject_id = $3
                        AND c.resource = $5 AND c.period = $6)), (
                    SELECT q.limit_units FROM quota q
                    WHERE q.shard = $1 AND q.subject_kind = $2 AND q.subject_id = $3
                        AND q.resource = $5 AND q.period = $6)
            """)

    // L: brings the current period's account, if there is one, to the quota's limit as it stands
    // now, so that of two administrators the last wins: the quota's row is locked, since one that
    // waited for the account would otherwise set what the quota was before. Never fails: `cap`
    // stays at what is granted. Its own transaction; locks quota, then one account row. Primary
    // key, and the unique index on the account's subject.
    private static let limitAccount = PostgresStatement(
        name: nil,
        sql: """
            WITH p AS (
                SELECT q.period, q.limit_units, q.ride, q.soft FROM quota q
                WHERE q.shard = $1 AND q.subject_kind = $2 AND q.subject_id = $3
                    AND q.resource = $4 AND q.period = $5 FOR SHARE)
            UPDATE account a SET limit_units = p.limit_units,
                cap = \(GrowStatement.cap(
                    soft: "p.soft", limit: "p.limit_units", granted: "a.granted")),
                ride = p.ride, soft = p.soft,
                recall_gen = a.recall_gen + 1, closed_at = NULL
            FROM p
            WHERE a.shard = $1 AND a.subject_kind = $2 AND a.subject_id = $3 AND a.resource = $4
                AND a.period = $5 AND a.period_start = \(periodStart)
            """)

    // Closes the current period's account of a quota that is gone: nothing more is granted. Not if
    // the quota was set again meanwhile. Its own transaction, one account row. Unique index on the
    // subject's columns.
    private static let closeAccount = PostgresStatement(
        name: nil,
        sql: """
            UPDATE account a SET closed_at = now(), recall_gen = a.recall_gen + 1
            FROM (SELECT $5::int2 AS period) p
            WHERE a.shard = $1 AND a.subject_kind = $2 AND a.subject_id = $3 AND a.resource = $4
                AND a.period = $5 AND a.period_start = \(periodStart) AND a.closed_at IS NULL
                AND NOT EXISTS (SELECT 1 FROM quota q WHERE q.shard = $1 AND q.subject_kind = $2
                    AND q.subject_id = $3 AND q.resource = $4 AND q.period = $5)
            """)

    static func subject(_ owner: Owner) -> PostgresCommand {
        PostgresCommand(subject, owner.parametersWithOrganization)
    }

    /// What is in force where a change is made.
    static func limit(_ change: AllowanceChange, _ owner: Owner) -> PostgresCommand {
        switch change {
        case .setQuota(let resource, let period, _, _, _), .clearQuota(let resource, let period):
            PostgresCommand(
                quota, owner.parameters + [.int2(resource.rawValue), .int2(period.rawValue)])
        case .setRateLimit(let dimension, _), .clearRateLimit(let dimension):
            PostgresCommand(rateLimit, owner.parameters + [.int2(dimension.rawValue)])
        }
    }

    static func store(_ change: AllowanceChange, _ owner: Owner) -> PostgresCommand {
        switch change {
        case .setQuota(let resource, let period, let limit, let rides, let soft):
            PostgresCommand(
                setQuota,
                owner.parametersWithOrganization + [
                    .int2(resource.rawValue), .int2(period.rawValue), .int8(limit),
                    rides.map(PostgresValue.bool) ?? .null, soft.map(PostgresValue.bool) ?? .null,
                ])
        case .clearQuota(let resource, let period):
            PostgresCommand(
                clearQuota, owner.parameters + [.int2(resource.rawValue), .int2(period.rawValue)])
        case .setRateLimit(let dimension, let limit):
            PostgresCommand(
                setRateLimit,
                owner.parametersWithOrganization + [.int2(dimension.rawValue), .int8(limit)])
        case .clearRateLimit(let dimension):
            PostgresCommand(clearRateLimit, owner.parameters + [.int2(dimension.rawValue)])
        }
    }

    /// What to note of a change that was stored, in its transaction; nil for rate limits, of which
    /// there are no statements.
    static func note(_ change: AllowanceChange, _ owner: Owner) -> PostgresCommand? {
        switch change {
        case .setQuota(let resource, let period, _, _, _), .clearQuota(let resource, let period):
            PostgresCommand(
                noteQuota,
                owner.parametersWithOrganization + [
                    .int2(resource.rawValue), .int2(period.rawValue),
                ])
        case .setRateLimit, .clearRateLimit: nil
        }
    }

    /// What to tell the account after a change; nil for rate limits, which have none.
    static func tellAccount(_ change: AllowanceChange, _ owner: Owner) -> PostgresCommand? {
        switch change {
        case .setQuota(let resource, let period, _, _, _):
            PostgresCommand(
                limitAccount, owner.parameters + [.int2(resource.rawValue), .int2(period.rawValue)])
        case .clearQuota(let resource, let period):
            PostgresCommand(
                closeAccount, owner.parameters + [.int2(resource.rawValue), .int2(period.rawValue)])
        case .setRateLimit, .clearRateLimit: nil
        }
    }
}
