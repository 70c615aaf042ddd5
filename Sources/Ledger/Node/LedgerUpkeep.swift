import Domain
import Logging
import Postgres

/// The node's clockwork: ticks for waits, heartbeats, sweeps of dead lanes, partitions made ahead.
struct LedgerUpkeep: Sendable {
    let settings: LedgerSettings
    let node: Int64
    let clock: LedgerClock
    let pools: LedgerPools
    let logger: Logger
    let shards: @Sendable () -> [ShardLedger]

    /// Ends waits within a tick of their time.
    func runTicks() async {
        await every(settings.tick) { for shard in shards() { shard.tick() } }
    }

    /// Beats all lanes, a shard after the other.
    func runBeats() async {
        await every(settings.heartbeat) { for shard in shards() { await shard.beat() } }
    }

    /// Makes partitions ahead, and sweeps lanes that fell silent or were left behind.
    func runSweeps() async {
        var madePartitions: Uptime?
        await every(settings.sweepEvery) {
            if madePartitions.map({ clock.uptime - $0 > .seconds(3600) }) ?? true {
                await attempt("partitions not made") { () throws(PostgresError) in
                    _ = try await pools.clerks.run { connection throws(PostgresError) in
                        try connection.execute(PartitionStatement.command)
                    }
                    madePartitions = clock.uptime
                }
            }
            await attempt("sweep not done") { () throws(PostgresError) in try await sweepAll() }
        }
    }

    /// One piece of upkeep must not keep the others from being done.
    private func attempt(
        _ complaint: Logger.Message, _ body: () async throws(PostgresError) -> Void
    ) async {
        do {
            try await body()
        } catch {
            guard !Task.isCancelled else { return }
            logger.warning(complaint, metadata: ["error": "\(error)"])
        }
    }

    /// Looks at every shard of the ledger, since a dead node may have been the only one of its
    /// shard.
    private func sweepAll() async throws(PostgresError) {
        let silence = settings.fenceAfter
        let rows = try await pools.clerks.run { connection throws(PostgresError) in
            try connection.execute(LaneStatements.shards)
        }.rows
        for row in rows {
            let shard = try row.int2(0)
            var swept: [(LaneKey, Sweep.Outcome)] = []
            await attempt("shard not swept") { () throws(PostgresError) in
                swept = try await pools.clerks.run { [node] connection throws(PostgresError) in
                    try Self.sweep(shard: shard, by: node, silentFor: silence, connection)
                }
            }
            for (lane, outcome) in swept {
                logger.warning(
                    "a dead node was swept",
                    metadata: [
                        "shard": "\(shard)", "dead_node": "\(lane.node)",
                        "settled_at_bound": "\(outcome.settledRequests)",
                        "leases": "\(outcome.endedLeases)",
                        "leases_kept": "\(outcome.keptLeases)",
                    ])
            }
        }
    }

    private static func sweep(
        shard: Int16, by node: Int64, silentFor silence: Duration,
        _ connection: any LedgerConnection
    ) throws(PostgresError) -> [(LaneKey, Sweep.Outcome)] {
        var swept: [(LaneKey, Sweep.Outcome)] = []
        let abandoned = LaneStatements.abandoned(shard: shard, silentFor: silence)
        for row in try connection.execute(abandoned).rows {
            let lane = LaneKey(shard: shard, node: try row.int8(0), epoch: try row.uuid(1))
            if try row.bool(2) {
                // After a long sleep a node's own lane looks dead to it, until it beats.
                guard lane.node != node else { continue }
                let fence = LaneStatements.fence(lane, silentFor: silence)
                // It beat again meanwhile: alive.
                if try connection.execute(fence).rows.isEmpty { continue }
                Failpoint.pass("sweep.fenced")
            }
            swept.append((lane, try Sweep(lane: lane).run(connection)))
        }
        return swept
    }

    private func every(_ interval: Duration, _ body: () async -> Void) async {
        while !Task.isCancelled {
            await body()
            // Cancelled when the node has drained: the loop's end.
            await clock.wait(interval)
        }
    }
}
