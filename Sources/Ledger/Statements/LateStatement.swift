import Domain
import Postgres

/// D: requests that the ledger has no reservation of, recorded directly.
enum LateStatement {
    // Inserts usage records of requests that went on in an outage, or whose opening a failover
    // lost, against the leases that are still held for them. Only what was really inserted moves
    // counters, so repeating it, or naming a request that was swept or settled, changes nothing. A
    // lease that is gone (an operator wrote it off) leaves its account out of the record: the
    // tokens are kept, the limit is not broken. One that is too small fails the lease's CHECK, and
    // one that goes meanwhile, or with $27 one that is gone, the division by zero; nothing of the
    // statement is then done. The
    // request's day bounds the partition. The lane's row is locked before all others, as in a batch,
    // and counts what is inserted. Primary keys.
    private static let statement = PostgresStatement(
        name: "d_late",
        sql: """
            WITH lane AS (
                SELECT n.node_id FROM node_lane n WHERE n.shard = $1 AND n.node_id = $2 FOR UPDATE),
            held AS (
                SELECT l.lease_id FROM lease l
                WHERE l.shard = $1 AND l.lease_id = ANY ($26) AND l.node_id = $2),
            x AS (
                SELECT x.rid, x.kid, x.model, x.backend, x.price, x.prompt, x.cached,
                    x.cache_write, x.completion, x.reasoning, x.charged, x.overage, x.cost,
                    x.basis, x.end_state, x.first_token, x.duration, x.at,
                    z.leases, z.accounts, z.charges, x.l - x.f + 1 AS claims
                FROM unnest($3::uuid[], $4::int8[], $5::int4[], $6::int4[], $7::int8[],
                        $8::int8[], $9::int8[], $10::int8[], $11::int8[], $12::int8[],
                        $13::int8[], $14::int8[], $15::int8[], $16::int2[], $17::int2[],
                        $18::int8[], $19::int8[], $20::timestamptz[], $21::int4[], $22::int4[])
                    AS x(rid, kid, model, backend, price, prompt, cached, cache_write,
                        completion, reasoning, charged, overage, cost, basis, end_state,
                        first_token, duration, at, f, l)
                CROSS JOIN LATERAL (
                    SELECT coalesce(array_agg(c.lease ORDER BY c.n), '{}') AS leases,
                        coalesce(array_agg(c.account ORDER BY c.n), '{}') AS accounts,
                        coalesce(array_agg(c.charge ORDER BY c.n), '{}') AS charges
                    FROM unnest(($23::int8[])[x.f:x.l], ($24::int8[])[x.f:x.l],
                            ($25::int8[])[x.f:x.l]) WITH ORDINALITY
                        AS c(lease, account, charge, n)
                    WHERE c.lease IN (SELECT lease_id FROM held)) z
                WHERE (SELECT count(*) FROM lane) >= 0),
            u AS (
                INSERT INTO usage (shard, day, request_id, key_id, model_id, backend_id,
                    price_version, prompt_tokens, cached_tokens, cache_write_tokens,
                    completion_tokens, reasoning_tokens, charged, overage, cost_nanousd, basis,
                    end_state, account_ids, charges, node_id, admitted_at, settled_at,
                    first_token_us, duration_us)
                SELECT $1, (x.at AT TIME ZONE 'UTC')::date, x.rid, x.kid, x.model, x.backend,
                    x.price, x.prompt, x.cached, x.cache_write, x.completion, x.reasoning,
                    x.charged, x.overage, x.cost, x.basis, x.end_state, x.accounts, x.charges,
                    $2, x.at, now(), x.first_token, x.duration
                FROM x
                ON CONFLICT (shard, day, request_id) DO NOTHING RETURNING request_id),
            c AS (
                SELECT x.kid AS key_id, x.model AS model_id, x.at AS admitted_at, x.prompt,
                    x.cached, x.cache_write, x.completion, x.reasoning, x.charged, x.overage,
                    x.cost, x.basis, x.leases, x.charges
                FROM x JOIN u ON u.request_id = x.rid),
            \(RollupStatement.sums),
            \(RollupStatement.upsert),
            d AS (
                SELECT z.lease, sum(z.charge)::int8 AS charge
                FROM c, unnest(c.leases, c.charges) AS z(lease, charge) GROUP BY z.lease),
            l AS (
                UPDATE lease SET settled = settled + d.charge FROM d
                WHERE lease.shard = $1 AND lease.lease_id = ANY ($26) AND lease.lease_id = d.lease
                    AND lease.node_id = $2
                RETURNING 1),
            n AS (
                UPDATE node_lane SET opened = opened + (SELECT count(*) FROM u),
                    settled = settled + (SELECT count(*) FROM u)
                WHERE shard = $1 AND node_id = $2 AND (SELECT count(*) FROM u) > 0
                RETURNING 1)
            SELECT (SELECT coalesce(array_agg(request_id), '{}') FROM u),
                1 / (CASE WHEN (SELECT count(*) FROM l) = (SELECT count(*) FROM d)
                        AND ($27::bool IS FALSE OR NOT EXISTS (
                            SELECT 1 FROM x WHERE cardinality(x.leases) < x.claims))
                     THEN 1 ELSE 0 END)
            """)

