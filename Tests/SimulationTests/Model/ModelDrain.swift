extension ModelState {
    /// Throws unless the books can be brought in order from here: every node that still has its
    /// disk recovers, every other one is swept and written off, and then what is charged must be
    /// what was delivered.
    func drain(_ options: ModelOptions) throws(ModelViolation) {
        var ledger = ledger
        var writtenOff = 0
        try ledger.check(options, writtenOff: 0)
        for node in 0..<options.nodes {
            if self[node].status == .retired {
                if ledger.isLive(node) {
                    try ledger.sweep(node, options)
                    try ledger.check(options, writtenOff: writtenOff)
                }
                writtenOff += try ledger.writeOff(node)
            } else {
                try ledger.recover(node, self[node])
            }
            try ledger.check(options, writtenOff: writtenOff)
        }
        var lost = 0
        for node in 0..<options.nodes {
            for number in 0..<options.requests {
                lost += try settled(
                    ModelLedger.request(node, number), of: node, in: ledger)
            }
        }
        guard lost <= writtenOff else {
            throw ModelViolation(
                text: "lost usage: \(lost) delivered, write-off \(writtenOff)")
        }
        for request in 0..<(options.nodes * 2) where ledger.isOpen(request) {
            throw ModelViolation(text: "open reservation after drain")
        }
    }

    /// Throws unless a request's charge matches what its client got. Returns units that were
    /// delivered and that only a write-off can cover.
    private func settled(
        _ request: Int, of node: Int, in ledger: ModelLedger
    ) throws(ModelViolation) -> Int {
        let delivered = delivered(request)
        guard delivered > 0 else { return 0 }
        let isRetired = self[node].status == .retired
        let name = "rid=\(node * 10 + request % 2)"
        guard let charged = ledger.usage(request) else {
            if isRetired { return delivered }
            throw ModelViolation(text: "I2: delivered but never settled \(name)")
        }
        let total = charged + (ledger.correction(request) ?? 0)
        if isRetired {
            guard total >= delivered else {
                throw ModelViolation(
                    text: "lost usage (disk lost) \(name) \(total)<\(delivered)")
            }
            guard !sawEnd(request) || total == delivered else {
                throw ModelViolation(text: "I3: finished but inexact \(name)")
            }
        } else if total != delivered {
            throw ModelViolation(
                text: "inexact usage \(name) charged \(total) delivered \(delivered)")
        }
        return 0
    }
}
