/// Everything of the model at one moment: ledger, what a failover could bring back, nodes, what
/// clients got, and the faults that may still come.
struct ModelState: Hashable, Sendable {
    var ledger: ModelLedger
    /// Earlier ledgers since the last commit that is on the standby, oldest first.
    private var older: (ModelLedger, ModelLedger, ModelLedger)
    private var nodes: (ModelNode, ModelNode, ModelNode)
    /// Per request what its client has (two bits) and whether it saw the end (one); from bit 18 the
    /// number of older ledgers; from bit 20 the faults left.
    private var outside: UInt64 = 0

    init(_ options: ModelOptions) {
        ledger = ModelLedger(nodes: options.nodes)
        older = (ledger, ledger, ledger)
        nodes = (ModelNode(), ModelNode(), ModelNode())
        self[.kill] = options.kills
        self[.sweep] = options.sweeps
        self[.failover] = options.failovers
        self[.diskLoss] = options.diskLosses
        self[.lostGrant] = options.lostGrants
    }

    /// A fault that may come a limited number of times.
    enum Fault: Int { case kill, sweep, failover, diskLoss, lostGrant }

    subscript(_ fault: Fault) -> Int {
        get { bits(20 + fault.rawValue * 3, 3) }
        set { put(20 + fault.rawValue * 3, 3, newValue) }
    }

    subscript(_ node: Int) -> ModelNode {
        get { node == 0 ? nodes.0 : node == 1 ? nodes.1 : nodes.2 }
        set {
            switch node {
            case 0: nodes.0 = newValue
            case 1: nodes.1 = newValue
            default: nodes.2 = newValue
            }
        }
    }

    // MARK: Clients

    func delivered(_ request: Int) -> Int { bits(request * 3, 2) }
    mutating func setDelivered(_ request: Int, _ units: Int) { put(request * 3, 2, units) }
    func sawEnd(_ request: Int) -> Bool { bits(request * 3 + 2, 1) == 1 }
    mutating func setSawEnd(_ request: Int) { put(request * 3 + 2, 1, 1) }

    // MARK: Replication

    var olderCount: Int { bits(18, 2) }

    /// Goes to `next`; what was before can come back unless everything is on the standby.
    mutating func commit(_ next: ModelLedger, synchronous: Bool) {
        if synchronous {
            setOlder([])
        } else {
            var known = (0..<olderCount).map(olderLedger)
            known.append(ledger)
            setOlder(Array(known.suffix(3)))
        }
        ledger = next
    }

    func olderLedger(_ index: Int) -> ModelLedger {
        index == 0 ? older.0 : index == 1 ? older.1 : older.2
    }

    /// The standby takes over with what it has.
    mutating func failOver(to index: Int) {
        ledger = olderLedger(index)
        setOlder([])
    }

    private mutating func setOlder(_ ledgers: [ModelLedger]) {
        // Places that are not in use hold a fixed value, so that equal states are equal words.
        let empty = ModelLedger(nodes: 0)
        older = (
            ledgers.first ?? empty, ledgers.count > 1 ? ledgers[1] : empty,
            ledgers.count > 2 ? ledgers[2] : empty
        )
        put(18, 2, ledgers.count)
    }

    // MARK: Bits and hashing

    private func bits(_ offset: Int, _ width: Int) -> Int {
        Int(outside >> UInt64(offset) & (1 << UInt64(width) - 1))
    }

    private mutating func put(_ offset: Int, _ width: Int, _ value: Int) {
        precondition(value >= 0 && value < 1 << width, "a number left its place in the word")
        let mask: UInt64 = (1 << UInt64(width) - 1) << UInt64(offset)
        outside = outside & ~mask | UInt64(value) << UInt64(offset)
    }

    static func == (left: ModelState, right: ModelState) -> Bool {
        left.outside == right.outside && left.nodes.0.word == right.nodes.0.word
            && left.nodes.1.word == right.nodes.1.word && left.nodes.2.word == right.nodes.2.word
            && left.ledger.words == right.ledger.words && left.older.0.words == right.older.0.words
            && left.older.1.words == right.older.1.words
            && left.older.2.words == right.older.2.words
    }

    func hash(into hasher: inout Hasher) {
        // Mixed by hand: one call of the hasher costs less than twelve.
        var mixed = outside
        for word in [
            nodes.0.word, nodes.1.word, nodes.2.word, ledger.words.0, ledger.words.1,
            older.0.words.0, older.0.words.1, older.1.words.0, older.1.words.1, older.2.words.0,
            older.2.words.1,
        ] {
            mixed = (mixed ^ word) &* 0x9E37_79B9_7F4A_7C15
            mixed ^= mixed >> 29
        }
        hasher.combine(mixed)
    }
}
