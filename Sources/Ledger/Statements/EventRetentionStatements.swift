import Domain
import Postgres

/// How events go when they are old. Two statements in one transaction, each of which changes one
/// table.
enum EventRetentionStatements {
    /// The most events that go in one transaction.
    static let most: Int64 = 500

    /// Whether an account `a` is still compared with thresholds: its period runs, or ended a week
    /// ago at most. An event of such an account stays as long as its limit does, since nothing else
    /// says that it has been told.
    static let isCompared = """
        (a.period = 3 OR a.period_start > (now() AT TIME ZONE 'UTC')::date
            - CASE a.period WHEN 1 THEN 8 ELSE 38 END)
        """

    // Events older than $3 days of which nothing is to be delivered any more, and whose deliveries
    // ended long enough ago: $4 days where they were given up. $2 is an id that none of them is
    // above, for the primary key's sake; deliveries and accounts are looked up by theirs.
    private static let old = """
        SELECT e.event_id FROM quota_event e
        WHERE e.shard = $1 AND e.event_id < $2 AND e.created_at < now() - $3 * interval '1 day'
            AND NOT EXISTS (
                SELECT 1 FROM event_delivery d WHERE d.shard = $1 AND d.event_id = e.event_id
                AND coalesce(d.ended_at > now()
                    - CASE d.state WHEN 3 THEN $4 ELSE $3 END * interval '1 day', true))
            AND NOT EXISTS (
                SELECT 1 FROM account a WHERE a.shard = $1 AND a.account_id = e.account_id
                AND a.limit_units = e.limit_units AND \(isCompared))
        ORDER BY e.event_id LIMIT $5
        """

    // Their deliveries. One that an administrator has sent on its way meanwhile is pending, and
    // stays; the state is looked at again under the row's lock.
    private static let dropDeliveries = PostgresStatement(
        name: "event_drop_deliveries",
        sql: """
            DELETE FROM event_delivery
            WHERE event_delivery.shard = $1 AND event_delivery.state <> 1
                AND event_delivery.event_id = ANY (ARRAY(\(old)))
            """)

    // The events themselves, of which no delivery is left. None is ever added to an old event.
    private static let dropEvents = PostgresStatement(
        name: "event_drop",
        sql: """
            DELETE FROM quota_event
            WHERE quota_event.shard = $1 AND quota_event.event_id = ANY (ARRAY(\(old)))
                AND NOT EXISTS (SELECT 1 FROM event_delivery d
                    WHERE d.shard = $1 AND d.event_id = quota_event.event_id)
            RETURNING quota_event.event_id
            """)

    /// Both, in their order. `now` is the node's time, which ids are made of; that it differs from
    /// the ledger's by less than a day is enough.
    static func drop(
        keeping retention: EventRetention, in shard: Int16, at now: Timestamp
    ) -> (deliveries: PostgresCommand, events: PostgresCommand) {
        let newest = now + .seconds(86_400 * (1 - Int64(retention.keepDays)))
        let parameters: [PostgresValue] = [
            .int2(shard), .uuid(EventID(at: newest, random: (0, 0)).rawValue),
            .int4(retention.keepDays), .int4(max(retention.keepDays, retention.keepDeadDays)),
            .int8(most),
        ]
        return (
            PostgresCommand(dropDeliveries, parameters), PostgresCommand(dropEvents, parameters)
        )
    }
}
