/// A, G, R, F and the end of a lease.
extension LedgerTables {
    mutating func ensureAccount(
        _ given: StatementParameters
    ) throws(StatementFault) -> [[AnswerValue]] {
        let quota = QuotaName(
            kind: given.int2(3), subject: given.int8(4), resource: given.int2(5),
            period: given.int2(6))
        let start = Int32(given.int8(7))
        guard let limit = quotas[quota] else { return [] }
        let known = accounts.first { $0.value.quota == quota && $0.value.start == start }
        guard let (id, found) = known else {
            try write(Account(quota: quota, start: start, limit: limit, cap: limit), given.int8(2))
            return [[.int8(given.int8(2))]]
        }
        var account = found
        account.limit = limit
        account.cap = max(limit, account.granted)
        try write(account, id)
        return [[.int8(id)]]
    }

    mutating func grow(_ given: StatementParameters) throws(StatementFault) -> [[AnswerValue]] {
        let (id, lease) = (given.int8(2), given.int8(3))
        let (node, epoch) = (given.int8(6), given.uuid(7))
        let isUnchecked = mutation == .growthPastTheLimit
        guard var account = accounts[id],
            account.cap - account.granted >= given.int8(5) || isUnchecked,
            isLive(node, epoch)
        else { return [] }
        account.lastGrant =
            isUnchecked ? given.int8(4) : min(given.int8(4), account.cap - account.granted)
        account.granted += account.lastGrant
        try write(account, id)
        var row = leases[lease] ?? Lease(account: id, node: node, epoch: epoch, granted: 0)
        row.granted += account.lastGrant
        row.rides = row.rides || given.bool(8)
        try write(row, lease)
        return [
            [
                .int8(row.granted), .int8(account.cap - account.granted),
                .int8(account.recallGeneration),
            ]
        ]
    }

    mutating func regrant(
        _ given: StatementParameters
    ) throws(StatementFault) -> [[AnswerValue]] {
        let (id, lease) = (given.int8(2), given.int8(3))
        let held = leases[lease]
        let missing = given.int8(6) - (held.map { $0.granted - $0.settled - $0.reserved } ?? 0)
        guard var account = accounts[id], missing > 0, account.cap > account.granted else {
            return []
        }
        account.lastGrant = min(missing, account.cap - account.granted)
        account.granted += account.lastGrant
        try write(account, id)
        var row =
            held ?? Lease(account: id, node: given.int8(4), epoch: given.uuid(5), granted: 0)
        row.granted += account.lastGrant
        row.rides = true
        try write(row, lease)
        return [[.int8(row.granted)]]
    }

    func status(_ given: StatementParameters) -> [[AnswerValue]] {
        let id = given.int8(2)
        guard let account = accounts[id] else { return [] }
        let held = leases.values.filter { $0.account == id }
        return [
            [
                .int8(account.limit),
                .int8(account.used + held.reduce(0) { $0 + $1.settled }),
                .int8(held.reduce(0) { $0 + $1.reserved }),
                .int8(account.cap - account.granted), .bool(false),
            ]
        ]
    }

    mutating func fold(_ given: StatementParameters) throws(StatementFault) -> [[AnswerValue]] {
        let (id, leaseID) = (given.int8(2), given.int8(3))
        guard var account = accounts[id], var lease = leases[leaseID], lease.account == id else {
            return []
        }
        if mutation != .foldWithoutAccount { account.used += lease.settled }
        lease.granted -= lease.settled
        lease.settled = 0
        try write(lease, leaseID)
        try write(account, id)
        return [[.int8(lease.granted), .int8(account.cap - account.granted)]]
    }

    mutating func giveBack(
        _ given: StatementParameters
    ) throws(StatementFault) -> [[AnswerValue]] {
        let (id, leaseID, units) = (given.int8(2), given.int8(3), given.int8(4))
        guard var account = accounts[id],
            var lease = ownLease(leaseID, given.int8(5), given.uuid(6)), lease.account == id,
            lease.granted == given.int8(7),
            lease.granted - lease.reserved - lease.settled >= units
        else { return [] }
        lease.granted -= units
        account.granted -= units
        account.cap = max(account.limit, account.granted)
        try write(lease, leaseID)
        try write(account, id)
        return [[.int8(lease.granted), .int8(account.cap - account.granted)]]
    }

    mutating func endLease(
        _ given: StatementParameters
    ) throws(StatementFault) -> [[AnswerValue]] {
        let (id, leaseID) = (given.int8(2), given.int8(3))
        guard var account = accounts[id],
            let lease = ownLease(leaseID, given.int8(4), given.uuid(5)), lease.account == id,
            lease.reserved == 0
        else { return [] }
        leases[leaseID] = nil
        account.used += lease.settled
        account.granted -= lease.granted - lease.settled
        account.cap = max(account.limit, account.granted)
        try write(account, id)
        return [[.int8(account.cap - account.granted)]]
    }

    func readLease(_ given: StatementParameters) -> [[AnswerValue]] {
        guard let lease = leases[given.int8(2)], let account = accounts[lease.account] else {
            return []
        }
        return [
            [
                .int8(lease.granted), .int8(account.cap - account.granted),
                .int8(lease.account),
            ]
        ]
    }

    mutating func recall(_ given: StatementParameters) {
        accounts[given.int8(2)]?.recallGeneration += 1
    }

    func recalls(_ given: StatementParameters) -> [[AnswerValue]] {
        let held = Set(
            leases.values.filter { $0.node == given.int8(2) && $0.epoch == given.uuid(3) }
                .map(\.account))
        return held.sorted().compactMap { id in
            accounts[id].map { [.int8(id), .int8($0.recallGeneration), .int8(-1)] }
        }
    }

    func isLive(_ node: Int64, _ epoch: UInt128) -> Bool {
        guard let lane = lanes[node] else { return false }
        return lane.epoch == epoch && lane.isLive
    }
}
