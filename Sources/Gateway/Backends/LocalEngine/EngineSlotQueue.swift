import Domain

/// Decides who may use the engine's slots, in the order of asking. Pure: the caller supplies the
/// time and wakes whom it is told to.
///
/// llama-server lets callers wait without bound, so the gateway never sends more than it has slots.
struct EngineSlotQueue {
    /// Names a caller until its slot is given back.
    struct Ticket: Hashable, Sendable { let rawValue: UInt64 }

    /// What a caller is told when it asks.
    enum Answer: Equatable {
        /// It has a slot.
        case granted(Ticket)
        /// It is told later, at the deadline at the latest.
        case queued(Ticket, deadline: Uptime)
        /// Too many wait already.
        case full
    }

    private let slots: Int
    private let maximumWaiting: Int
    private let patience: Duration
    private var inUse: Set<Ticket> = []
    private var waiting: [(ticket: Ticket, deadline: Uptime)] = []
    private var nextTicket: UInt64 = 0

    /// A queue in front of `slots` slots in which `maximumWaiting` callers wait for at most
    /// `patience`.
    init(slots: Int, maximumWaiting: Int, patience: Duration) {
        precondition(slots > 0 && maximumWaiting >= 0, "an engine has slots")
        self.slots = slots
        self.maximumWaiting = maximumWaiting
        self.patience = patience
    }

    /// Whether a caller that asks now would be turned away.
    var isFull: Bool { inUse.count >= slots && waiting.count >= maximumWaiting }

    /// Whether a caller that asks now would have a slot at once.
    var hasFreeSlot: Bool { inUse.count < slots }

    /// How many callers have a slot.
    var slotsInUse: Int { inUse.count }

    /// How many callers wait.
    var waitingCount: Int { waiting.count }

    /// A caller asked for a slot.
    mutating func slotWasRequested(at now: Uptime) -> Answer {
        guard !isFull else { return .full }
        let ticket = Ticket(rawValue: nextTicket)
        nextTicket += 1
        if inUse.count < slots {
            inUse.insert(ticket)
            return .granted(ticket)
        }
        let deadline = now + patience
        waiting.append((ticket, deadline))
        return .queued(ticket, deadline: deadline)
    }

    /// A caller gave its slot back. Returns whose turn it is.
    mutating func slotWasReleased(_ ticket: Ticket) -> Ticket? {
        guard inUse.remove(ticket) != nil, !waiting.isEmpty else { return nil }
        let next = waiting.removeFirst().ticket
        inUse.insert(next)
        return next
    }

    /// A caller stopped waiting. Returns whether it was still waiting; if not, it had been granted
    /// its slot and has to give it back.
    mutating func waiterLeft(_ ticket: Ticket) -> Bool {
        guard let place = waiting.firstIndex(where: { $0.ticket == ticket }) else { return false }
        waiting.remove(at: place)
        return true
    }

    /// The engine is gone. Returns everybody who waited, in order.
    mutating func waitersWereDismissed() -> [Ticket] {
        defer { waiting = [] }
        return waiting.map(\.ticket)
    }
}
