import Domain
import Postgres

/// What a ledger does that may have forgotten claims on `Idempotency-Key`s: a server that was promoted
/// takes none until every node that lives has written its own there once more. Otherwise a retry of
/// a request that was answered could be charged a second time.
enum ClaimTimelineStatements {
    // Fails with a division by zero while a node may have claims that this server does not know: one
    // that moved within $2 microseconds and has not seen to its claims since the promotion. A node
    // that is silent for longer is dead, and is not waited for. Who stands before a claim in its
    // transaction sees the same server. Walks the shard's nodes that ever claimed.
    private static let require = PostgresStatement(
        name: "claim_require",
        sql: """
            SELECT 1 / (CASE WHEN EXISTS (
                SELECT 1 FROM idempotent_node i
                JOIN node_lane k ON k.shard = i.shard AND k.node_id = i.node_id
                WHERE i.shard = $1 AND i.timeline <> \(TimelineStatements.current)
                    AND k.heartbeat_at > now() - $2::int8 * interval '1 microsecond')
                THEN 0 ELSE 1 END)
            """, isReadOnly: true)

    // Whether the node $2 has seen to its claims on this server. Primary key.
    private static let standing = PostgresStatement(
        name: "claim_standing",
        sql: """
            SELECT i.timeline = \(TimelineStatements.current)
            FROM idempotent_node i WHERE i.shard = $1 AND i.node_id = $2
            """, isReadOnly: true)

    // Writes a confirmed claim as it was. Of another request's claim under the same name the younger
    // one holds: what is older was free when this one was made, and only its end was lost. Repeating
    // it changes nothing. Primary key.
    private static let restore = PostgresStatement(
        name: "claim_restore",
        sql: """
            INSERT INTO idempotent_request (shard, key_id, name_digest, fingerprint, request_id,
                node_id, epoch, is_accepted, claimed_at)
            VALUES ($1, $2, $3, $4, $5, $6, $7, true, $8)
            ON CONFLICT (shard, key_id, name_digest) DO UPDATE SET
                fingerprint = EXCLUDED.fingerprint, request_id = EXCLUDED.request_id,
                node_id = EXCLUDED.node_id, epoch = EXCLUDED.epoch, is_accepted = true,
                claimed_at = EXCLUDED.claimed_at
            WHERE idempotent_request.request_id = EXCLUDED.request_id
                OR idempotent_request.claimed_at < EXCLUDED.claimed_at
            """)

    // The node $2 has seen to its claims on the server of timeline $3. If that is another one by now,
    // the row says so. Primary key.
    private static let mark = PostgresStatement(
        name: "claim_mark",
        sql: """
            INSERT INTO idempotent_node (shard, node_id, timeline) VALUES ($1, $2, $3)
            ON CONFLICT (shard, node_id) DO UPDATE SET timeline = EXCLUDED.timeline
            """)

    /// Every node that claimed, and lives, must have seen to its claims.
    static func require(shard: Int16, silentFor silence: Duration) -> PostgresCommand {
        PostgresCommand(require, [.int2(shard), .int8(silence.microseconds)])
    }

    static func standing(shard: Int16, node: Int64) -> PostgresCommand {
        PostgresCommand(standing, [.int2(shard), .int8(node)])
    }

    /// A claim of `node` that was confirmed. Its node's life does not matter any more, so there is
    /// none in it.
    static func restore(_ held: HeldClaim, node: Int64) -> PostgresCommand {
        let claim = held.claim
        return PostgresCommand(
            restore,
            [
                .int2(claim.shard.rawValue), .int8(claim.key.databaseValue),
                .bytes(claim.nameDigest), .bytes(claim.fingerprint),
                .uuid(claim.requestID.rawValue), .int8(node), .uuid(0),
                .timestamp(held.claimedAt.microseconds),
            ])
    }

    static func mark(shard: Int16, node: Int64, timeline: Int64) -> PostgresCommand {
        PostgresCommand(mark, [.int2(shard), .int8(node), .int8(timeline)])
    }
}

extension PostgresError {
    /// The ledger may have forgotten claims, and not every node has repeated its own.
    static let unconfirmedClaims = PostgresError(
        kind: .server(
            PostgresServerFault(
                sqlState: "55000",
                message: "after a failover, not every node has repeated its claims yet")))

    /// Whether it is ``unconfirmedClaims``.
    var isUnconfirmedClaims: Bool { fault == Self.unconfirmedClaims.fault }
}
