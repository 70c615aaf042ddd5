import Domain
import Postgres

/// Events as administrators see them, and what they may change.
enum EventReportStatements {
    private static let delivery = """
        d.webhook, d.state, d.attempts, d.due_at, d.status, d.fault, d.ended_at
        """

    // An organization's events with their deliveries, the newest first, which ids are in the order
    // of; $3 leaves one state, or a null all; $4 one event; $5 those before one. The events first,
    // by the primary key backwards from $5 on, of which no more is read than it takes to find so
    // many; then what these few are about and their deliveries, by theirs. With the settings of
    // ``PageStatements``.
    private static let list = PostgresStatement(
        name: nil,
        sql: """
            SELECT \(EventColumns.list), \(delivery)
            FROM (
                SELECT x.event_id FROM quota_event x
                WHERE x.shard = $1 AND x.organization_id = $2
                    AND ($3::int2 IS NULL OR (SELECT true FROM event_delivery y
                        WHERE y.shard = $1 AND y.event_id = x.event_id AND y.state = $3::int2
                        LIMIT 1))
                    AND ($4::uuid IS NULL OR x.event_id = $4::uuid)
                    AND ($5::uuid IS NULL OR x.event_id < $5::uuid)
                ORDER BY x.event_id DESC LIMIT $6::int8) p
            JOIN quota_event e ON e.shard = $1 AND e.event_id = p.event_id
            \(EventColumns.joins)
            LEFT JOIN event_delivery d ON d.shard = $1 AND d.event_id = p.event_id
            WHERE $3::int2 IS NULL OR d.state = $3::int2
            ORDER BY p.event_id DESC, d.webhook
            """, isReadOnly: true)

    // Sends what was given up or delivered once more, with all of its tries before it; what is
    // pending only sooner. $3 names one event, or a null every one that is dead; $4 one webhook, or
    // a null all. Index event_delivery_dead, or the primary key.
    private static let redeliver = PostgresStatement(
        name: nil,
        sql: """
            UPDATE event_delivery SET state = 1, attempts = 0, due_at = now(), ended_at = NULL
            FROM quota_event e
            WHERE event_delivery.shard = $1 AND e.shard = $1 AND e.organization_id = $2
                AND e.event_id = event_delivery.event_id
                AND ($4::text IS NULL OR event_delivery.webhook = $4::text)
                AND CASE WHEN $3::uuid IS NULL THEN event_delivery.state = 3
                    ELSE event_delivery.event_id = $3::uuid END
            RETURNING event_delivery.webhook
            """)

    // A test's event and its deliveries. New rows only.
    private static let test = PostgresStatement(
        name: nil,
        sql: """
            WITH e AS (
                INSERT INTO quota_event (shard, event_id, organization_id, kind)
                VALUES ($1, $2, $3, 3) RETURNING event_id)
            INSERT INTO event_delivery (shard, event_id, webhook)
            SELECT $1, e.event_id, w.webhook FROM e CROSS JOIN unnest($4::text[]) AS w (webhook)
            """)

    static func list(
        _ organization: OrganizationID, _ state: EventStatus.State?, _ page: ListPage<EventID>
    ) -> PostgresCommand {
        list(organization, state, nil, page)
    }

    static func find(_ event: EventID, of organization: OrganizationID) -> PostgresCommand {
        list(organization, nil, event, ListPage(after: nil, limit: 1))
    }

    private static func list(
        _ organization: OrganizationID, _ state: EventStatus.State?, _ event: EventID?,
        _ page: ListPage<EventID>
    ) -> PostgresCommand {
        PostgresCommand(
            list,
            key(organization) + [
                state.map { .int2($0.rawValue) } ?? .null,
                event.map { .uuid($0.rawValue) } ?? .null,
                page.after.map { .uuid($0.rawValue) } ?? .null, .int8(Int64(page.limit)),
            ])
    }

    static func redeliver(
        _ organization: OrganizationID, _ event: EventID?, to webhook: String?
    ) -> PostgresCommand {
        PostgresCommand(
            redeliver,
            key(organization) + [
                event.map { .uuid($0.rawValue) } ?? .null, webhook.map { .text($0) } ?? .null,
            ])
    }

    static func test(
        _ id: EventID, _ organization: OrganizationID, to webhooks: [String]
    ) -> PostgresCommand {
        PostgresCommand(
            test,
            [
                .int2(organization.shard.rawValue), .uuid(id.rawValue),
                .int8(organization.rawValue), .texts(webhooks),
            ])
    }

    private static func key(_ organization: OrganizationID) -> [PostgresValue] {
        [.int2(organization.shard.rawValue), .int8(organization.rawValue)]
    }

    static func decode(_ row: PostgresRow) throws(PostgresError) -> EventStatus {
        let event = try EventColumns.decode(row)
        let first = EventColumns.count
        guard let webhook = try row.optionalText(first) else {
            return EventStatus(event: event, delivery: nil)
        }
        guard let state = EventStatus.State(rawValue: try row.int2(first + 1)) else {
            throw PostgresError(kind: .decoding(reason: "a delivery is in an unknown state"))
        }
        return EventStatus(
            event: event,
            delivery: EventStatus.Delivery(
                webhook: webhook, state: state, attempts: try row.int8(first + 2),
                dueAt: Timestamp(microseconds: try row.timestamp(first + 3)),
                status: try row.optionalInt2(first + 4).map(Int.init),
                fault: try row.optionalText(first + 5),
                endedAt: try row.optionalTimestamp(first + 6).map(Timestamp.init(microseconds:))))
    }
}
