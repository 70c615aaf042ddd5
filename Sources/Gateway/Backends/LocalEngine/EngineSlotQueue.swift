import Domain

/// Decides who may use the engine's slots: those who ask first among the calls of a team, and
/// between teams the one that has used least slot time for its weight. Pure: the caller supplies the
/// time and wakes whom it is told to.
///
/// llama-server lets callers wait without bound, so the gateway never sends more than it has slots.
///
/// Start-time fair queueing with a depth, SFQ(D): P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair
/// Queueing" (SIGCOMM 1996), for a server of D slots as in W. Jin, J. S. Chase, J. Kaur, "Interposed
/// Proportional Sharing for a Storage Service Utility" (SIGMETRICS 2004). Whatever arrives when, two
/// teams that both want more differ, for each share of theirs, by at most `D + 1` of the longest
/// calls of either. What a call will cost is not known when it begins, so it is charged what calls
/// take on average, more as it takes longer, and at its end what it took; as the counters of Y. Sheng
/// et al., "Fairness in Serving Large Language Models" (OSDI 2024), but in slot time, which is what
/// there is too little of, whoever reads slowly or sends a long prompt.
///
/// A full queue does not shut a team out either: the newest call of the team that crowds it most for
/// its weight makes room, as in P. E. McKenney, "Stochastic Fairness Queueing" (INFOCOM 1990).
struct EngineSlotQueue {
    /// Names a caller until its slot is given back.
    struct Ticket: Hashable, Sendable { let rawValue: UInt64 }

    /// What a caller is told when it asks.
    enum Answer: Equatable {
        /// It has a slot.
        case granted(Ticket)
        /// It is told later. `displaced` is sent away for it.
        case queued(Ticket, displaced: Ticket?)
        /// Too many wait already, and no team crowds the queue more than its own.
        case full
    }

    private struct Grant {
        let team: TeamID
        let at: Uptime
        /// What the team was charged beforehand.
        let expected: Duration
    }

    private let slots: Int
    private let maximumWaiting: Int
    private var inUse: [Ticket: Grant] = [:]
    private var teams: [TeamID: EngineTeamQueue] = [:]
    /// The most that a team had had when it was given a slot: where a team begins that comes anew.
    private var virtualTime: Int64 = 0
    private var nextTicket: UInt64 = 0
    /// How long a call has a slot, on average of late.
    private var usual = Duration.milliseconds(500)

    /// A queue of at most `maximumWaiting` callers in front of `slots` slots.
    init(slots: Int, maximumWaiting: Int) {
        precondition(slots > 0 && maximumWaiting >= 0, "an engine has slots")
        self.slots = slots
        self.maximumWaiting = maximumWaiting
    }

    /// Whether a caller that asks now would have a slot at once.
    var hasFreeSlot: Bool { inUse.count < slots }

    /// How many callers have a slot.
    var slotsInUse: Int { inUse.count }

    /// How many callers wait.
    var waitingCount: Int { teams.values.reduce(0) { $0 + $1.waiting.count } }

    /// How long a caller that is sent away had better wait: until the queue would have come to it.
    var expectedWait: Duration {
        let wait = usual * (waitingCount + 1) / slots
        return min(max(wait, .seconds(1)), .seconds(60))
    }

    // MARK: Events

    /// A caller of `team`, which has `weight` shares, asked for a slot.
    mutating func slotWasRequested(
        by team: TeamID, weight: Int64, at now: Uptime
    ) -> Answer {
        if teams[team] == nil { forgetWhoIsNotAhead() }
        var queue = teams[team] ?? EngineTeamQueue(weight: weight, used: 0, usual: usual)
        if queue.isIdle { queue.used = max(queue.used, beginning(at: now)) }
        let ticket = Ticket(rawValue: nextTicket)
        if hasFreeSlot {
            nextTicket += 1
            teams[team] = queue
            grant(ticket, to: team, at: now)
            return .granted(ticket)
        }
        var displaced: Ticket?
        if waitingCount >= maximumWaiting {
            guard let victim = mostCrowding(beyond: queue.crowdWithOneMore, but: team) else {
                return .full
            }
            displaced = teams[victim]?.takeLast()
        }
        nextTicket += 1
        queue.append(ticket)
        teams[team] = queue
        return .queued(ticket, displaced: displaced)
    }

