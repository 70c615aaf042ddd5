import Domain
import Postgres

/// A lane's own row: its birth, its beat, its end.
enum LaneStatements {
    // Reads a lane. Primary key.
    private static let read = PostgresStatement(
        name: "lane_read",
        sql: """
            SELECT epoch, last_seq, live FROM node_lane WHERE shard = $1 AND node_id = $2
            """, isReadOnly: true)

    // Makes a node's first lane in a shard. Of two that try, one inserts; the other reads.
    private static let insert = PostgresStatement(
        name: "lane_insert",
        sql: """
            INSERT INTO node_lane (shard, node_id, epoch, batches, batches_before, opened, settled,
                timeline)
            VALUES ($1, $2, $3, 0, 0, 0, 0, $4)
            ON CONFLICT (shard, node_id) DO NOTHING RETURNING 1
            """)

    // E: a new epoch, from the old one only (compare and set), and only once the old one is fenced.
    // Stops two copies of one node directory. Nothing of the old epoch may be open: the caller
    // swept it. The counts go on over all lives; a lane that a program without counts has opened is
    // counted now, from the rollup, which outlives the records.
    private static let renew = PostgresStatement(
        name: "lane_renew",
        sql: """
            UPDATE node_lane SET epoch = $4, last_seq = 0, live = true, heartbeat_at = now(),
                batches = coalesce(batches, last_seq), batches_before = coalesce(batches, last_seq),
                settled = coalesce(settled, \(records)), opened = coalesce(opened, \(records)),
                timeline = $5
            WHERE shard = $1 AND node_id = $2 AND epoch = $3 AND NOT live RETURNING 1
            """)
    private static let records = """
        (SELECT coalesce(sum(h.requests + h.failed_requests), 0)::int8 FROM usage_hour h
         WHERE h.shard = $1 AND h.node_id = $2)
        """

    // Around a batch and a recovery's closings, in one pipeline.
    static let begin = PostgresStatement(name: nil, sql: "BEGIN")
    static let commit = PostgresStatement(name: nil, sql: "COMMIT")

    // Counts requests that are settled outside of a batch, before they are, and so locks the lane's
    // row first, as a batch does. In the transaction that settles them. Primary key.
    private static let count = PostgresStatement(
        name: "lane_count",
        sql: """
            UPDATE node_lane SET settled = settled + $3 WHERE shard = $1 AND node_id = $2
            """)

    // W1: fences a lane that has not moved for $4 microseconds of the ledger's own clock. Zero
    // fences at once, which only the lane's owner may ask, and whatever the row says of the last
    // beat: one that began after this statement's transaction and got the row first, or one that a
    // server saw whose clock was ahead, is later than `now()`. Batches lock the same row, so a
    // running one finishes first.
    private static let fence = PostgresStatement(
        name: "lane_fence",
        sql: """
            UPDATE node_lane SET live = false
            WHERE shard = $1 AND node_id = $2 AND epoch = $3 AND live
                AND ($4::int8 = 0
                    OR heartbeat_at <= now() - $4::int8 * interval '1 microsecond')
            RETURNING 1
            """)

    // The beat of a lane without traffic, and in one round trip the ledger's clock, the number of
    // live lanes of the shard and the directory's revision. No row: this lane was fenced.
    private static let beat = PostgresStatement(
        name: "lane_beat",
        sql: """
            WITH b AS (
                UPDATE node_lane SET heartbeat_at = now()
                WHERE shard = $1 AND node_id = $2 AND epoch = $3 AND live RETURNING last_seq)
            SELECT now(), (SELECT count(*) FROM node_lane n WHERE n.shard = $1 AND n.live),
                b.last_seq
            FROM b
            """)

