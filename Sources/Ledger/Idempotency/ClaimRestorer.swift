import Domain
import Logging
import Postgres
import Synchronization

/// Sees to it that a failover takes no claim back: remembers what this node claimed, and repeats it
/// on a server that was promoted before anybody claims anything there.
///
/// Only a claim whose node is gone as well can be lost, within what the failover took back.
struct ClaimRestorer: Sendable {
    private let node: Int64
    private let pool: PostgresPool
    private let clock: LedgerClock
    private let silentFor: Duration
    private let logger: Logger
    private let state: Shared

    /// What tasks share.
    private final class Shared: Sendable {
        let memory: Mutex<ClaimMemory>
        /// The shards in which this process claims.
        let begun = Mutex<Set<Shard>>([])

        init(keptFor: Duration) { memory = Mutex(ClaimMemory(keptFor: keptFor)) }
    }

    /// - Parameters:
    ///   - keptFor: how long a claim is remembered.
    ///   - silentFor: after how long a silent node is dead, and is not waited for.
    init(
        node: Int64, pool: PostgresPool, clock: LedgerClock, keptFor: Duration,
        silentFor: Duration, logger: Logger
    ) {
        self.node = node
        self.pool = pool
        self.clock = clock
        self.silentFor = silentFor
        self.logger = logger
        state = Shared(keptFor: keptFor)
    }

    /// Makes the node known as one that claims in a shard, before its first claim there.
    func begin(_ shard: Shard) async throws(PostgresError) {
        if state.begun.withLock({ $0.contains(shard) }) { return }
        _ = try await write(shard)
        state.begun.withLock { _ = $0.insert(shard) }
    }

    /// Claims, if the name is free, and remembers it. Throws ``PostgresError/unconfirmedClaims`` while
    /// the server may lack claims.
    func claim(
        _ claim: IdempotencyClaim, _ connection: PostgresConnection
    ) throws(PostgresError) -> Bool {
        let commands = [
            ClaimTimelineStatements.require(shard: claim.shard.rawValue, silentFor: silentFor),
            IdempotencyStatements.claim(claim, node: node),
        ]
        let rows: [PostgresRow]
        do {
            rows = try connection.pipeline(commands)[1].rows
        } catch {
            throw error.sqlState == "22012" && error.commandIndex == 0 ? .unconfirmedClaims : error
        }
        guard let row = rows.first else { return false }
        let claimedAt = Timestamp(microseconds: try row.timestamp(0))
        state.memory.withLock { $0.note(claim, claimedAt: claimedAt, at: clock.uptime) }
        return true
    }

    /// From here on the node answers for the claim.
    func confirm(_ claim: IdempotencyClaim) {
        state.memory.withLock { $0.confirm(claim.requestID) }
    }

    /// The claim is given back.
    func forget(_ claim: IdempotencyClaim) {
        state.memory.withLock { $0.forget(claim.requestID) }
    }

    /// Writes every confirmed claim of this node in a shard once more, and then that it has.
    func restore(_ shard: Shard) async throws(PostgresError) {
        let count = try await write(shard)
        logger.notice(
            "this node's claims are the promoted ledger's too", metadata: ["claims": "\(count)"])
    }

    /// Does so in every shard whose server was promoted since it last did.
    func restoreMoved() async {
        let (begun, node) = (state.begun.withLock { Array($0) }, node)
        guard !begun.isEmpty else { return }
        do {
            let moved = try await pool.run { connection throws(PostgresError) in
                let looks = begun.map {
                    ClaimTimelineStatements.standing(shard: $0.rawValue, node: node)
                }
                var moved: [Shard] = []
                for (shard, result) in zip(begun, try connection.pipeline(looks))
                where try result.rows.first?.bool(0) != true { moved.append(shard) }
                return moved
            }
            for shard in moved { try await restore(shard) }
        } catch {
            // The next beat tries again; until then claims are refused, which is told there.
            logger.debug("claims were not repeated", metadata: ["error": "\(error)"])
        }
    }

    private func write(_ shard: Shard) async throws(PostgresError) -> Int {
        let (node, state) = (node, state)
        return try await pool.run { connection throws(PostgresError) in
            guard let row = try connection.execute(TimelineStatements.timeline).rows.first else {
                throw PostgresError(kind: .decoding(reason: "the server has no timeline"))
            }
            let timeline = try row.int8(0)
            // Only now: a claim that is confirmed from here on is confirmed by this server.
            let held = state.memory.withLock { $0.confirmed(in: shard) }
            for start in stride(from: 0, to: held.count, by: 256) {
                let some = held[start..<min(start + 256, held.count)]
                _ = try Conflicts.repeating { () throws(PostgresError) in
                    try connection.pipeline(
                        some.map { ClaimTimelineStatements.restore($0, node: node) })
                }
            }
            _ = try Conflicts.repeating { () throws(PostgresError) in
                try connection.execute(
                    ClaimTimelineStatements.mark(
                        shard: shard.rawValue, node: node, timeline: timeline))
            }
            return held.count
        }
    }
}