    /// A caller gave its slot back. Returns whose turn it is.
    mutating func slotWasReleased(_ ticket: Ticket, at now: Uptime) -> Ticket? {
        guard let grant = inUse.removeValue(forKey: ticket) else { return nil }
        let taken = now - grant.at
        usual = EngineTeamQueue.average(usual, taken)
        teams[grant.team]?.end(after: taken, expected: grant.expected)
        let next = grantNext(at: now)
        forgetIfAllAreIdle()
        return next
    }

    /// A caller stopped waiting. Returns whether it was still waiting; if not, it had been granted
    /// its slot and has to give it back.
    mutating func waiterLeft(_ ticket: Ticket) -> Bool {
        Array(teams.keys).contains { teams[$0]?.remove(ticket) == true }
    }

    /// The engine is gone. Returns everybody who waited, in the order of asking.
    mutating func waitersWereDismissed() -> [Ticket] {
        var dismissed: [Ticket] = []
        for team in Array(teams.keys) {
            while let ticket = teams[team]?.takeFirst() { dismissed.append(ticket) }
        }
        forgetIfAllAreIdle()
        return dismissed.sorted { $0.rawValue < $1.rawValue }
    }

    // MARK: Fairness

    /// What each team has used, what its calls that still run took beyond their charge included.
    private func effectiveUse(at now: Uptime) -> [TeamID: Int64] {
        var used = teams.mapValues(\.used)
        for grant in inUse.values {
            guard let queue = teams[grant.team] else { continue }
            used[grant.team, default: 0] += queue.charge(
                for: max(.zero, now - grant.at - grant.expected))
        }
        return used
    }

    /// What each team has had of the slots until now, whatever was charged beforehand.
    private func service(at now: Uptime) -> [TeamID: Int64] {
        var had = teams.mapValues(\.used)
        for grant in inUse.values {
            guard let queue = teams[grant.team] else { continue }
            had[grant.team, default: 0] += queue.charge(for: now - grant.at - grant.expected)
        }
        return had
    }

    /// What a team has used that comes anew: no less than the one served last has had, and than any
    /// that waits. Time in which it wanted nothing is neither saved up nor owed.
    ///
    /// Not what others were charged beforehand: of that they may get much back, and would then go
    /// before it.
    private func beginning(at now: Uptime) -> Int64 {
        let used = service(at: now)
        let least = teams.filter { !$0.value.waiting.isEmpty }.compactMap { used[$0.key] }.min()
        return max(virtualTime, least ?? virtualTime)
    }

    private mutating func grantNext(at now: Uptime) -> Ticket? {
        let used = effectiveUse(at: now)
        let next = teams.compactMap { team, queue in
            queue.waiting.first.map { (team, used[team] ?? queue.used, $0.rawValue) }
        }.min { ($0.1, $0.2) < ($1.1, $1.2) }
        guard let next, let ticket = teams[next.0]?.takeFirst() else { return nil }
        grant(ticket, to: next.0, at: now)
        return ticket
    }

    private mutating func grant(_ ticket: Ticket, to team: TeamID, at now: Uptime) {
        let used = service(at: now)
        let start = used[team] ?? virtualTime
        virtualTime = max(virtualTime, start)
        // Who has nothing waiting lets this turn pass, and does not get it back later.
        for (other, queue) in teams where other != team && queue.waiting.isEmpty {
            teams[other]?.used += max(0, start - (used[other] ?? start))
        }
        inUse[ticket] = Grant(team: team, at: now, expected: teams[team]?.usual ?? usual)
        teams[team]?.begin()
    }

    /// The team whose calls crowd the queue most for its weight, and more than `crowd`.
    private func mostCrowding(beyond crowd: Int64, but team: TeamID) -> TeamID? {
        teams.filter { $0.key != team && $0.value.crowd > crowd }
            .max { ($0.value.crowd, $0.key.rawValue) < ($1.value.crowd, $1.key.rawValue) }?.key
    }

    /// A team that wants nothing and is not ahead of the others would begin where they are anyway.
    private mutating func forgetWhoIsNotAhead() {
        teams = teams.filter { !$0.value.isIdle || $0.value.used > virtualTime }
    }

    /// While nobody wants anything, whoever asks next is served at once, and all begin anew.
    private mutating func forgetIfAllAreIdle() {
        guard inUse.isEmpty, teams.values.allSatisfy(\.isIdle) else { return }
        teams = [:]
        virtualTime = 0
    }
}