    // Epochs of a shard that need a sweep: lanes silent for $2 microseconds, and leases or
    // reservations whose epoch has no live lane. A fenced lane is left alone as long: its owner may
    // be settling it exactly from its journal. The second part also finds a slice that a late grow
    // left on an epoch that was swept and renewed. What is only kept for its node's journal needs
    // no sweep, until that node lives again: its journal was heard then. Index lease (shard,
    // node_id, epoch); the open requests are walked.
    private static let abandoned = PostgresStatement(
        name: "lane_abandoned",
        sql: """
            SELECT n.node_id, n.epoch, true FROM node_lane n
            WHERE n.shard = $1 AND n.live
                AND n.heartbeat_at <= now() - $2::int8 * interval '1 microsecond'
            UNION ALL
            SELECT e.node_id, e.epoch, false FROM (
                SELECT DISTINCT l.node_id, l.epoch FROM lease l WHERE l.shard = $1
                    AND NOT (l.rides AND l.reserved = 0 AND l.settled = 0
                        AND NOT EXISTS (SELECT 1 FROM node_lane k WHERE k.shard = $1
                            AND k.node_id = l.node_id AND k.live))
                UNION SELECT DISTINCT r.node_id, r.epoch FROM reservation r
                WHERE r.shard = $1) e
            WHERE NOT EXISTS (SELECT 1 FROM node_lane n WHERE n.shard = $1
                AND n.node_id = e.node_id AND ((n.epoch = e.epoch AND n.live)
                    OR n.heartbeat_at > now() - $2::int8 * interval '1 microsecond'
                        AND n.epoch = e.epoch))
            """, isReadOnly: true)

    // Every shard that has a directory. One row per organization's shard, at most 256.
    private static let allShards = PostgresStatement(
        name: "lane_shards", sql: "SELECT shard FROM directory_revision ORDER BY shard",
        isReadOnly: true)

    // The recall generations of the accounts that a lane holds leases of, and what is settled on those
    // of soft quotas, in one snapshot; -1 for hard ones. Index lease (shard, node_id, epoch), then the accounts by
    // primary key: a join would be planned as a scan of every account there ever was. The leases of
    // soft ones by index lease_account.
    private static let recalls = PostgresStatement(
        name: "lane_recalls",
        sql: """
            SELECT a.account_id, a.recall_gen, CASE WHEN a.soft THEN a.used + (
                SELECT coalesce(sum(s.settled), 0)::int8 FROM lease s
                WHERE s.shard = $1 AND s.account_id = a.account_id) ELSE -1 END
            FROM account a
            WHERE a.shard = $1 AND a.account_id = ANY (ARRAY(
                SELECT l.account_id FROM lease l
                WHERE l.shard = $1 AND l.node_id = $2 AND l.epoch = $3))
            """, isReadOnly: true)

    // Asks every node that holds a lease of an account to give back what is free.
    private static let recall = PostgresStatement(
        name: "lane_recall",
        sql: "UPDATE account SET recall_gen = recall_gen + 1 WHERE shard = $1 AND account_id = $2")

    static func recall(shard: Int16, account: Int64) -> PostgresCommand {
        PostgresCommand(recall, [.int2(shard), .int8(account)])
    }

    static func read(shard: Int16, node: Int64) -> PostgresCommand {
        PostgresCommand(read, [.int2(shard), .int8(node)])
    }

    /// `timeline` is that of the server with which the node has compared what it holds.
    static func insert(_ lane: LaneKey, timeline: Int64) -> PostgresCommand {
        PostgresCommand(insert, lane.parameters + [.int8(timeline)])
    }

    static func renew(_ old: LaneKey, epoch: UInt128, timeline: Int64) -> PostgresCommand {
        PostgresCommand(renew, old.parameters + [.uuid(epoch), .int8(timeline)])
    }

    static func count(_ lane: LaneKey, settled: Int) -> PostgresCommand {
        PostgresCommand(
            count, [.int2(lane.shard), .int8(lane.node), .int8(Int64(settled))])
    }

    static func fence(_ lane: LaneKey, silentFor silence: Duration) -> PostgresCommand {
        PostgresCommand(fence, lane.parameters + [.int8(silence.microseconds)])
    }

    static func beat(_ lane: LaneKey) -> PostgresCommand { PostgresCommand(beat, lane.parameters) }

    static func recalls(_ lane: LaneKey) -> PostgresCommand {
        PostgresCommand(recalls, lane.parameters)
    }

    static func abandoned(shard: Int16, silentFor silence: Duration) -> PostgresCommand {
        PostgresCommand(abandoned, [.int2(shard), .int8(silence.microseconds)])
    }

    static var shards: PostgresCommand { PostgresCommand(allShards, []) }
}
