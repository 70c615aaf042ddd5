import Domain
import Postgres

/// A and G: an account's row, and growing a lease of it.
enum GrowStatement {
    /// What bounds the grants of an account: what its quota says, or what was granted before a limit
    /// was lowered; where the quota is soft, nothing that anybody reaches. `soft`, `limit` and
    /// `granted` are expressions of the row as it will be.
    static func cap(soft: String, limit: String, granted: String) -> String {
        "CASE WHEN \(soft) THEN 9000000000000000000 ELSE GREATEST(\(limit), \(granted)) END"
    }

    // Makes the account of a quota in a period, or brings a stale limit up to the quota's. Never
    // fails for what is already granted: `cap` stays at it. Selected from the quota's row, so an
    // account exists only for a quota that does. That row is locked, and so read as it is now: with
    // the statement's snapshot, one that waited behind an administrator's change of the account
    // would put the old limit back. Locks: quota, then account, which administrators change in two
    // transactions. Autocommitted; repeating it changes nothing. Unique index on the subject's
    // columns.
    private static let ensure = PostgresStatement(
        name: "a_ensure_account",
        sql: """
            INSERT INTO account (shard, account_id, organization_id, subject_kind, subject_id,
                resource, period, period_start, limit_units, cap, ride, soft)
            SELECT q.shard, $2, q.organization_id, q.subject_kind, q.subject_id, q.resource,
                q.period, $7, q.limit_units,
                \(cap(soft: "q.soft", limit: "q.limit_units", granted: "0")), q.ride, q.soft
            FROM quota q
            WHERE q.shard = $1 AND q.subject_kind = $3 AND q.subject_id = $4
                AND q.resource = $5 AND q.period = $6
            FOR SHARE OF q
            ON CONFLICT (shard, subject_kind, subject_id, resource, period, period_start)
            DO UPDATE SET limit_units = EXCLUDED.limit_units,
                cap = \(cap(
                    soft: "EXCLUDED.soft", limit: "EXCLUDED.limit_units",
                    granted: "account.granted")),
                ride = EXCLUDED.ride, soft = EXCLUDED.soft, closed_at = NULL
            RETURNING account_id
            """)

    // Grows a lease by up to $4, at least $5, or not at all. The account's row lock orders
    // concurrent nodes and the CHECK `granted <= cap` is evaluated on the newest row. Only for a
    // live lane. The answer is the lease's absolute size, so that a lost answer is repaired by
    // reading the row, and the recall generation, so that the first recall after a first grant is
    // known for one. A lease that its node may use up during an outage ($8) stays one to its end.
    // Locks: account, then lease. Primary keys.
    private static let grow = PostgresStatement(
        name: "g_grow",
        sql: """
            WITH a AS (
                UPDATE account SET last_grant = LEAST($4::int8, cap - granted),
                    granted = granted + LEAST($4::int8, cap - granted)
                WHERE shard = $1 AND account_id = $2 AND closed_at IS NULL
                    AND cap - granted >= $5 AND EXISTS (
                        SELECT 1 FROM node_lane n WHERE n.shard = $1 AND n.node_id = $6
                            AND n.epoch = $7 AND n.live)
                RETURNING account_id, last_grant, cap - granted AS remaining, recall_gen),
            l AS (
                INSERT INTO lease (shard, lease_id, account_id, node_id, epoch, granted, rides)
                SELECT $1, $3, account_id, $6, $7, last_grant, $8::bool FROM a
                ON CONFLICT (shard, lease_id)
                DO UPDATE SET granted = lease.granted + EXCLUDED.granted,
                    rides = lease.rides OR EXCLUDED.rides
                RETURNING granted)
            SELECT l.granted, a.remaining, a.recall_gen FROM a, l
            """)

    // An account's running numbers over every node's leases, in one snapshot. Index lease (shard,
    // account_id).
    private static let status = PostgresStatement(
        name: "g_status",
        sql: """
            SELECT a.limit_units, a.used + coalesce(sum(l.settled), 0)::int8,
                coalesce(sum(l.reserved), 0)::int8,
                CASE WHEN a.closed_at IS NULL THEN a.cap - a.granted ELSE 0 END,
                a.soft
            FROM account a
            LEFT JOIN lease l ON l.shard = a.shard AND l.account_id = a.account_id
            WHERE a.shard = $1 AND a.account_id = $2
            GROUP BY a.shard, a.account_id
            """, isReadOnly: true)

    static func ensure(
        shard: Int16, account: AccountKey, candidate: Int64
    ) -> PostgresCommand {
        PostgresCommand(
            ensure,
            [
                .int2(shard), .int8(candidate),
                .int2(account.subject.kind.rawValue), .int8(account.subject.id),
                .int2(account.resource.rawValue), .int2(account.period.rawValue),
                .date(account.start.rawValue),
            ])
    }

    static func grow(
        _ lane: LaneKey, account: AccountID, lease: LeaseID, want: Int64, least: Int64, rides: Bool
    ) -> PostgresCommand {
        PostgresCommand(
            grow,
            [
                .int2(lane.shard), .int8(account.rawValue), .int8(lease.rawValue), .int8(want),
                .int8(least), .int8(lane.node), .uuid(lane.epoch), .bool(rides),
            ])
    }

    static func status(shard: Int16, account: AccountID) -> PostgresCommand {
        PostgresCommand(status, [.int2(shard), .int8(account.rawValue)])
    }

    static func decodeStatus(_ row: PostgresRow) throws(PostgresError) -> AccountStatus {
        AccountStatus(
            limit: try row.int8(0), used: try row.int8(1), reserved: try row.int8(2),
            remaining: try row.int8(3))
    }
}
