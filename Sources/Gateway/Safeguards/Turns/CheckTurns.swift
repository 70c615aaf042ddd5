import Domain

/// Decides whose text is checked next: as many at once as are allowed, and keys by turns, so that one
/// which sends long texts delays the others by one check at most for each that runs. Pure.
struct CheckTurns {
    /// What becomes of one that comes.
    enum Decision: Equatable {
        /// It runs now.
        case runs
        /// It waits for its turn.
        case waits
        /// Too much waits already.
        case refused
    }

    /// Names one that waits.
    typealias Ticket = UInt64

    private struct Waiter {
        let ticket: Ticket
        let bytes: Int
    }

    private let limits: CheckLimits
    private let mostRunning: Int
    private var running = 0
    private var waiting: [KeyID: [Waiter]] = [:]
    /// Keys of which something waits, the next one first.
    private var order: [KeyID] = []
    private(set) var waitingBytes = 0

    /// Starts with nothing; `processors` counts where the limits name no number.
    init(_ limits: CheckLimits, processors: Int) {
        self.limits = limits
        mostRunning = max(1, limits.running ?? processors / 2)
    }

    /// One of a key comes with so many bytes. It is refused only when others wait: a text of any
    /// size has its turn.
    mutating func enter(_ ticket: Ticket, of key: KeyID, bytes: Int) -> Decision {
        if running < mostRunning {
            running += 1
            return .runs
        }
        let ofKey = waiting[key, default: []].reduce(0) { $0 + $1.bytes }
        guard ofKey == 0 || ofKey + bytes <= limits.waitingBytesOfKey,
            waitingBytes == 0 || waitingBytes + bytes <= limits.waitingBytes
        else { return .refused }
        if ofKey == 0, waiting[key] == nil { order.append(key) }
        waiting[key, default: []].append(Waiter(ticket: ticket, bytes: bytes))
        waitingBytes += bytes
        return .waits
    }

    /// One that ran is done; gives the one that runs in its place, if any waits.
    mutating func leave() -> Ticket? {
        guard !order.isEmpty else {
            running -= 1
            return nil
        }
        let key = order.removeFirst()
        guard var waiters = waiting[key], !waiters.isEmpty else { return leave() }
        let next = waiters.removeFirst()
        waitingBytes -= next.bytes
        waiting[key] = waiters.isEmpty ? nil : waiters
        if !waiters.isEmpty { order.append(key) }
        return next.ticket
    }

    /// Whether one of a key waits.
    func isWaiting(_ ticket: Ticket, of key: KeyID) -> Bool {
        waiting[key]?.contains { $0.ticket == ticket } ?? false
    }

    /// One that waits does not wait any more; false when it does not wait.
    mutating func cancel(_ ticket: Ticket, of key: KeyID) -> Bool {
        guard var waiters = waiting[key],
            let place = waiters.firstIndex(where: { $0.ticket == ticket })
        else { return false }
        waitingBytes -= waiters.remove(at: place).bytes
        waiting[key] = waiters.isEmpty ? nil : waiters
        if waiters.isEmpty { order.removeAll { $0 == key } }
        return true
    }
}
