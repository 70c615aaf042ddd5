/// A gateway of the model in one word: its own belief, its requests, and its journal on disk.
struct ModelNode: Hashable, Sendable {
    private(set) var word: UInt64 = 0

    enum Status: Int { case up, down, retired }

    /// How far a request has come.
    enum Phase: Int { case none, admitted, streaming, finished }

    /// One line of the journal.
    struct Record {
        let isClose: Bool
        /// The request's number on its node.
        let number: Int
        /// The bound of an opening, the charge of a close.
        let units: Int
    }

    /// Up, under epoch one, with an empty journal.
    init() { epoch = 1 }

    var status: Status {
        get { Status(rawValue: bits(0, 2)) ?? .up }
        set { put(0, 2, newValue.rawValue) }
    }
    var epoch: Int {
        get { bits(2, 3) }
        set { put(2, 3, newValue) }
    }
    /// Units it believes it may spend.
    var free: Int {
        get { bits(5, 4) }
        set { put(5, 4, newValue) }
    }
    /// Batches it knows to be applied.
    var acknowledged: Int {
        get { bits(9, 3) }
        set { put(9, 3, newValue) }
    }
    /// Requests admitted so far.
    var admitted: Int {
        get { bits(12, 2) }
        set { put(12, 2, newValue) }
    }
    var journalLength: Int { bits(14, 3) }

    func record(_ index: Int) -> Record {
        let packed = bits(17 + index * 4, 4)
        return Record(isClose: packed & 1 == 1, number: packed >> 1 & 1, units: packed >> 2)
    }

    mutating func append(_ record: Record) {
        let index = journalLength
        put(17 + index * 4, 4, (record.isClose ? 1 : 0) | record.number << 1 | record.units << 2)
        put(14, 3, index + 1)
    }

    /// The progress word of a request: units delivered.
    func progress(_ number: Int) -> Int { bits(33 + number * 2, 2) }
    mutating func setProgress(_ number: Int, _ value: Int) { put(33 + number * 2, 2, value) }

    func phase(_ number: Int) -> Phase { Phase(rawValue: bits(37 + number * 8, 2)) ?? .none }
    mutating func setPhase(_ number: Int, _ phase: Phase) {
        put(37 + number * 8, 2, phase.rawValue)
        if phase == .none { put(39 + number * 8, 6, 0) }
    }

    /// Where the journal has the request's opening, and its close.
    func opening(_ number: Int) -> Int { bits(39 + number * 8, 3) }
    mutating func setOpening(_ number: Int, _ index: Int) { put(39 + number * 8, 3, index) }
    func close(_ number: Int) -> Int { bits(42 + number * 8, 3) }
    mutating func setClose(_ number: Int, _ index: Int) { put(42 + number * 8, 3, index) }

    /// The process ends; the disk stays, or goes too.
    mutating func stop(keepingDisk: Bool) {
        var stopped = ModelNode()
        stopped.epoch = epoch
        stopped.admitted = admitted
        if keepingDisk {
            stopped.status = .down
            // Journal and progress words: bits 14 to 36.
            stopped.word |= word & (1 << 37 - 1) & ~(1 << 14 - 1)
        } else {
            stopped.status = .retired
        }
        self = stopped
    }

    /// Starts anew under the next epoch with an empty journal.
    mutating func restart() {
        var fresh = ModelNode()
        fresh.epoch = epoch + 1
        fresh.admitted = admitted
        self = fresh
    }

    private func bits(_ offset: Int, _ width: Int) -> Int {
        Int(word >> UInt64(offset) & (1 << UInt64(width) - 1))
    }

    private mutating func put(_ offset: Int, _ width: Int, _ value: Int) {
        precondition(value >= 0 && value < 1 << width, "a number left its place in the word")
        let mask: UInt64 = (1 << UInt64(width) - 1) << UInt64(offset)
        word = word & ~mask | UInt64(value) << UInt64(offset)
    }
}
