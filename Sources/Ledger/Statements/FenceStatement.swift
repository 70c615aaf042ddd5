import Postgres

/// S1, the head of every batch: fence, deduplicator, heartbeat and count in one guarded update.
enum FenceStatement {
    // Moves this node's lane from seq-1 to seq. No row moves when the node was fenced, has another
    // epoch, or the batch was applied before; the division by zero then aborts the whole
    // transaction, on any Postgres. The row lock is held to the end of the batch, so a zombie
    // connection that still runs the same batch is waited for. Primary key. The counts are of the rows
    // that the batch brings; S2 and S3 take off what they leave out, which is rare. They are kept
    // apart from the rows on purpose: an audit compares the two.
    private static let statement = PostgresStatement(
        name: "s1_fence",
        sql: """
            WITH f AS (
                UPDATE node_lane SET last_seq = $4, heartbeat_at = now(), batches = batches + 1,
                    opened = opened + $5, settled = settled + $6
                WHERE shard = $1 AND node_id = $2 AND epoch = $3 AND last_seq = $4 - 1 AND live
                RETURNING 1)
            SELECT 1 / count(*) FROM f
            """)

    static func command(_ lane: LaneKey, _ batch: Batch) -> PostgresCommand {
        PostgresCommand(
            statement,
            lane.parameters + [
                .int8(batch.sequence), .int8(Int64(batch.openings.count)),
                .int8(Int64(batch.closings.count)),
            ])
    }
}

extension LaneKey {
    /// `$1`, `$2`, `$3` of every lane statement.
    var parameters: [PostgresValue] { [.int2(shard), .int8(node), .uuid(epoch)] }
}
