import Postgres

/// The statements about nodes as an operator sees them.
enum NodeStatements {
    // The lanes of a shard with what is open and leased under them, in one snapshot, and the clock.
    // Leases and open requests are few and added up in one pass each. Resources by their numbers:
    // 1 tokens, 2 requests, 3 cost.
    private static let lanes = PostgresStatement(
        name: nil,
        sql: """
            WITH l AS (
                SELECT x.node_id, count(*) AS leases,
                    sum(x.free) FILTER (WHERE a.resource = 1) AS tokens,
                    sum(x.free) FILTER (WHERE a.resource = 2) AS requests,
                    sum(x.free) FILTER (WHERE a.resource = 3) AS cost
                FROM (SELECT node_id, account_id, granted - reserved - settled AS free
                    FROM lease WHERE shard = $1) x
                JOIN account a ON a.shard = $1 AND a.account_id = x.account_id
                GROUP BY x.node_id),
            r AS (
                SELECT node_id, count(*) AS requests FROM reservation WHERE shard = $1
                GROUP BY node_id)
            SELECT n.node_id, n.live, n.heartbeat_at, now(), coalesce(r.requests, 0),
                coalesce(l.leases, 0), coalesce(l.tokens, 0)::int8,
                coalesce(l.requests, 0)::int8, coalesce(l.cost, 0)::int8
            FROM node_lane n LEFT JOIN l ON l.node_id = n.node_id
            LEFT JOIN r ON r.node_id = n.node_id
            WHERE n.shard = $1 ORDER BY n.node_id
            """, isReadOnly: true)

    // What a node holds under epochs that are over, with what is free of it. Index lease (shard,
    // node_id, epoch), then the accounts by primary key.
    private static let held = PostgresStatement(
        name: nil,
        sql: """
            SELECT l.account_id, l.lease_id, l.epoch, a.resource,
                l.granted - l.reserved - l.settled
            FROM lease l JOIN account a ON a.shard = $1 AND a.account_id = l.account_id
            WHERE l.shard = $1 AND l.node_id = $2
                AND NOT EXISTS (SELECT 1 FROM node_lane n WHERE n.shard = $1
                    AND n.node_id = $2 AND n.epoch = l.epoch AND n.live)
            ORDER BY l.lease_id
            """, isReadOnly: true)

    static func lanes(_ shard: Int16) -> PostgresCommand {
        PostgresCommand(lanes, [.int2(shard)])
    }

    static func held(_ shard: Int16, _ node: Int64) -> PostgresCommand {
        PostgresCommand(held, [.int2(shard), .int8(node)])
    }
}
