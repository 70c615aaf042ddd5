import Domain
import Postgres

/// S2: a batch's openings.
enum OpenStatement {
    // Inserts a reservation for every opening whose key is valid at this moment, and raises
    // `reserved` of the leases by exactly what was inserted (RETURNING drives the sums, so a row
    // that was not inserted moves nothing). A revoked or expired key's row is left out: the caller
    // reads who was accepted. An opening that already went on without the ledger's word, in an
    // outage, is taken whatever became of its key ($19). Lease rows belong to this node and epoch
    // alone; if one is missing, the counts differ and the division by zero aborts the batch. The
    // lists are joined by hash on purpose (`= ANY`): driven by statistics of a nearly empty table
    // the plan would scan per row. A row that is left out is taken off the lane's count, whose row
    // S1 has locked; otherwise that row is not looked at. Per row, the slices `[first:last]` cut its
    // leases out of the flat arrays.
    private static let statement = PostgresStatement(
        name: "s2_open",
        sql: """
            WITH o AS (
                INSERT INTO reservation (shard, request_id, node_id, epoch, key_id, model_id,
                    backend_id, price_version, prompt_bound, completion_bound,
                    cost_bound_nanousd, lease_ids, account_ids, units, admitted_at)
                SELECT $1, x.rid, $2, $3, x.kid, x.model, x.backend, x.price, x.prompt,
                    x.completion, x.cost, ($15::int8[])[x.f:x.l], ($16::int8[])[x.f:x.l],
                    ($17::int8[])[x.f:x.l], x.at
                FROM unnest($4::uuid[], $5::int8[], $6::int4[], $7::int4[], $8::int8[],
                        $9::int8[], $10::int8[], $11::int8[], $12::timestamptz[],
                        $13::int4[], $14::int4[], $19::bool[])
                    AS x(rid, kid, model, backend, price, prompt, completion, cost, at, f, l,
                        rode)
                LEFT JOIN api_key k ON k.shard = $1 AND k.key_id = x.kid AND k.key_id = ANY ($5)
                    AND k.revoked_at IS NULL AND (k.not_after IS NULL OR k.not_after > now())
                WHERE x.rode OR k.key_id IS NOT NULL
                RETURNING request_id, lease_ids, units),
            d AS (
                SELECT z.lease, sum(z.units)::int8 AS units
                FROM o, unnest(o.lease_ids, o.units) AS z(lease, units) GROUP BY z.lease),
            l AS (
                UPDATE lease SET reserved = reserved + d.units FROM d
                WHERE lease.shard = $1 AND lease.lease_id = ANY ($18) AND lease.lease_id = d.lease
                    AND lease.node_id = $2 AND lease.epoch = $3
                RETURNING lease.lease_id),
            n AS (
                UPDATE node_lane
                SET opened = opened + (SELECT count(*) FROM o) - cardinality($4::uuid[])
                WHERE shard = $1 AND node_id = $2
                    AND (SELECT count(*) FROM o) <> cardinality($4::uuid[])
                RETURNING 1)
            SELECT (SELECT coalesce(array_agg(request_id), '{}') FROM o),
                1 / (CASE WHEN (SELECT count(*) FROM l) = (SELECT count(*) FROM d)
                     THEN 1 ELSE 0 END)
            """)

    static func command(_ lane: LaneKey, _ openings: [Opening]) -> PostgresCommand {
        var claims = ClaimColumns()
        for opening in openings { claims.append(opening.claims) }
        return PostgresCommand(
            statement,
            lane.parameters + [
                .uuids(openings.map(\.requestID.rawValue)),
                .int8s(openings.map(\.key.databaseValue)),
                .int4s(openings.map(\.modelNumber)),
                .int4s(openings.map(\.backendNumber)),
                .optionalInt8s(openings.map { $0.price?.version }),
                .int8s(openings.map(\.bound.prompt)),
                .int8s(openings.map(\.bound.completion)),
                .int8s(openings.map(\.costBound)),
                .timestamps(openings.map(\.admittedAt.microseconds)),
                .int4s(claims.first), .int4s(claims.last),
                .int8s(claims.leases), .int8s(claims.accounts), .int8s(claims.units),
                .int8s(Array(Set(claims.leases))), .bools(openings.map(\.rode)),
            ])
    }

    /// The requests whose reservations are now in the ledger.
    static func accepted(in result: PostgresResult) throws(PostgresError) -> Set<RequestID> {
        guard let row = result.rows.first else { return [] }
        return Set(try row.uuids(0).map(RequestID.init(rawValue:)))
    }
}

/// The claims of many requests as flat columns, and where each request's begin and end (from 1, as
/// SQL counts).
struct ClaimColumns {
    private(set) var first: [Int32] = []
    private(set) var last: [Int32] = []
    private(set) var leases: [Int64] = []
    private(set) var accounts: [Int64] = []
    private(set) var units: [Int64] = []

    mutating func append(_ claims: Claims) {
        first.append(Int32(leases.count + 1))
        for claim in claims {
            leases.append(claim.lease.rawValue)
            accounts.append(claim.accountID.rawValue)
            units.append(claim.units)
        }
        last.append(Int32(leases.count))
    }
}
