import Domain
import Postgres

/// Carries out a list of rate orders at the ledger: one round trip and one transaction, and once
/// more for buckets that are not there yet.
struct RateClerk: Sendable {
    let shard: Int16
    let clock: LedgerClock

    /// Every order with its reply.
    ///
    /// When it throws, the orders may have been carried out all the same. Their cells are then lost
    /// until the bucket has drained.
    func carryOut(
        _ orders: [RateOrder], _ connection: any LedgerConnection
    ) throws(PostgresError) -> [(RateOrder, RateReply)] {
        let sorted = orders.sorted(by: RateStatement.precedes)
        var replies: [(RateOrder, RateReply)] = []
        var missing: [RateOrder] = []
        for (order, reply) in zip(sorted, try ask(sorted, makesBuckets: false, connection)) {
            if let reply { replies.append((order, reply)) } else { missing.append(order) }
        }
        guard !missing.isEmpty else { return replies }
        for (order, reply) in zip(missing, try ask(missing, makesBuckets: true, connection)) {
            replies.append((order, reply ?? .lifted))
        }
        return replies
    }

    private func ask(
        _ orders: [RateOrder], makesBuckets: Bool, _ connection: any LedgerConnection
    ) throws(PostgresError) -> [RateReply?] {
        let asked = clock.uptime
        let results = try connection.pipeline(
            RateStatement.transaction(orders, shard: shard, makesBuckets: makesBuckets))
        return try RateStatement.replies(in: results, asked: asked, madeBuckets: makesBuckets)
    }
}
