import Domain
import Postgres

/// What an event says, from wherever it is read.
enum EventColumns {
    /// The columns of an event `e`, in the order that ``decode(_:)`` reads.
    static let list = """
        e.event_id, e.kind, e.created_at, o.organization_id, o.name, e.threshold_percent,
        e.limit_units, e.used, a.subject_kind, a.subject_id, a.resource, a.period,
        a.period_start, coalesce(t.name, k.name, o.name), k.key_id, m.model_name, e.soft
        """

    /// What they are read from beside `quota_event e`: by primary keys, the owner of a subject that
    /// is of one model by its unique index, and a key's newest row by its subject.
    static let joins = """
        JOIN organization o ON o.shard = $1 AND o.organization_id = e.organization_id
        LEFT JOIN account a ON a.shard = $1 AND a.account_id = e.account_id
        LEFT JOIN subject_model m ON m.shard = $1 AND m.subject_kind = a.subject_kind
            AND m.subject_id = a.subject_id
        LEFT JOIN team t ON t.shard = $1 AND t.team_id = coalesce(m.owner_id, a.subject_id)
            AND a.subject_kind = 2
        LEFT JOIN LATERAL (
            SELECT n.name, n.key_id FROM api_key n
            WHERE n.shard = $1 AND n.subject_id = coalesce(m.owner_id, a.subject_id)
                AND a.subject_kind = 3
            ORDER BY n.created_at DESC LIMIT 1) k ON true
        """

    /// How many there are.
    static let count = 17

    static func decode(_ row: PostgresRow) throws(PostgresError) -> QuotaEvent {
        guard let kind = QuotaEvent.Kind(rawValue: try row.int2(1)) else {
            throw PostgresError(kind: .decoding(reason: "an event is of an unknown kind"))
        }
        return QuotaEvent(
            id: EventID(rawValue: try row.uuid(0)), kind: kind,
            createdAt: Timestamp(microseconds: try row.timestamp(2)),
            organization: OrganizationID(rawValue: try row.int8(3)),
            organizationName: try row.text(4),
            reached: kind == .test ? nil : try reached(row))
    }

    private static func reached(
        _ row: PostgresRow
    ) throws(PostgresError) -> QuotaEvent.Reached {
        guard let subject = Subject.Kind(rawValue: try row.int2(8)),
            let resource = Resource(rawValue: try row.int2(10)),
            let period = Period(rawValue: try row.int2(11))
        else { throw PostgresError(kind: .decoding(reason: "an event's account is unknown")) }
        return QuotaEvent.Reached(
            account: AccountKey(
                subject: Subject(kind: subject, id: try row.int8(9)), resource: resource,
                period: period, start: CalendarDay(rawValue: try row.date(12))),
            model: try row.optionalText(15), subjectName: try row.text(13),
            key: try row.optionalInt8(14).map { KeyID(rawValue: UInt64(bitPattern: $0)) },
            percent: Int64(try row.int2(5)), limit: try row.int8(6), used: try row.int8(7),
            isSoft: try row.bool(16))
    }
}

/// How events come to be: accounts are compared with thresholds, and what is new is put down once.
enum EventStatements {
    /// An account that has reached a threshold of which there is no event yet.
    struct Found: Sendable, Hashable {
        let account: AccountID
        let percent: Int64
        let limit: Int64
        let used: Int64
        let organization: OrganizationID
        let organizationName: String
        let isSoft: Bool
    }

    // What is used is what was folded and what leases have settled since, in one snapshot, so that a
    // fold between the two is never missed. Limits are below 2^53, so a hundred of them fit. An event
    // of the same account, threshold and limit is looked up by its unique index.
    private static func find(_ accounts: String) -> String {
        """
        SELECT a.account_id, p.percent, a.limit_units, a.used + l.settled, a.organization_id,
            o.name, a.soft
        FROM account a
        JOIN organization o ON o.shard = $1 AND o.organization_id = a.organization_id
        CROSS JOIN LATERAL (
            SELECT coalesce(sum(s.settled), 0)::int8 AS settled FROM lease s
            WHERE s.shard = $1 AND s.account_id = a.account_id) l
        CROSS JOIN unnest($2::int2[]) AS p (percent)
        WHERE a.shard = $1 AND \(accounts) AND a.limit_units > 0
            AND \(EventRetentionStatements.isCompared)
            AND (a.used + l.settled) * 100 >= a.limit_units * p.percent
            AND NOT EXISTS (SELECT 1 FROM quota_event e WHERE e.shard = $1
                AND e.account_id = a.account_id AND e.threshold_percent = p.percent
                AND e.limit_units = a.limit_units)
        """
    }

