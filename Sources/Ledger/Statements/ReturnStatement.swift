import Domain
import Postgres

/// F, R and the end of a lease: units on their way back to the account.
///
/// All of them lock the account's row first and the lease's second, as G does. With the lease
/// first, as one would write them from left to right, a grow of a fenced node and the sweep of the
/// same lease could wait for each other.
enum ReturnStatement {
    // Fold: settled units of a lease become the account's. The identity `granted = used + sum of
    // leases` holds before and after, since both sides move by the same number. Repeating it folds
    // what has been settled since, or nothing. Every checked column's new value comes from the rows
    // as they were locked, not from the statement's snapshot: Postgres checks constraints on the
    // row built from the snapshot first, and that mixes times when a batch settled, another node
    // was granted or a limit was raised meanwhile.
    private static let fold = PostgresStatement(
        name: "f_fold",
        sql: """
            WITH a AS (
                SELECT account_id, used, granted, limit_units, cap FROM account
                WHERE shard = $1 AND account_id = $2 FOR UPDATE),
            o AS (
                SELECT l.lease_id, l.granted, l.reserved, l.settled AS amount FROM lease l
                JOIN a ON l.account_id = a.account_id
                WHERE l.shard = $1 AND l.lease_id = $3 FOR UPDATE OF l),
            l AS (
                UPDATE lease SET granted = o.granted - o.amount, reserved = o.reserved,
                    settled = 0
                FROM o WHERE lease.shard = $1 AND lease.lease_id = $3
                    AND lease.lease_id = o.lease_id
                RETURNING lease.granted)
            UPDATE account SET used = a.used + o.amount, granted = a.granted,
                limit_units = a.limit_units, cap = a.cap
            FROM a, o, l
            WHERE account.shard = $1 AND account.account_id = $2
            RETURNING l.granted, account.cap - account.granted
            """)

    // Return $4 units of this node's lease, if no open request holds them; `cap` sinks with what
    // comes back after a limit was lowered. Only from the size that the node knows, so that a
    // repetition after a lost answer returns nothing twice: the size then tells that it is done.
    private static let giveBack = PostgresStatement(
        name: "r_return",
        sql: """
            WITH a AS (
                SELECT account_id, used, granted, limit_units, soft FROM account
                WHERE shard = $1 AND account_id = $2 FOR UPDATE),
            l AS (
                UPDATE lease SET granted = lease.granted - $4 FROM a
                WHERE lease.shard = $1 AND lease.lease_id = $3
                    AND lease.account_id = a.account_id AND lease.node_id = $5
                    AND lease.epoch = $6 AND lease.granted = $7
                    AND lease.granted - lease.reserved - lease.settled >= $4
                RETURNING lease.granted)
            UPDATE account SET used = a.used, granted = a.granted - $4,
                limit_units = a.limit_units,
                cap = \(GrowStatement.cap(
                    soft: "a.soft", limit: "a.limit_units", granted: "a.granted - $4"))
            FROM a, l WHERE account.shard = $1 AND account.account_id = $2
            RETURNING l.granted, account.cap - account.granted
            """)

    // The end of a lease that no open request holds: folds what is settled, returns the rest, drops
    // the row. For a node's own idle lease and for a dead node's. Repeating it finds no row and
    // changes nothing.
    private static let end = PostgresStatement(
        name: "r_end_lease",
        sql: """
            WITH a AS (
                SELECT account_id, used, granted, limit_units, soft FROM account
                WHERE shard = $1 AND account_id = $2 FOR UPDATE),
            l AS (
                DELETE FROM lease USING a
                WHERE lease.shard = $1 AND lease.lease_id = $3
                    AND lease.account_id = a.account_id AND lease.node_id = $4
                    AND lease.epoch = $5 AND lease.reserved = 0
                RETURNING lease.granted, lease.settled)
            UPDATE account SET used = a.used + l.settled,
                granted = a.granted - (l.granted - l.settled), limit_units = a.limit_units,
                cap = \(GrowStatement.cap(
                    soft: "a.soft", limit: "a.limit_units",
                    granted: "a.granted - (l.granted - l.settled)"))
            FROM a, l WHERE account.shard = $1 AND account.account_id = $2
            RETURNING account.cap - account.granted
            """)

    // A lease's size and what its account has left, to repair a lost answer. Primary keys.
    private static let read = PostgresStatement(
        name: "r_read",
        sql: """
            SELECT l.granted, (SELECT a.cap - a.granted FROM account a
                WHERE a.shard = $1 AND a.account_id = l.account_id), l.account_id
            FROM lease l WHERE l.shard = $1 AND l.lease_id = $2
            """, isReadOnly: true)

    static func fold(shard: Int16, account: AccountID, lease: LeaseID) -> PostgresCommand {
        PostgresCommand(
            fold, [.int2(shard), .int8(account.rawValue), .int8(lease.rawValue)])
    }

    static func giveBack(
        _ lane: LaneKey, account: AccountID, lease: LeaseID, units: Int64, of size: Int64
    ) -> PostgresCommand {
        PostgresCommand(
            giveBack,
            [
                .int2(lane.shard), .int8(account.rawValue), .int8(lease.rawValue), .int8(units),
                .int8(lane.node), .uuid(lane.epoch), .int8(size),
            ])
    }

    static func end(_ lane: LaneKey, account: AccountID, lease: LeaseID) -> PostgresCommand {
        PostgresCommand(
            end,
            [
                .int2(lane.shard), .int8(account.rawValue), .int8(lease.rawValue),
                .int8(lane.node), .uuid(lane.epoch),
            ])
    }

    static func read(shard: Int16, lease: LeaseID) -> PostgresCommand {
        PostgresCommand(read, [.int2(shard), .int8(lease.rawValue)])
    }
}
