import Domain
import Postgres

/// S3: a batch's closings.
enum CloseStatement {
    // Turns reservations into usage records, rollups and lease counters in one statement.
    // Everything hangs on the rows that the DELETE returns: a closing that comes twice, or whose
    // opening was never accepted, deletes nothing and so moves nothing. Sweeper, node and recovery
    // serialise on that row. Rows of usage_hour are this node's own, and there. If one, or a
    // lease's, is missing, the division by zero aborts the batch. What settles nothing is taken off
    // the lane's count, which the caller has raised by all of them, and whose row it thereby locks
    // first: S1 of a batch, `LaneStatements.count` in a recovery. Primary keys throughout.
    private static let statement = PostgresStatement(
        name: "s3_close",
        sql: """
            WITH del AS (
                DELETE FROM reservation r
                WHERE r.shard = $1 AND r.request_id = ANY ($4) AND r.node_id = $2 AND r.epoch = $3
                RETURNING r.request_id, r.key_id, r.model_id, r.backend_id, r.price_version,
                    r.lease_ids, r.account_ids, r.units, r.admitted_at),
            c AS (
                SELECT del.request_id, del.key_id, del.model_id, del.backend_id,
                    del.price_version, del.lease_ids, del.account_ids, del.units,
                    del.admitted_at, ($19::int8[])[x.f:x.l] AS charges, x.prompt, x.cached,
                    x.cache_write, x.completion, x.reasoning, x.charged, x.overage, x.cost,
                    x.basis, x.end_state, x.first_token, x.duration
                FROM del JOIN unnest($4::uuid[], $5::int8[], $6::int8[], $7::int8[], $8::int8[],
                        $9::int8[], $10::int8[], $11::int8[], $12::int8[], $13::int2[],
                        $14::int2[], $15::int8[], $16::int8[], $17::int4[], $18::int4[])
                    AS x(rid, prompt, cached, cache_write, completion, reasoning, charged,
                        overage, cost, basis, end_state, first_token, duration, f, l)
                ON x.rid = del.request_id),
            u AS (
                INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id,
                    price_version, prompt_tokens, cached_tokens, cache_write_tokens,
                    completion_tokens, reasoning_tokens, charged, overage, cost_nanousd, basis,
                    end_state, account_ids, charges, node_id, admitted_at, settled_at,
                    first_token_us, duration_us)
                SELECT $1, (c.admitted_at AT TIME ZONE 'UTC')::date, c.request_id, c.key_id,
                    c.model_id, c.backend_id, c.price_version, c.prompt, c.cached,
                    c.cache_write, c.completion, c.reasoning, c.charged, c.overage, c.cost,
                    c.basis, c.end_state, c.account_ids, c.charges, $2, c.admitted_at, now(),
                    c.first_token, c.duration
                FROM c RETURNING 1),
            \(RollupStatement.sums),
            \(RollupStatement.update),
            d AS (
                SELECT z.lease, sum(z.units)::int8 AS units, sum(z.charge)::int8 AS charge
                FROM c, unnest(c.lease_ids, c.units, c.charges) AS z(lease, units, charge)
                GROUP BY z.lease),
            l AS (
                UPDATE lease SET reserved = reserved - d.units, settled = settled + d.charge
                FROM d
                WHERE lease.shard = $1 AND lease.lease_id = ANY ($20) AND lease.lease_id = d.lease
                    AND lease.node_id = $2 AND lease.epoch = $3
                RETURNING 1),
            n AS (
                UPDATE node_lane
                SET settled = settled + (SELECT count(*) FROM c) - cardinality($4::uuid[])
                WHERE shard = $1 AND node_id = $2
                    AND (SELECT count(*) FROM c) <> cardinality($4::uuid[])
                RETURNING 1)
            SELECT (SELECT coalesce(array_agg(request_id), '{}') FROM c),
                1 / (CASE WHEN (SELECT count(*) FROM l) = (SELECT count(*) FROM d)
                        AND (SELECT count(*) FROM h) = (SELECT count(*) FROM s)
                     THEN 1 ELSE 0 END)
            """)

    /// What closes requests of a lane, in one transaction; the last command answers which. With
    /// `makesRollups` one before it makes rows of the rollup that may be missing.
    static func commands(
        _ lane: LaneKey, _ closings: [Closing], makesRollups: Bool
    ) -> [PostgresCommand] {
        let requests = PostgresValue.uuids(closings.map(\.requestID.rawValue))
        let preparation = makesRollups ? [RollupStatement.prepare(lane, requests)] : []
        return preparation + [command(lane, requests, closings)]
    }

    private static func command(
        _ lane: LaneKey, _ requests: PostgresValue, _ closings: [Closing]
    ) -> PostgresCommand {
        var first: [Int32] = []
        var last: [Int32] = []
        var charges: [Int64] = []
        var leases: Set<Int64> = []
        for closing in closings {
            first.append(Int32(charges.count + 1))
            for claim in closing.claims {
                charges.append(closing.charge.amount(of: claim.account.resource))
                leases.insert(claim.lease.rawValue)
            }
            last.append(Int32(charges.count))
        }
        let usages = closings.map(\.settlement.usage)
        return PostgresCommand(
            statement,
            lane.parameters + [
                requests, .int8s(usages.map(\.prompt)), .int8s(usages.map(\.cached)),
                .int8s(usages.map(\.cacheWrite)), .int8s(usages.map(\.completion)),
                .int8s(usages.map(\.reasoning)),
                .int8s(closings.map(\.charge.tokens)), .int8s(closings.map(\.charge.overage)),
                .int8s(closings.map(\.charge.cost.rawValue)),
                .int2s(closings.map(\.settlement.basis.rawValue)),
                .int2s(closings.map(\.settlement.endState.rawValue)),
                .optionalInt8s(closings.map { $0.settlement.timeToFirstToken?.microseconds }),
                .int8s(closings.map(\.settlement.duration.microseconds)),
                .int4s(first), .int4s(last), .int8s(charges), .int8s(Array(leases)),
            ])
    }

    /// The requests that this batch settled.
    static func settled(in result: PostgresResult) throws(PostgresError) -> Set<RequestID> {
        guard let row = result.rows.first else { return [] }
        return Set(try row.uuids(0).map(RequestID.init(rawValue:)))
    }
}
