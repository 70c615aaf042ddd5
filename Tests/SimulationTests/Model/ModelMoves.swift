/// One step of the model, named as in a trace.
struct ModelMove: Sendable, CustomStringConvertible {
    enum Kind: String {
        case grow, growlost, admit, applyOpen, applyClose, ack, selfrecover, firstbyte, byte
        case close, done, kill, diskloss, restart, sweep, failover
    }

    let kind: Kind
    /// The node, the request, or how many commits a failover lost.
    let subject: Int

    var description: String { "\(kind.rawValue)\(subject)" }
}

/// Every step that can come next, in a fixed order: the search is breadth first, so the order
/// decides which of several shortest traces is found.
struct ModelMoves {
    let options: ModelOptions
    let state: ModelState
    private(set) var next: [(move: ModelMove, state: ModelState)] = []

    init(_ state: ModelState, _ options: ModelOptions) throws(ModelViolation) {
        self.state = state
        self.options = options
        next.reserveCapacity(16)
        for node in 0..<options.nodes { try addMoves(of: node) }
        guard state[.failover] > 0 else { return }
        for index in 0..<state.olderCount {
            var after = state
            after.failOver(to: index)
            after[.failover] -= 1
            add(.failover, state.olderCount - index, after)
        }
    }

    private mutating func add(_ kind: ModelMove.Kind, _ subject: Int, _ state: ModelState) {
        next.append((ModelMove(kind: kind, subject: subject), state))
    }

    private mutating func addMoves(of node: Int) throws(ModelViolation) {
        let ledger = state.ledger
        switch state[node].status {
        case .up:
            addLeases(of: node)
            let isCurrent = ledger.isLive(node) && ledger.epoch(node) == state[node].epoch
            if isCurrent || !options.checksEpoch {
                addBatches(of: node)
            } else {
                try addRecovery(.selfrecover, of: node)
            }
            for number in 0..<options.requests { addRequest(number, of: node) }
            addStops(of: node)
        case .down: try addRecovery(.restart, of: node)
        case .retired: break
        }
        guard state[.sweep] > 0, ledger.isLive(node) else { return }
        var after = state
        var swept = ledger
        try swept.sweep(node, options)
        after.commit(swept, synchronous: true)
        after[.sweep] -= 1
        add(.sweep, node, after)
    }

    private mutating func addLeases(of node: Int) {
        let (ledger, gateway) = (state.ledger, state[node])
        if ledger.isLive(node), ledger.epoch(node) == gateway.epoch,
            ledger.granted + ModelOptions.bound <= ModelOptions.limit, gateway.free == 0,
            gateway.admitted < options.requests
        {
            var grown = ledger
            var lease = ledger.hasLease(node) ? ledger.lease(node) : ModelLedger.Lease()
            lease.granted += ModelOptions.bound
            grown.setLease(node, lease)
            grown.granted += ModelOptions.bound
            var after = state
            after.commit(grown, synchronous: true)
            var unheard = after
            after[node].free += ModelOptions.bound
            add(.grow, node, after)
            if state[.lostGrant] > 0 {
                unheard[.lostGrant] -= 1
                add(.growlost, node, unheard)
            }
        }
        if gateway.free >= ModelOptions.bound, gateway.admitted < options.requests {
            let number = gateway.admitted
            var after = state
            after[node].setPhase(number, .admitted)
            after[node].setOpening(number, gateway.journalLength)
            after[node].append(
                ModelNode.Record(isClose: false, number: number, units: ModelOptions.bound))
            after[node].free -= ModelOptions.bound
            after[node].admitted += 1
            add(.admit, node * 10 + number, after)
        }
    }

    /// The lane takes the next journal record, or its answer arrives.
    private mutating func addBatches(of node: Int) {
        let (ledger, gateway) = (state.ledger, state[node])
        let index = ledger.sequence(node)
        if index < gateway.journalLength {
            let record = gateway.record(index)
            var applied = ledger
            applied.apply(record, of: node, recovers: false)
            applied.setSequence(node, index + 1)
            var after = state
            let isSafe =
                options.isSynchronous && !(options.closesAsynchronously && record.isClose)
            after.commit(
                applied,
                synchronous: isSafe || (options.isSynchronous && !options.closesAsynchronously))
            add(record.isClose ? .applyClose : .applyOpen, node * 10 + record.number, after)
        }
        if index != gateway.acknowledged {
            var after = state
            after[node].acknowledged = index
            add(.ack, node, after)
        }
    }

    private mutating func addRecovery(
        _ kind: ModelMove.Kind, of node: Int
    ) throws(ModelViolation) {
        var recovered = state.ledger
        try recovered.recover(node, state[node])
        var after = state
        after.commit(recovered, synchronous: true)
        after[node].restart()
        add(kind, node, after)
    }

    private mutating func addRequest(_ number: Int, of node: Int) {
        let gateway = state[node]
        let request = ModelLedger.request(node, number)
        let name = node * 10 + number
        var after = state
        switch gateway.phase(number) {
        case .none: break
        case .admitted:
            guard
                gateway.acknowledged > gateway.opening(number) || options.rides
                    || !options.hasGates
            else { return }
            after[node].setPhase(number, .streaming)
            after[node].setProgress(number, 1)
            after.setDelivered(request, 1)
            add(.firstbyte, name, after)
        case .streaming:
            let progress = gateway.progress(number)
            if progress < ModelOptions.bound {
                var more = state
                more[node].setProgress(number, progress + 1)
                more.setDelivered(request, progress + 1)
                add(.byte, name, more)
            }
            after[node].setPhase(number, .finished)
            after[node].setClose(number, gateway.journalLength)
            after[node].append(ModelNode.Record(isClose: true, number: number, units: progress))
            add(.close, name, after)
        case .finished:
            guard
                gateway.acknowledged > gateway.close(number) || options.rides
                    || options.releasesEndEarly || !options.hasGates
            else { return }
            after[node].free += ModelOptions.bound - gateway.progress(number)
            after[node].setPhase(number, .none)
            after.setSawEnd(request)
            add(.done, name, after)
        }
    }

    private mutating func addStops(of node: Int) {
        if state[.kill] > 0 {
            var after = state
            after[node].stop(keepingDisk: true)
            after[.kill] -= 1
            add(.kill, node, after)
        }
        if state[.diskLoss] > 0 {
            var after = state
            after[node].stop(keepingDisk: false)
            after[.diskLoss] -= 1
            add(.diskloss, node, after)
        }
    }
}
