import Domain

/// Which keys are being read, who waits for them, and what may be read at all. The decisions are
/// pure; the waiting tasks are handed back to be resumed outside the lock.
struct KeyFlights {
    /// How a read ended.
    enum Outcome: Sendable {
        /// Memory has the answer.
        case ended
        /// The database did not give one.
        case failed
        /// The task that read was cancelled: somebody else must.
        case abandoned
    }

    /// What a task does about a key.
    enum Step {
        /// Compare with the record.
        case compare(StoredKey)
        /// The key does not exist.
        case absent
        /// Read it. A miss has cost its source a look-up.
        case read(isMiss: Bool)
        /// Another task reads it: wait for that one.
        case wait
        /// Too many look-ups.
        case throttled(Duration)
        /// The database failed a moment ago and memory does not have the key.
        case unavailable
    }

    typealias Waiter = CheckedContinuation<Outcome, Never>

    var cache = KeyCacheState(
        mostKeys: KeyCacheState.mostKeys, mostAbsent: KeyCacheState.mostAbsent)
    private var budget = MissBudget()
    private var flights: [KeyID: [Waiter]] = [:]
    private var failedAt: Uptime?

    /// Says what to do about a key, and books the read if there is to be one.
    mutating func decide(
        _ id: KeyID, from source: String, at now: Uptime, random: LedgerRandom
    ) -> Step {
        let isAway = failedAt.map { now - $0 < CachedKeyDirectory.pauseAfterFailure } ?? false
        let isMiss: Bool
        switch cache.find(id, at: now) {
        case .known(let key): return .compare(key)
        case .absent: return .absent
        case .stale(let key, let servable):
            if isAway { return servable ? .compare(key) : .unavailable }
            isMiss = false
        case .unknown:
            if isAway { return .unavailable }
            isMiss = true
        }
        if flights[id] != nil { return .wait }
        guard flights.count < CachedKeyDirectory.mostFlights else { return .throttled(.seconds(1)) }
        if isMiss, let wait = budget.take(source, at: now, random: random.bits()) {
            return .throttled(wait)
        }
        flights[id] = []
        return .read(isMiss: isMiss)
    }

    /// Waits for a read that is under way; false when it has ended.
    mutating func join(_ id: KeyID, _ waiter: Waiter) -> Bool {
        guard flights[id] != nil else { return false }
        flights[id]?.append(waiter)
        return true
    }

    /// A read ended; returns those who wait for it.
    mutating func end(_ id: KeyID, _ outcome: Outcome) -> [Waiter] {
        if outcome == .ended { failedAt = nil }
        return flights.removeValue(forKey: id) ?? []
    }

    /// The key was a right one: its look-up does not count.
    mutating func giveBack(_ source: String, random: LedgerRandom) {
        budget.giveBack(source, random: random.bits())
    }

    /// The database answered: it may be asked again at once.
    mutating func databaseAnswered() { failedAt = nil }

    /// The database did not answer: it is left alone for a moment.
    mutating func databaseFailed(at now: Uptime) { failedAt = now }
}
