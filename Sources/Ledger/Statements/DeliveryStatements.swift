import Domain
import Postgres

/// Events on their way to webhooks. Each statement is its own transaction and changes one row.
enum DeliveryStatements {
    // The shards of $1 in which a delivery to one of $2 is due. Index event_delivery_due, once for
    // each of them.
    private static let due = PostgresStatement(
        name: "delivery_due",
        sql: """
            SELECT DISTINCT d.shard FROM event_delivery d
            WHERE d.shard = ANY ($1::int2[]) AND d.webhook = ANY ($2::text[]) AND d.state = 1
                AND d.due_at <= now()
            """, isReadOnly: true)

    // The deliveries of a shard that have waited longest. Index event_delivery_due.
    private static let read = PostgresStatement(
        name: "delivery_read",
        sql: """
            SELECT \(EventColumns.list), d.attempts
            FROM event_delivery d
            JOIN quota_event e ON e.shard = $1 AND e.event_id = d.event_id
            \(EventColumns.joins)
            WHERE d.shard = $1 AND d.webhook = $2 AND d.state = 1 AND d.due_at <= now()
            ORDER BY d.due_at LIMIT $3
            """, isReadOnly: true)

    // How old the oldest event is that waits for a webhook, in the shards $1; null where none does.
    // Index event_delivery_due, once for each of them; events by their primary key.
    private static let oldest = PostgresStatement(
        name: "delivery_oldest",
        sql: """
            SELECT (extract(epoch FROM now() - min(e.created_at)) * 1000000)::int8
            FROM event_delivery d
            JOIN quota_event e ON e.shard = d.shard AND e.event_id = d.event_id
            WHERE d.shard = ANY ($1::int2[]) AND d.webhook = $2 AND d.state = 1
            """, isReadOnly: true)

    // Takes one of them, if it is still as it was read: of two nodes the second waits for the first
    // one's commit and then sees a try more. Who dies with it leaves a time that comes. Primary key.
    private static let claim = PostgresStatement(
        name: "delivery_claim",
        sql: """
            UPDATE event_delivery SET attempts = attempts + 1,
                due_at = now() + $5 * interval '1 microsecond'
            WHERE shard = $1 AND event_id = $2 AND webhook = $3 AND state = 1 AND attempts = $4
                AND due_at <= now()
            RETURNING attempts
            """)

    // The receiver has it, whoever sent it and whatever was noted meanwhile. Primary key.
    private static let delivered = PostgresStatement(
        name: "delivery_done",
        sql: """
            UPDATE event_delivery SET state = 2, status = $4, fault = NULL, ended_at = now()
            WHERE shard = $1 AND event_id = $2 AND webhook = $3 AND state <> 2
            """)

    // The receiver has not taken it; $7 is 1 where it is tried again after $8, and 3 where it is
    // not. Only by who had it last. Primary key.
    private static let failed = PostgresStatement(
        name: "delivery_failed",
        sql: """
            UPDATE event_delivery SET state = $7, status = $5, fault = $6,
                due_at = now() + $8 * interval '1 microsecond',
                ended_at = CASE WHEN $7::int2 = 3 THEN now() END
            WHERE shard = $1 AND event_id = $2 AND webhook = $3 AND state = 1 AND attempts = $4
            """)

    static func due(in shards: [Int16], for webhooks: [String]) -> PostgresCommand {
        PostgresCommand(due, [.int2s(shards), .texts(webhooks)])
    }

    static func oldest(in shards: [Int16], for webhook: String) -> PostgresCommand {
        PostgresCommand(oldest, [.int2s(shards), .text(webhook)])
    }

    static func read(_ webhook: String, in shard: Int16, most: Int) -> PostgresCommand {
        PostgresCommand(read, [.int2(shard), .text(webhook), .int8(Int64(most))])
    }

    /// A due delivery; its `attempt` is that of the try before.
    static func decode(
        _ row: PostgresRow, to webhook: String
    ) throws(PostgresError) -> EventDelivery {
        EventDelivery(
            event: try EventColumns.decode(row), webhook: webhook,
            attempt: try row.int8(EventColumns.count))
    }

    static func claim(_ delivery: EventDelivery, for lease: Duration) -> PostgresCommand {
        PostgresCommand(
            claim, key(delivery) + [.int8(delivery.attempt), .int8(lease.microseconds)])
    }

    static func note(_ outcome: DeliveryOutcome, of delivery: EventDelivery) -> PostgresCommand {
        func failure(_ fault: DeliveryFault, _ state: Int16, _ wait: Duration) -> PostgresCommand {
            PostgresCommand(
                failed,
                key(delivery) + [
                    .int8(delivery.attempt), status(fault.status), .text(fault.reason),
                    .int2(state), .int8(wait.microseconds),
                ])
        }
        switch outcome {
        case .delivered(let status):
            return PostgresCommand(delivered, key(delivery) + [self.status(status)])
        case .retry(let wait, let fault): return failure(fault, 1, wait)
        case .dead(let fault): return failure(fault, 3, .zero)
        }
    }

    private static func key(_ delivery: EventDelivery) -> [PostgresValue] {
        [
            .int2(delivery.event.organization.shard.rawValue),
            .uuid(delivery.event.id.rawValue), .text(delivery.webhook),
        ]
    }

    private static func status(_ status: Int?) -> PostgresValue {
        status.map { .int2(Int16(clamping: $0)) } ?? .null
    }
}