    /// With `needsLeases` it fails where a lease is gone, instead of leaving its account out.
    static func command(
        shard: Int16, node: Int64, _ records: [LateRecord], needsLeases: Bool = false
    ) -> PostgresCommand {
        var claims = ClaimColumns()
        for record in records { claims.append(record.opening.claims) }
        let openings = records.map(\.opening)
        let usages = records.map(\.settlement.usage)
        return PostgresCommand(
            statement,
            [
                .int2(shard), .int8(node),
                .uuids(openings.map(\.requestID.rawValue)),
                .int8s(openings.map(\.key.databaseValue)),
                .int4s(openings.map(\.modelNumber)), .int4s(records.map(\.backendNumber)),
                .optionalInt8s(
                    records.map { $0.charge.servedVersion ?? $0.opening.price?.version }),
                .int8s(usages.map(\.prompt)), .int8s(usages.map(\.cached)),
                .int8s(usages.map(\.cacheWrite)), .int8s(usages.map(\.completion)),
                .int8s(usages.map(\.reasoning)),
                .int8s(records.map(\.charge.tokens)), .int8s(records.map(\.charge.overage)),
                .int8s(records.map(\.cost)),
                .int2s(records.map(\.settlement.basis.rawValue)),
                .int2s(records.map(\.settlement.endState.rawValue)),
                .optionalInt8s(records.map { $0.settlement.timeToFirstToken?.microseconds }),
                .int8s(records.map(\.settlement.duration.microseconds)),
                .timestamps(openings.map(\.admittedAt.microseconds)),
                .int4s(claims.first), .int4s(claims.last),
                .int8s(claims.leases), .int8s(claims.accounts),
                .int8s(records.flatMap(\.charges)), .int8s(Array(Set(claims.leases))),
                .bool(needsLeases),
            ])
    }

    /// The requests that were recorded; the others were known already.
    static func recorded(in result: PostgresResult) throws(PostgresError) -> Set<RequestID> {
        guard let row = result.rows.first else { return [] }
        return Set(try row.uuids(0).map(RequestID.init(rawValue:)))
    }
}

/// A request that the ledger has to be told of after the fact.
struct LateRecord: Sendable {
    let opening: Opening
    let settlement: Settlement
    let charge: Charge
    /// What each claim's account is charged.
    let charges: [Int64]
    /// In nano-dollars.
    let cost: Int64
    /// Who answered.
    var backendNumber: Int32 {
        settlement.movedTo.map(NameNumber.of) ?? opening.backendNumber
    }
    /// Whether it has not ended.
    private(set) var isRunning = false

    /// One whose true usage is known: basis `late`.
    init(_ opening: Opening, settled settlement: Settlement) {
        self.opening = opening
        var settlement = settlement
        if settlement.basis != .void { settlement.basis = .late }
        self.settlement = settlement
        let charge = Charge(settlement, bound: opening.bound, price: opening.price)
        self.charge = charge
        charges = opening.claims.map { charge.amount(of: $0.account.resource) }
        cost = charge.cost.rawValue
    }

    /// One that still runs, or whose usage no disk remembers: at its bound, as a sweep would, and
    /// so to be corrected once the truth is known.
    init(atBound opening: Opening, isRunning: Bool = false) {
        self.isRunning = isRunning
        self.opening = opening
        settlement = Settlement(
            usage: TokenUsage(prompt: opening.bound.prompt, completion: opening.bound.completion),
            basis: .swept, endState: .nodeLost, timeToFirstToken: nil, duration: .zero)
        charge = Charge(settlement, bound: opening.bound, price: opening.price)
        charges = opening.claims.map(\.units)
        cost = opening.costBound
    }

    /// The same, charged to no account: what its leases do not cover breaks no limit, and is in the
    /// records all the same.
    init(uncharged record: LateRecord) {
        let claimless = record.opening
        opening = Opening(
            requestID: claimless.requestID, key: claimless.key,
            modelNumber: claimless.modelNumber, backendNumber: claimless.backendNumber,
            price: claimless.price, bound: claimless.bound, claims: [],
            admittedAt: claimless.admittedAt)
        settlement = record.settlement
        charge = record.charge
        charges = []
        cost = record.cost
    }
}
