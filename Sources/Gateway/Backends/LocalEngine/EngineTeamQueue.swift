import Domain

/// One team at the engine: which of its calls wait, in the order of asking, and how much of the
/// slots it has used.
struct EngineTeamQueue {
    /// How many shares it has: a team of two gets twice the slot time of a team of one while both
    /// want more.
    let weight: Int64
    private(set) var waiting: [EngineSlotQueue.Ticket] = []
    /// How many slots it has now.
    private(set) var running = 0
    /// The slot time that it has been charged, in nanoseconds for one share.
    var used: Int64
    /// How long a call of it has a slot, on average of late.
    private(set) var usual: Duration

    /// A team that has used what the others have, so that it neither owes nor is owed anything, and
    /// whose calls take what others' do.
    init(weight: Int64, used: Int64, usual: Duration) {
        self.weight = max(1, weight)
        self.used = used
        self.usual = usual
    }

    /// Whether nothing of it waits or runs.
    var isIdle: Bool { waiting.isEmpty && running == 0 }

    /// How crowded the queue is with its calls, for one share.
    var crowd: Int64 { Int64(waiting.count) * Self.parts / weight }

    /// How crowded it would be with one more.
    var crowdWithOneMore: Int64 { Int64(waiting.count + 1) * Self.parts / weight }

    /// What `time` with a slot costs it, or gives back if it is negative.
    func charge(for time: Duration) -> Int64 { time.microseconds * Self.parts / weight }

    /// A call of it began.
    mutating func begin() {
        running += 1
        used += charge(for: usual)
    }

    /// A call of it that was charged `expected` ended.
    mutating func end(after taken: Duration, expected: Duration) {
        running -= 1
        used += charge(for: taken - expected)
        usual = Self.average(usual, taken)
    }

    /// An average of which the latest value is an eighth.
    static func average(_ usual: Duration, _ latest: Duration) -> Duration {
        max(.milliseconds(1), usual + (latest - usual) / 8)
    }

    /// Adds a call at the end.
    mutating func append(_ ticket: EngineSlotQueue.Ticket) { waiting.append(ticket) }

    /// Takes the call that has waited longest.
    mutating func takeFirst() -> EngineSlotQueue.Ticket? {
        waiting.isEmpty ? nil : waiting.removeFirst()
    }

    /// Takes the call that came last: the one that loses least by asking again.
    mutating func takeLast() -> EngineSlotQueue.Ticket? { waiting.popLast() }

    /// Takes a call out of the middle. Returns whether it was there.
    mutating func remove(_ ticket: EngineSlotQueue.Ticket) -> Bool {
        guard let place = waiting.firstIndex(of: ticket) else { return false }
        waiting.remove(at: place)
        return true
    }

    /// Of a microsecond, and of a call: divided among shares without losing much.
    private static let parts: Int64 = 1000
}