    // Those of the accounts $3: by primary key, their leases by index lease_account.
    private static let findAmong = PostgresStatement(
        name: "event_find_among", sql: find("a.account_id = ANY ($3::int8[])"), isReadOnly: true)

    // Those of the periods that run, and of those that ended a day ago at most: for what no node has
    // in its memory, as after a kill or a sweep. Index account_period.
    private static let findAll = PostgresStatement(
        name: "event_find_all",
        sql: find(
            """
            a.period_start = ANY (ARRAY[(now() AT TIME ZONE 'UTC')::date,
                (now() AT TIME ZONE 'UTC')::date - 1,
                date_trunc('month', now() AT TIME ZONE 'UTC')::date,
                date_trunc('month', (now() AT TIME ZONE 'UTC') - interval '1 day')::date,
                '1970-01-01'::date])
            """), isReadOnly: true)

    // Puts down events with their deliveries. Of several nodes that found the same, one inserts; the
    // others wait for its commit and insert neither. In one order, so that two never wait for each
    // other. The unique index.
    private static let insert = PostgresStatement(
        name: "event_insert",
        sql: """
            WITH e AS (
                INSERT INTO quota_event (shard, event_id, organization_id, kind, account_id,
                    threshold_percent, limit_units, used, soft)
                SELECT $1, r.event_id, r.organization_id, r.kind, r.account_id, r.percent,
                    r.limit_units, r.used, r.soft
                FROM unnest($2::uuid[], $3::int8[], $4::int2[], $5::int8[], $6::int2[],
                    $7::int8[], $8::int8[], $11::bool[])
                    AS r (event_id, organization_id, kind, account_id, percent, limit_units, used,
                        soft)
                ORDER BY r.account_id, r.percent
                ON CONFLICT DO NOTHING
                RETURNING event_id),
            d AS (
                INSERT INTO event_delivery (shard, event_id, webhook)
                SELECT $1, w.event_id, w.webhook FROM e
                JOIN unnest($9::uuid[], $10::text[]) AS w (event_id, webhook)
                    ON w.event_id = e.event_id
                RETURNING event_id)
            SELECT e.event_id FROM e
            """)

    static func find(
        _ thresholds: QuotaThresholds, among accounts: [AccountID], in shard: Int16
    ) -> PostgresCommand {
        PostgresCommand(
            findAmong,
            [
                .int2(shard), .int2s(thresholds.percents.map(Int16.init)),
                .int8s(accounts.map(\.rawValue)),
            ])
    }

    static func findAll(_ thresholds: QuotaThresholds, in shard: Int16) -> PostgresCommand {
        PostgresCommand(findAll, [.int2(shard), .int2s(thresholds.percents.map(Int16.init))])
    }

    static func decode(_ row: PostgresRow) throws(PostgresError) -> Found {
        Found(
            account: AccountID(rawValue: try row.int8(0)), percent: Int64(try row.int2(1)),
            limit: try row.int8(2), used: try row.int8(3),
            organization: OrganizationID(rawValue: try row.int8(4)),
            organizationName: try row.text(5), isSoft: try row.bool(6))
    }

    /// Puts down what was found under fresh ids, with a delivery to each webhook that takes it.
    static func insert(
        _ found: [(id: EventID, found: Found)], for webhooks: [WebhookSubscription],
        in shard: Int16
    ) -> PostgresCommand {
        var deliveries: [(EventID, String)] = []
        for (id, found) in found {
            let kind = QuotaEvent.Kind(percent: found.percent)
            for webhook in webhooks where webhook.takes(kind, of: found.organizationName) {
                deliveries.append((id, webhook.name))
            }
        }
        return PostgresCommand(
            insert,
            [
                .int2(shard), .uuids(found.map(\.id.rawValue)),
                .int8s(found.map(\.found.organization.rawValue)),
                .int2s(found.map { QuotaEvent.Kind(percent: $0.found.percent).rawValue }),
                .int8s(found.map(\.found.account.rawValue)),
                .int2s(found.map { Int16($0.found.percent) }), .int8s(found.map(\.found.limit)),
                .int8s(found.map(\.found.used)), .uuids(deliveries.map(\.0.rawValue)),
                .texts(deliveries.map(\.1)), .bools(found.map(\.found.isSoft)),
            ])
    }
}
