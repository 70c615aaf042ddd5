import Domain
import Postgres

/// What a ledger does that may have forgotten grants: after a failover to a server that lacked
/// some, nothing is granted until every node that lives has compared what it holds with what the
/// ledger says it holds, and has told it what it lacks. Doorman's learning mode, with rows in place
/// of a time to wait.
///
/// A server that was promoted is known by its timeline, whose number rises with each promotion.
enum TimelineStatements {
    /// A server's timeline, as SQL says it.
    static let current = """
        ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::int8
        """

    // The server's timeline. In a statement of its own, which changes nothing: functions that are
    // not stable have no place in one that a distributed store would have to send on.
    private static let read = PostgresStatement(
        name: "t_read", sql: "SELECT \(current)", isReadOnly: true)

    // A live lane, and whether its node has compared itself with this server. Primary key.
    private static let standing = PostgresStatement(
        name: "t_standing",
        sql: """
            SELECT n.last_seq, \(current), n.timeline IS NOT DISTINCT FROM \(current)
            FROM node_lane n WHERE n.shard = $1 AND n.node_id = $2 AND n.epoch = $3 AND n.live
            """, isReadOnly: true)

    // Fails with a division by zero while a node other than $2 may hold, or have spent, what this
    // server does not know: one that moved within $3 microseconds and has not compared itself with
    // it. A node that is silent for longer is dead, and is not waited for. Who stands before a
    // grant in its transaction sees the same server. Walks the shard's lanes.
    private static let require = PostgresStatement(
        name: "t_require",
        sql: """
            SELECT 1 / (CASE WHEN EXISTS (
                SELECT 1 FROM node_lane k WHERE k.shard = $1 AND k.node_id <> $2
                    AND k.timeline <> \(current)
                    AND k.heartbeat_at > now() - $3::int8 * interval '1 microsecond')
                THEN 0 ELSE 1 END)
            """, isReadOnly: true)

    // The node of a live lane has compared itself with the server of timeline $4. If that is
    // another one by now, the lane is as it was: not of this one.
    private static let confirm = PostgresStatement(
        name: "t_confirm",
        sql: """
            UPDATE node_lane SET timeline = $4
            WHERE shard = $1 AND node_id = $2 AND epoch = $3 AND live RETURNING 1
            """)

    // A lane that is closed, and whose node has told everything, has nothing to compare.
    private static let release = PostgresStatement(
        name: "t_release",
        sql: """
            UPDATE node_lane SET timeline = NULL
            WHERE shard = $1 AND node_id = $2 AND epoch = $3 AND NOT live RETURNING 1
            """)

    // A fenced lane's node is here and settles it: others wait for it, and leave it alone.
    private static let present = PostgresStatement(
        name: "t_present",
        sql: """
            UPDATE node_lane SET heartbeat_at = now()
            WHERE shard = $1 AND node_id = $2 AND epoch = $3 AND NOT live RETURNING 1
            """)

    // What the ledger says a lane holds. Index lease (shard, node_id, epoch).
    private static let leases = PostgresStatement(
        name: "t_leases",
        sql: """
            SELECT l.lease_id, l.granted FROM lease l
            WHERE l.shard = $1 AND l.node_id = $2 AND l.epoch = $3
            """, isReadOnly: true)

    /// A timeline that no server has: of a lane whose node has yet to compare itself.
    static let none: Int64 = 0

    static var timeline: PostgresCommand { PostgresCommand(read, []) }

    static func standing(_ lane: LaneKey) -> PostgresCommand {
        PostgresCommand(standing, lane.parameters)
    }

    /// Every node but `exempt` must have compared itself.
    static func require(
        shard: Int16, exempt: Int64?, silentFor silence: Duration
    ) -> PostgresCommand {
        // No node has the number -1.
        PostgresCommand(
            require, [.int2(shard), .int8(exempt ?? -1), .int8(silence.microseconds)])
    }

    static func confirm(_ lane: LaneKey, timeline: Int64) -> PostgresCommand {
        PostgresCommand(confirm, lane.parameters + [.int8(timeline)])
    }

    static func release(_ lane: LaneKey) -> PostgresCommand {
        PostgresCommand(release, lane.parameters)
    }

    static func present(_ lane: LaneKey) -> PostgresCommand {
        PostgresCommand(present, lane.parameters)
    }

    static func leases(_ lane: LaneKey) -> PostgresCommand {
        PostgresCommand(leases, lane.parameters)
    }
}

extension PostgresError {
    /// The ledger may have forgotten grants, and not every node has said what it holds. A wait, as
    /// for another transaction, and no silence of the ledger: hence the class of its code.
    static let unconfirmedGrants = PostgresError(
        kind: .server(
            PostgresServerFault(
                sqlState: "40001",
                message: "after a failover, not every node has compared its leases yet")))

    /// Whether it is ``unconfirmedGrants``.
    var isUnconfirmedGrants: Bool { fault == Self.unconfirmedGrants.fault }
}
