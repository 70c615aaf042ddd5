import Domain
import Postgres

/// The nodes that the ledger knows, and the end of what is kept for one that will never return.
///
/// A node that dies may have served requests in an outage, which only its journal knows: the sweep
/// keeps what was free of its riding leases for it. An operator who knows the disk to be lost
/// writes the node off.
public struct NodeStore {
    /// After how long without a beat a node is called silent; gateways fence it then.
    public static let silentAfter: Duration = .seconds(15)
    /// A node that beat later than this is never written off: cut off from the ledger, it may go on
    /// within its leases for 60 seconds after its last beat, and its clock may run a little slow.
    public static let leastSilence: Duration = .seconds(90)

    private let connection: PostgresConnection
    private let recorder: ActionRecorder

    /// Works over `connection`, which belongs to the caller and its thread.
    init(_ connection: PostgresConnection, _ recorder: ActionRecorder) {
        self.connection = connection
        self.recorder = recorder
    }

    /// Every node that ever had a lane, the last heard of first. Each shard is a snapshot of its
    /// own.
    public func list() throws(LedgerError) -> [NodeStatus] {
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            var lanes: [Int64: [Lane]] = [:]
            for row in try connection.execute(LaneStatements.shards).rows {
                let shard = Shard(rawValue: try row.int2(0))
                for row in try connection.execute(NodeStatements.lanes(shard.rawValue)).rows {
                    lanes[try row.int8(0), default: []].append(try Lane(row, shard))
                }
            }
            return lanes.map(Self.status).sorted {
                ($1.lastBeat, $0.node) < ($0.lastBeat, $1.node)
            }
        }
    }

    /// Gives everything that is held for a dead node back to the accounts: its open requests are
    /// settled at their bound, its leases end. Should its journal return, what the ledger has not
    /// seen of it is recorded without a charge.
    ///
    /// Each lease is a transaction of its own; repeating a call that broke off goes on where it
    /// stopped, and a further one changes nothing. Throws `missing` for a node without a lane.
    public func writeOff(_ node: Int64) throws(LedgerError) -> WriteOff {
        guard let status = try list().first(where: { $0.node == node }) else {
            throw .missing(what: "node", name: String(node))
        }
        guard status.silence >= Self.leastSilence else {
            return .mayBeAlive(silence: status.silence)
        }
        // Nothing is held: nothing is done, and there is nothing to record.
        guard status.leases > 0 || status.openRequests > 0 else { return .done(.init()) }
        try record(status, nil)
        var returned = WriteOff.Returned()
        for shard in status.shards {
            let isDead = try DirectoryTransaction.run(on: connection) {
                connection throws(PostgresError) in
                try Self.writeOff(node, shard.rawValue, connection, &returned)
            }
            // It came back since it was looked at.
            guard isDead else {
                try record(status, (returned, "stopped"))
                return .mayBeAlive(silence: .zero)
            }
        }
        try record(status, (returned, "finished"))
        return .done(returned)
    }

    /// Records a write-off before its first step and after its last: a beginning without an end was
    /// cut off half-way.
    private func record(
        _ status: NodeStatus, _ end: (returned: WriteOff.Returned, stage: String)?
    ) throws(LedgerError) {
        let held = ActionState([
            ("stage", .text("begun")), ("open_requests", .number(status.openRequests)),
            ("leases", .number(status.leases)),
        ])
        let after = end.map { end in
            ActionState(
                [
                    ("stage", .text(end.stage)),
                    ("swept_requests", .number(end.returned.sweptRequests)),
                    ("ended_leases", .number(end.returned.leases)),
                ]
                    + Resource.allCases.map { resource in
                        (
                            "returned_\(resource == .cost ? "cost_nanousd" : resource.name)",
                            end.returned.units[resource].map(ActionState.Value.number)
                        )
                    })
        }
        try DirectoryTransaction.run(on: connection) { connection throws(PostgresError) in
            try recorder.write(
                .nodeWriteOff,
                ActionSubject(kind: .node, id: status.node, name: String(status.node)),
                before: end == nil ? nil : held, after: after ?? held, connection)
        }
    }

    /// Writes a node off in one shard; false when it lives there.
    private static func writeOff(
        _ node: Int64, _ shard: Int16, _ connection: PostgresConnection,
        _ returned: inout WriteOff.Returned
    ) throws(PostgresError) -> Bool {
        guard let row = try LaneStart.read(connection, shard: shard, node: node) else {
            return true
        }
        let last = LaneKey(shard: shard, node: node, epoch: row.epoch)
        if row.isLive {
            // Dead without another node that would have found out. Its batches and beats lock the
            // same row, so of a return at this moment and the fence, one sees the other.
            let fence = LaneStatements.fence(last, silentFor: leastSilence)
            let fenced = try Conflicts.repeating { () throws(PostgresError) in
                try connection.execute(fence).rows
            }
            if fenced.isEmpty { return false }
        }
        for lane in Set(try held(node, shard, connection).map(\.lane) + [last]) {
            returned.sweptRequests += try Sweep(lane: lane).settleRequests(connection)
        }
        for lease in try held(node, shard, connection) {
            let end = ReturnStatement.end(lease.lane, account: lease.account, lease: lease.id)
            let ended = try Conflicts.repeating { () throws(PostgresError) in
                try connection.execute(end).rows
            }
            if ended.isEmpty { continue }
            returned.leases += 1
            if lease.free > 0 { returned.units[lease.resource, default: 0] += lease.free }
        }
        return true
    }

    private struct Held {
        let lane: LaneKey
        let account: AccountID
        let id: LeaseID
        let resource: Resource
        let free: Int64
    }

    private static func held(
        _ node: Int64, _ shard: Int16, _ connection: PostgresConnection
    ) throws(PostgresError) -> [Held] {
        try connection.execute(NodeStatements.held(shard, node)).rows.map {
            row throws(PostgresError) in
            guard let resource = Resource(rawValue: try row.int2(3)) else {
                throw PostgresError(kind: .decoding(reason: "an account has an unknown resource"))
            }
            return Held(
                lane: LaneKey(shard: shard, node: node, epoch: try row.uuid(2)),
                account: AccountID(rawValue: try row.int8(0)),
                id: LeaseID(rawValue: try row.int8(1)), resource: resource, free: try row.int8(4))
        }
    }

    /// What the ledger says of a node in one shard.
    private struct Lane {
        let shard: Shard
        let isLive: Bool
        let beat: Timestamp
        let silence: Duration
        let openRequests: Int64
        let leases: Int64
        let leased: [Int64]

        init(_ row: PostgresRow, _ shard: Shard) throws(PostgresError) {
            self.shard = shard
            isLive = try row.bool(1)
            beat = Timestamp(microseconds: try row.timestamp(2))
            // A beat that came while the snapshot was taken is not of the future.
            silence = max(.zero, Timestamp(microseconds: try row.timestamp(3)) - beat)
            openRequests = try row.int8(4)
            leases = try row.int8(5)
            leased = [try row.int8(6), try row.int8(7), try row.int8(8)]
        }
    }

    private static func status(_ node: Int64, _ lanes: [Lane]) -> NodeStatus {
        let silence = lanes.map(\.silence).min() ?? .zero
        let isFenced = lanes.allSatisfy { !$0.isLive }
        var leased: [Resource: Int64] = [:]
        for (index, resource) in Resource.allCases.enumerated() {
            let units = lanes.reduce(0) { $0 + $1.leased[index] }
            if units > 0 { leased[resource] = units }
        }
        return NodeStatus(
            node: node, shards: lanes.map(\.shard),
            state: isFenced ? .fenced : silence < silentAfter ? .live : .silent,
            lastBeat: lanes.map(\.beat).max() ?? Timestamp(microseconds: 0), silence: silence,
            openRequests: lanes.reduce(0) { $0 + $1.openRequests },
            leases: lanes.reduce(0) { $0 + $1.leases }, leased: leased)
    }
}

extension DirectoryStore {
    /// The nodes, over the same connection.
    public var nodes: NodeStore { NodeStore(connection, recorder) }
}
