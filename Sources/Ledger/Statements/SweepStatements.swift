import Postgres

/// W2 and the list for W3: a dead lane's open requests, settled at their bound.
enum SweepStatements {
    // Settles up to 500 reservations of a fenced epoch at their bound: charges are the reserved
    // units, basis 4 (swept), end state 8 (node lost). Only while that epoch is not live. Expiry
    // never voids: the node may have delivered every token. As in S3 all hangs on the deleted rows,
    // so that two sweepers never settle one request twice; they delete in the order of the primary
    // key, which keeps them from waiting for each other in a circle. The lane's row is locked before
    // them, as in a batch, and counts what is settled; a sweep of a node without a lane goes on
    // without.
    private static let settle = PostgresStatement(
        name: "w2_sweep",
        sql: """
            WITH lane AS (
                SELECT n.node_id FROM node_lane n WHERE n.shard = $1 AND n.node_id = $2 FOR UPDATE),
            due AS (
                SELECT r.request_id FROM reservation r
                WHERE r.shard = $1 AND r.node_id = $2 AND r.epoch = $3
                    AND (SELECT count(*) FROM lane) >= 0 AND NOT EXISTS (SELECT 1 FROM node_lane n WHERE n.shard = $1
                        AND n.node_id = $2 AND n.epoch = $3 AND n.live)
                ORDER BY r.request_id LIMIT 500 FOR UPDATE),
            del AS (
                DELETE FROM reservation r
                WHERE r.shard = $1 AND r.request_id = ANY (ARRAY(SELECT request_id FROM due))
                RETURNING r.request_id, r.key_id, r.model_id, r.backend_id, r.price_version,
                    r.prompt_bound, r.completion_bound, r.cost_bound_nanousd, r.lease_ids,
                    r.account_ids, r.units, r.admitted_at),
            c AS (
                SELECT del.request_id, del.key_id, del.model_id, del.backend_id,
                    del.price_version, del.lease_ids, del.account_ids, del.units,
                    del.admitted_at, del.prompt_bound AS prompt, 0::int8 AS cached,
                    0::int8 AS cache_write, del.completion_bound AS completion,
                    0::int8 AS reasoning, del.prompt_bound + del.completion_bound AS charged,
                    0::int8 AS overage, del.cost_bound_nanousd AS cost, 4::int2 AS basis
                FROM del),
            u AS (
                INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id,
                    price_version, prompt_tokens, cached_tokens, cache_write_tokens,
                    completion_tokens, reasoning_tokens, charged, overage, cost_nanousd, basis,
                    end_state, account_ids, charges, node_id, admitted_at, settled_at,
                    first_token_us, duration_us)
                SELECT $1, (c.admitted_at AT TIME ZONE 'UTC')::date, c.request_id, c.key_id,
                    c.model_id, c.backend_id, c.price_version, c.prompt, 0, 0, c.completion, 0,
                    c.charged, 0, c.cost, c.basis, 8, c.account_ids, c.units, $2, c.admitted_at,
                    now(), NULL,
                    greatest(0, (extract(epoch FROM now() - c.admitted_at) * 1000000)::int8)
                FROM c RETURNING 1),
            \(RollupStatement.sums),
            \(RollupStatement.upsert),
            d AS (
                SELECT z.lease, sum(z.units)::int8 AS units
                FROM c, unnest(c.lease_ids, c.units) AS z(lease, units) GROUP BY z.lease),
            l AS (
                UPDATE lease SET reserved = reserved - d.units, settled = settled + d.units
                FROM d
                WHERE lease.shard = $1 AND lease.lease_id = d.lease
                    AND lease.node_id = $2 AND lease.epoch = $3
                RETURNING 1),
            n AS (
                UPDATE node_lane SET settled = settled + (SELECT count(*) FROM c)
                WHERE shard = $1 AND node_id = $2 AND (SELECT count(*) FROM c) > 0
                RETURNING 1)
            SELECT (SELECT count(*) FROM c),
                1 / (CASE WHEN (SELECT count(*) FROM l) = (SELECT count(*) FROM d)
                     THEN 1 ELSE 0 END)
            """)

    // The leases of a fenced epoch, and whether they are kept for their node's journal: not if the
    // node lives again under another epoch, since it presents its journal first. Index lease
    // (shard, node_id, epoch).
    private static let leases = PostgresStatement(
        name: "w3_leases",
        sql: """
            SELECT l.account_id, l.lease_id, l.rides
                AND NOT EXISTS (SELECT 1 FROM node_lane k WHERE k.shard = $1
                    AND k.node_id = $2 AND k.live)
            FROM lease l
            WHERE l.shard = $1 AND l.node_id = $2 AND l.epoch = $3
                AND NOT EXISTS (SELECT 1 FROM node_lane n WHERE n.shard = $1
                    AND n.node_id = $2 AND n.epoch = $3 AND n.live)
            ORDER BY l.lease_id
            """, isReadOnly: true)

    // Everything a node still holds under epochs that are over. Index lease (shard, node_id,
    // epoch).
    private static let heldByNode = PostgresStatement(
        name: "w3_held",
        sql: """
            SELECT l.account_id, l.lease_id, l.epoch FROM lease l
            WHERE l.shard = $1 AND l.node_id = $2
                AND NOT EXISTS (SELECT 1 FROM node_lane n WHERE n.shard = $1
                    AND n.node_id = $2 AND n.epoch = l.epoch AND n.live)
            ORDER BY l.lease_id
            """, isReadOnly: true)

    static func settle(_ lane: LaneKey) -> PostgresCommand {
        PostgresCommand(settle, lane.parameters)
    }

    static func held(shard: Int16, node: Int64) -> PostgresCommand {
        PostgresCommand(heldByNode, [.int2(shard), .int8(node)])
    }

    static func leases(_ lane: LaneKey) -> PostgresCommand {
        PostgresCommand(leases, lane.parameters)
    }
}
