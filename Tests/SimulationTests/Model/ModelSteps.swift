/// What the ledger of the model does: the statements, each in one step.
extension ModelLedger {
    /// Throws unless the invariants of the design hold; `writtenOff` are units that an operator
    /// charged to nobody.
    func check(_ options: ModelOptions, writtenOff: Int) throws(ModelViolation) {
        guard granted <= ModelOptions.limit else {
            throw ModelViolation(text: "I1: granted \(granted) > limit")
        }
        var (inLeases, settled, charged) = (0, 0, writtenOff)
        for node in 0..<options.nodes where hasLease(node) {
            let lease = lease(node)
            inLeases += lease.granted
            settled += lease.settled
        }
        guard used + inLeases == granted else { throw ModelViolation(text: "identity granted") }
        for node in 0..<options.nodes where hasLease(node) {
            let lease = lease(node)
            guard lease.reserved + lease.settled <= lease.granted else {
                throw ModelViolation(text: "I1: lease overrun")
            }
        }
        for node in 0..<options.nodes {
            var reserved = 0
            for number in 0..<options.requests {
                let request = Self.request(node, number)
                charged += (usage(request) ?? 0) + (correction(request) ?? 0)
                if isOpen(request) { reserved += ModelOptions.bound }
            }
            if hasLease(node), lease(node).reserved != reserved {
                throw ModelViolation(text: "I4: reserved counter != open reservations")
            }
        }
        guard used + settled == charged else {
            throw ModelViolation(text: "I4: ledger total != usage sum")
        }
        for request in 0..<(options.nodes * 2) where isOpen(request) && usage(request) != nil {
            throw ModelViolation(text: "I2: open and settled")
        }
    }

    /// One journal record at the ledger; a recovery also corrects what was swept.
    mutating func apply(_ record: ModelNode.Record, of node: Int, recovers: Bool) {
        let request = Self.request(node, record.number)
        if record.isClose {
            close(request, of: node, charging: record.units, recovers: recovers)
            return
        }
        guard !isOpen(request), usage(request) == nil else { return }
        var lease = hasLease(node) ? lease(node) : Lease()
        let missing = lease.reserved + lease.settled + record.units - lease.granted
        if missing > 0 {
            // The lease is gone: late usage must be booked all the same, and may break I1.
            granted += missing
            lease.granted += missing
        }
        lease.reserved += record.units
        setLease(node, lease)
        setOpen(request, true)
    }

    private mutating func close(
        _ request: Int, of node: Int, charging units: Int, recovers: Bool
    ) {
        if isOpen(request) {
            setOpen(request, false)
            var lease = lease(node)
            lease.reserved -= ModelOptions.bound
            lease.settled += units
            setLease(node, lease)
            setUsage(request, units)
        } else if recovers, let charged = usage(request), charged != units,
            correction(request) == nil
        {
            setCorrection(request, units - charged)
            used += units - charged
            granted += units - charged
        }
    }

    /// Settled units of a lease become the account's; the rest is released or held.
    mutating func fold(_ node: Int, releasing: Bool) throws(ModelViolation) {
        guard hasLease(node) else { return }
        let old = lease(node)
        guard old.reserved == 0 else {
            throw ModelViolation(text: "orphan reservation left behind a fence")
        }
        used += old.settled
        if releasing {
            granted -= old.granted - old.settled
            setLease(node, nil)
        } else {
            setLease(node, Lease(granted: old.granted - old.settled))
        }
    }

    /// Fences a node and settles what it left open.
    mutating func sweep(_ node: Int, _ options: ModelOptions) throws(ModelViolation) {
        setLive(node, false)
        for number in 0..<options.requests {
            let request = Self.request(node, number)
            guard isOpen(request) else { continue }
            setOpen(request, false)
            var lease = lease(node)
            lease.reserved -= ModelOptions.bound
            if options.expiryCharges { lease.settled += ModelOptions.bound }
            setLease(node, lease)
            setUsage(request, options.expiryCharges ? ModelOptions.bound : 0)
        }
        try fold(node, releasing: !options.reclaimsOnConfirmation)
    }

    /// A node is back on its disk: its journal is replayed, everything it opened is closed, its
    /// lease ends, a new epoch begins. One synchronous transaction.
    mutating func recover(_ node: Int, _ state: ModelNode) throws(ModelViolation) {
        guard epoch(node) == state.epoch else { throw ModelViolation(text: "epoch reuse") }
        let length = state.journalLength
        let first = sequence(node)
        if first < length {
            for index in first..<length { apply(state.record(index), of: node, recovers: true) }
        }
        for index in 0..<length {
            let record = state.record(index)
            guard !record.isClose else { continue }
            var units = state.progress(record.number)
            for later in 0..<length {
                let other = state.record(later)
                if other.isClose, other.number == record.number { units = other.units }
            }
            close(
                Self.request(node, record.number), of: node, charging: units, recovers: true)
        }
        try fold(node, releasing: true)
        setEpoch(node, state.epoch + 1)
        setLive(node, true)
        setSequence(node, 0)
    }

    /// An operator gives a lost node up: what its lease held is charged to nobody. Returns how
    /// much.
    mutating func writeOff(_ node: Int) throws(ModelViolation) -> Int {
        guard hasLease(node) else { return 0 }
        var lease = lease(node)
        let units = lease.granted - lease.reserved - lease.settled
        lease.settled = lease.granted - lease.reserved
        setLease(node, lease)
        try fold(node, releasing: true)
        return units
    }
}
