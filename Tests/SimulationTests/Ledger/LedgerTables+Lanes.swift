import Domain

/// Lanes, W1 to W3, corrections, and what became of a batch.
extension LedgerTables {
    func readLane(_ given: StatementParameters) -> [[AnswerValue]] {
        guard let lane = lanes[given.int8(2)] else { return [] }
        return [[.uuid(lane.epoch), .int8(lane.lastSequence), .bool(lane.isLive)]]
    }

    mutating func insertLane(_ given: StatementParameters) -> [[AnswerValue]] {
        guard lanes[given.int8(2)] == nil else { return [] }
        lanes[given.int8(2)] = Lane(
            epoch: given.uuid(3), heartbeat: now, timeline: given.int8(4))
        return [[.int8(1)]]
    }

    mutating func renewLane(_ given: StatementParameters) -> [[AnswerValue]] {
        guard let lane = lanes[given.int8(2)], lane.epoch == given.uuid(3), !lane.isLive else {
            return []
        }
        lanes[given.int8(2)] = Lane(
            epoch: given.uuid(4), heartbeat: now, timeline: given.int8(5))
        return [[.int8(1)]]
    }

    mutating func fenceLane(_ given: StatementParameters) -> [[AnswerValue]] {
        guard let lane = lanes[given.int8(2)], lane.epoch == given.uuid(3), lane.isLive,
            lane.heartbeat <= now - given.int8(4)
        else { return [] }
        if mutation != .fenceWithoutEffect { lanes[given.int8(2)]?.isLive = false }
        return [[.int8(1)]]
    }

    mutating func beat(_ given: StatementParameters) -> [[AnswerValue]] {
        guard isLive(given.int8(2), given.uuid(3)) else { return [] }
        lanes[given.int8(2)]?.heartbeat = now
        return [
            [
                .timestamp(now), .int8(Int64(lanes.values.filter(\.isLive).count)),
                .int8(lanes[given.int8(2)]?.lastSequence ?? 0),
            ]
        ]
    }

    func abandoned(_ given: StatementParameters) -> [[AnswerValue]] {
        struct Place: Hashable {
            let node: Int64
            let epoch: UInt128
        }
        let silence = given.int8(2)
        var found: [(place: Place, isLive: Bool)] = []
        for (node, lane) in lanes where lane.isLive && lane.heartbeat <= now - silence {
            found.append((Place(node: node, epoch: lane.epoch), true))
        }
        var places: Set<Place> = []
        for lease in leases.values
        where
            !(lease.rides && lease.reserved == 0 && lease.settled == 0
            && lanes[lease.node]?.isLive != true)
        {
            places.insert(Place(node: lease.node, epoch: lease.epoch))
        }
        for row in reservations.values { places.insert(Place(node: row.node, epoch: row.epoch)) }
        for place in places {
            if let lane = lanes[place.node], lane.epoch == place.epoch,
                lane.isLive || lane.heartbeat > now - silence
            {
                continue
            }
            found.append((place, false))
        }
        return
            found
            .sorted { ($0.place.node, $0.place.epoch) < ($1.place.node, $1.place.epoch) }
            .map { [.int8($0.place.node), .uuid($0.place.epoch), .bool($0.isLive)] }
    }

    mutating func sweep(_ given: StatementParameters) throws(StatementFault) -> [[AnswerValue]] {
        let (node, epoch) = (given.int8(2), given.uuid(3))
        guard !isLive(node, epoch) else { return [[.int8(0), .int8(1)]] }
        let due = reservations.filter { $0.value.node == node && $0.value.epoch == epoch }
            .sorted { $0.key < $1.key }.prefix(500)
        var moves: [Int64: (units: Int64, charge: Int64)] = [:]
        for (request, row) in due {
            reservations[request] = nil
            try insertUsage(
                request, at: row.admittedAt,
                Usage(
                    node: node, key: row.key, model: row.model, prompt: row.prompt,
                    completion: row.completion, charged: row.prompt + row.completion,
                    overage: 0, cost: row.cost, basis: UsageBasis.swept.rawValue,
                    endState: EndState.nodeLost.rawValue, accounts: row.accounts,
                    charges: mutation == .sweepVoids ? row.units.map { _ in 0 } : row.units))
            for (claim, lease) in row.leases.enumerated() {
                moves[lease, default: (0, 0)].units += row.units[claim]
                moves[lease, default: (0, 0)].charge +=
                    mutation == .sweepVoids ? 0 : row.units[claim]
            }
        }
        try settle(moves, of: node, epoch)
        return [[.int8(Int64(due.count)), .int8(1)]]
    }

