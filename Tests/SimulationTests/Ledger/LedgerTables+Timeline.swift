import Domain

/// What a promoted ledger does before it grants again.
extension LedgerTables {
    func standing(_ given: StatementParameters) -> [[AnswerValue]] {
        guard isLive(given.int8(2), given.uuid(3)), let lane = lanes[given.int8(2)] else {
            return []
        }
        return [[.int8(lane.lastSequence), .int8(timeline), .bool(lane.timeline == timeline)]]
    }

    func requireConfirmed(
        _ given: StatementParameters
    ) throws(StatementFault) -> [[AnswerValue]] {
        let isWanting = lanes.contains { node, lane in
            node != given.int8(2) && lane.timeline.map { $0 != timeline } ?? false
                && lane.heartbeat > now - given.int8(3)
        }
        if isWanting, mutation != .grantsUnconfirmed { throw .divisionByZero }
        return [[.int8(1)]]
    }

    mutating func confirmLane(_ given: StatementParameters) -> [[AnswerValue]] {
        guard isLive(given.int8(2), given.uuid(3)) else { return [] }
        lanes[given.int8(2)]?.timeline = given.int8(4)
        return [[.int8(1)]]
    }

    mutating func releaseLane(_ given: StatementParameters) -> [[AnswerValue]] {
        guard isFenced(given.int8(2), given.uuid(3)) else { return [] }
        lanes[given.int8(2)]?.timeline = nil
        return [[.int8(1)]]
    }

    mutating func presentLane(_ given: StatementParameters) -> [[AnswerValue]] {
        guard isFenced(given.int8(2), given.uuid(3)) else { return [] }
        lanes[given.int8(2)]?.heartbeat = now
        return [[.int8(1)]]
    }

    func laneLeases(_ given: StatementParameters) -> [[AnswerValue]] {
        leases.filter { $0.value.node == given.int8(2) && $0.value.epoch == given.uuid(3) }
            .map { [.int8($0.key), .int8($0.value.granted)] }
    }

    private func isFenced(_ node: Int64, _ epoch: UInt128) -> Bool {
        guard let lane = lanes[node] else { return false }
        return lane.epoch == epoch && !lane.isLive
    }
}
