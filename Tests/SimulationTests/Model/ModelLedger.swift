/// The ledger of the model, packed into two words so that hundreds of thousands of states fit a
/// debug build's patience.
///
/// In `core`: the account's granted and used units, and per node its lane (epoch, live, last
/// sequence) and its one lease (present, granted, reserved, settled). In `rows`: per request the
/// reservation, the usage row and the correction. A node has one lease, since grants go to a live
/// epoch only and a new epoch begins after the old lease was ended.
struct ModelLedger: Hashable, Sendable {
    private var core: UInt64 = 0
    private var rows: UInt64 = 0

    /// Every lane open under epoch one, nothing granted.
    init(nodes: Int) {
        for node in 0..<nodes {
            setEpoch(node, 1)
            setLive(node, true)
        }
    }

    /// Requests are numbered by node, two places each.
    static func request(_ node: Int, _ number: Int) -> Int { node * 2 + number }

    /// For hashing and comparing from outside, without ceremony.
    var words: (UInt64, UInt64) { (core, rows) }

    // MARK: Account

    var granted: Int {
        get { bits(0, 5) }
        set { put(0, 5, newValue) }
    }
    var used: Int {
        get { bits(5, 5) }
        set { put(5, 5, newValue) }
    }

    // MARK: Lane and lease of a node

    func epoch(_ node: Int) -> Int { bits(10 + node * 18, 3) }
    mutating func setEpoch(_ node: Int, _ value: Int) { put(10 + node * 18, 3, value) }
    func isLive(_ node: Int) -> Bool { bits(13 + node * 18, 1) == 1 }
    mutating func setLive(_ node: Int, _ value: Bool) { put(13 + node * 18, 1, value ? 1 : 0) }
    func sequence(_ node: Int) -> Int { bits(14 + node * 18, 3) }
    mutating func setSequence(_ node: Int, _ value: Int) { put(14 + node * 18, 3, value) }
    func hasLease(_ node: Int) -> Bool { bits(17 + node * 18, 1) == 1 }

    func lease(_ node: Int) -> Lease {
        let base = 18 + node * 18
        return Lease(
            granted: bits(base, 4), reserved: bits(base + 4, 3), settled: bits(base + 7, 3))
    }

    mutating func setLease(_ node: Int, _ lease: Lease?) {
        let base = 18 + node * 18
        put(base - 1, 1, lease == nil ? 0 : 1)
        put(base, 4, lease?.granted ?? 0)
        put(base + 4, 3, lease?.reserved ?? 0)
        put(base + 7, 3, lease?.settled ?? 0)
    }

    /// A lease's row.
    struct Lease {
        var granted = 0
        var reserved = 0
        var settled = 0
    }

    // MARK: Rows of a request

    func isOpen(_ request: Int) -> Bool { rows >> UInt64(request * 8) & 1 == 1 }
    mutating func setOpen(_ request: Int, _ value: Bool) { setRow(request * 8, 1, value ? 1 : 0) }

    /// What the usage row charges; nil without one.
    func usage(_ request: Int) -> Int? {
        let bits = rows >> UInt64(request * 8 + 1)
        return bits & 1 == 1 ? Int(bits >> 1 & 3) : nil
    }

    mutating func setUsage(_ request: Int, _ charged: Int) {
        setRow(request * 8 + 1, 3, charged << 1 | 1)
    }

    /// The correction's difference; nil without one.
    func correction(_ request: Int) -> Int? {
        let bits = rows >> UInt64(request * 8 + 4)
        return bits & 1 == 1 ? Int(bits >> 1 & 7) - 2 : nil
    }

    mutating func setCorrection(_ request: Int, _ difference: Int) {
        setRow(request * 8 + 4, 4, (difference + 2) << 1 | 1)
    }

    // MARK: Bits

    private func bits(_ offset: Int, _ width: Int) -> Int {
        Int(core >> UInt64(offset) & (1 << UInt64(width) - 1))
    }

    private mutating func put(_ offset: Int, _ width: Int, _ value: Int) {
        precondition(value >= 0 && value < 1 << width, "a number left its place in the word")
        let mask: UInt64 = (1 << UInt64(width) - 1) << UInt64(offset)
        core = core & ~mask | UInt64(value) << UInt64(offset)
    }

    private mutating func setRow(_ offset: Int, _ width: Int, _ value: Int) {
        precondition(value >= 0 && value < 1 << width, "a number left its place in the word")
        let mask: UInt64 = (1 << UInt64(width) - 1) << UInt64(offset)
        rows = rows & ~mask | UInt64(value) << UInt64(offset)
    }
}