    func deadLeases(_ given: StatementParameters) -> [[AnswerValue]] {
        let (node, epoch) = (given.int8(2), given.uuid(3))
        guard !isLive(node, epoch) else { return [] }
        // Kept for a node's journal, unless it has presented that and lives again.
        let keeps = lanes[node]?.isLive != true && mutation != .reclaimAtOnce
        return leases.filter { $0.value.node == node && $0.value.epoch == epoch }
            .sorted { $0.key < $1.key }
            .map { [.int8($0.value.account), .int8($0.key), .bool($0.value.rides && keeps)] }
    }

    func heldLeases(_ given: StatementParameters) -> [[AnswerValue]] {
        leases.filter { $0.value.node == given.int8(2) && !isLive($0.value.node, $0.value.epoch) }
            .sorted { $0.key < $1.key }
            .map { [.int8($0.value.account), .int8($0.key), .uuid($0.value.epoch)] }
    }

    /// D.
    mutating func recordLate(
        _ given: StatementParameters
    ) throws(StatementFault) -> [[AnswerValue]] {
        let (node, ids, keys) = (given.int8(2), given.uuids(3), given.int8s(4))
        let (models, prompts, completions) = (given.int4s(5), given.int8s(8), given.int8s(11))
        let (charged, overages, costs) = (given.int8s(13), given.int8s(14), given.int8s(15))
        let (bases, endStates, instants) = (given.int2s(16), given.int2s(17), given.int8s(20))
        let (first, last, leaseIDs) = (given.int4s(21), given.int4s(22), given.int8s(23))
        let (accountIDs, charges) = (given.int8s(24), given.int8s(25))
        var recorded: [UInt128] = []
        var lacksLease = false
        var moves: [Int64: Int64] = [:]
        for index in ids.indices {
            let name = UsageName(day: Self.day(of: instants[index]), request: ids[index])
            let held = slice(first[index], last[index]).filter {
                leases[leaseIDs[$0]]?.node == node
            }
            lacksLease = lacksLease || held.count < Int(last[index] - first[index] + 1)
            guard usage[name] == nil || mutation == .lateRecordTwice else { continue }
            try insertUsage(
                ids[index], at: instants[index],
                Usage(
                    node: node, key: keys[index], model: models[index], prompt: prompts[index],
                    completion: completions[index], charged: charged[index],
                    overage: overages[index], cost: costs[index], basis: bases[index],
                    endState: endStates[index], accounts: held.map { accountIDs[$0] },
                    charges: held.map { charges[$0] }))
            recorded.append(ids[index])
            for place in held { moves[leaseIDs[place], default: 0] += charges[place] }
        }
        for (id, charge) in moves {
            guard var lease = leases[id] else { throw .divisionByZero }
            lease.settled += charge
            try write(lease, id)
        }
        if given.bool(27), lacksLease { throw .divisionByZero }
        return [[.uuids(recorded), .int8(1)]]
    }

    mutating func correct(_ given: StatementParameters) throws(StatementFault) -> [[AnswerValue]] {
        let (id, amount) = (given.int8(4), given.int8(5))
        let name = UsageName(day: Int32(given.int8(2)), request: given.uuid(3))
        guard let row = usage[name], row.basis == UsageBasis.swept.rawValue,
            let place = row.accounts.firstIndex(of: id), amount <= row.charges[place]
        else { return [] }
        let correction = CorrectionName(usage: name, account: id)
        guard corrections[correction] == nil else { return [] }
        let difference = amount - row.charges[place]
        corrections[correction] = difference
        guard var account = accounts[id] else { return [] }
        account.used += difference
        account.granted += difference
        account.cap = max(account.limit, account.granted)
        try write(account, id)
        return [[.int8(account.used)]]
    }

    /// Which of a batch's requests are open, and which settled.
    func known(_ given: StatementParameters) -> [[AnswerValue]] {
        let days = Int32(given.int8(3))...Int32(given.int8(4))
        var rows: [[AnswerValue]] = []
        for request in given.uuids(2) {
            if reservations[request] != nil { rows.append([.uuid(request), .bool(false)]) }
            for day in days where usage[UsageName(day: day, request: request)] != nil {
                rows.append([.uuid(request), .bool(true)])
            }
        }
        return rows
    }
}
