import Domain

/// S1, S2, S3: what a lane's batch does.
extension LedgerTables {
    mutating func fenceBatch(_ given: StatementParameters) throws(StatementFault) {
        let node = given.int8(2)
        let skips = mutation == .batchWithoutFence
        guard var lane = lanes[node],
            lane.epoch == given.uuid(3) || skips || mutation == .batchOfAnyEpoch,
            lane.lastSequence == given.int8(4) - 1 || skips || mutation == .batchTwice
                || mutation == .batchOfAnyEpoch,
            lane.isLive || skips || mutation == .batchOfFencedLane || mutation == .batchOfAnyEpoch
        else { throw .divisionByZero }
        lane.lastSequence = given.int8(4)
        lane.heartbeat = now
        lanes[node] = lane
    }

    mutating func open(
        _ given: StatementParameters
    ) throws(StatementFault) -> [[AnswerValue]] {
        let (node, epoch) = (given.int8(2), given.uuid(3))
        let (ids, keys) = (given.uuids(4), given.int8s(5))
        let (first, last) = (given.int4s(13), given.int4s(14))
        let (leaseIDs, accountIDs, units) = (given.int8s(15), given.int8s(16), given.int8s(17))
        let (models, prompts, completions) = (given.int4s(6), given.int8s(9), given.int8s(10))
        let (costs, instants) = (given.int8s(11), given.int8s(12))
        let rode = given.bools(19)
        var accepted: [UInt128] = []
        var reserved: [Int64: Int64] = [:]
        for index in ids.indices where rode[index] || self.keys[keys[index]] == true {
            let claims = slice(first[index], last[index])
            guard prompts[index] > 0 else { throw .check("reservation_prompt_bound_check") }
            guard completions[index] > 0 else {
                throw .check("reservation_completion_bound_check")
            }
            guard reservations[ids[index]] == nil else { throw .unique("reservation_pkey") }
            reservations[ids[index]] = Reservation(
                node: node, epoch: epoch, key: keys[index], model: models[index],
                prompt: prompts[index], completion: completions[index], cost: costs[index],
                leases: Array(leaseIDs[claims]), accounts: Array(accountIDs[claims]),
                units: Array(units[claims]), admittedAt: instants[index])
            accepted.append(ids[index])
            for claim in mutation == .teamLeaseForgotten ? claims.prefix(1) : claims {
                reserved[leaseIDs[claim], default: 0] += units[claim]
            }
        }
        for (id, units) in reserved {
            guard var lease = ownLease(id, node, epoch) else { throw .divisionByZero }
            lease.reserved += units
            try write(lease, id)
        }
        return [[.uuids(accepted), .int8(1)]]
    }

    mutating func close(
        _ given: StatementParameters
    ) throws(StatementFault) -> [[AnswerValue]] {
        let (node, epoch, ids) = (given.int8(2), given.uuid(3), given.uuids(4))
        let (prompts, completions, charged) = (given.int8s(5), given.int8s(8), given.int8s(10))
        let (overages, costs) = (given.int8s(11), given.int8s(12))
        let (bases, endStates) = (given.int2s(13), given.int2s(14))
        let (first, last, charges) = (given.int4s(17), given.int4s(18), given.int8s(19))
        var settled: [UInt128] = []
        var moves: [Int64: (units: Int64, charge: Int64)] = [:]
        for index in ids.indices {
            guard let row = reservations[ids[index]], row.node == node, row.epoch == epoch else {
                continue
            }
            if mutation != .settlementKeepsReservation { reservations[ids[index]] = nil }
            let parts = Array(charges[slice(first[index], last[index])])
            // Its division by zero, in one: a row of the rollup that is not there.
            guard hours[Self.hour(of: row)] != nil else { throw .divisionByZero }
            try insertUsage(
                ids[index], at: row.admittedAt,
                Usage(
                    node: node, key: row.key, model: row.model, prompt: prompts[index],
                    completion: completions[index], charged: charged[index],
                    overage: overages[index], cost: costs[index], basis: bases[index],
                    endState: endStates[index], accounts: row.accounts, charges: parts))
            settled.append(ids[index])
            for (claim, lease) in row.leases.enumerated() {
                moves[lease, default: (0, 0)].units += row.units[claim]
                moves[lease, default: (0, 0)].charge += parts[claim]
            }
        }
        try settle(moves, of: node, epoch)
        return [[.uuids(settled), .int8(1)]]
    }

    /// The rows of the rollup in which a batch's closings will be counted.
    mutating func makeHours(_ given: StatementParameters) {
        let (node, epoch) = (given.int8(2), given.uuid(3))
        for id in given.uuids(4) {
            guard let row = reservations[id], row.node == node, row.epoch == epoch else { continue }
            let hour = Self.hour(of: row)
            if hours[hour] == nil { hours[hour] = Hour() }
        }
    }

    private static func hour(of row: Reservation) -> HourName {
        HourName(
            hour: startOfHour(row.admittedAt), key: row.key, model: row.model, node: row.node)
    }

    private static func startOfHour(_ instant: Int64) -> Int64 {
        instant - ((instant % 3_600_000_000) + 3_600_000_000) % 3_600_000_000
    }

    /// A usage row and its part of the rollup.
    mutating func insertUsage(
        _ request: UInt128, at admittedAt: Int64, _ row: Usage
    ) throws(StatementFault) {
        let name = UsageName(day: Self.day(of: admittedAt), request: request)
        guard usage[name] == nil || mutation == .lateRecordTwice else {
            throw .unique("usage_pkey")
        }
        usage[name] = row
        let isVoid = row.basis == UsageBasis.void.rawValue
        let key = HourName(
            hour: Self.startOfHour(admittedAt), key: row.key, model: row.model, node: row.node)
        var sums = hours[key] ?? Hour()
        if mutation == .sweepWithoutRollup, row.basis == UsageBasis.swept.rawValue { return }
        if isVoid { sums.failedRequests += 1 } else { sums.requests += 1 }
        sums.prompt += row.prompt
        sums.completion += row.completion
        sums.charged += row.charged
        sums.cost += row.cost
        hours[key] = sums
    }

    /// Moves reserved units of leases to settled ones.
    mutating func settle(
        _ moves: [Int64: (units: Int64, charge: Int64)], of node: Int64, _ epoch: UInt128
    ) throws(StatementFault) {
        for (id, move) in moves {
            guard var lease = ownLease(id, node, epoch) else { throw .divisionByZero }
            lease.reserved -= move.units
            lease.settled += move.charge
            try write(lease, id)
        }
    }

    func ownLease(_ id: Int64, _ node: Int64, _ epoch: UInt128) -> Lease? {
        guard let lease = leases[id], lease.node == node,
            lease.epoch == epoch || mutation == .batchOfAnyEpoch
        else { return nil }
        return lease
    }

    /// SQL's slice from 1, both ends included.
    func slice(_ first: Int32, _ last: Int32) -> Range<Int> {
        Int(first - 1)..<Int(last)
    }
}
