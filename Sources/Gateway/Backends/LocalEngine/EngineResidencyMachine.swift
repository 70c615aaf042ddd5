import Domain

/// Decides which engines are in memory: those that are always there, and those that calls ask for, as
/// many as the budget holds. Pure: it is told what happened and when, and answers with what to do.
///
/// For one that needs room, idle engines go, the one used longest ago first, never one in use. Where
/// that is not enough, engines in use take no new calls once they have had their turn, and go when
/// their calls have ended; else a model in steady use would keep every other away. Nobody who waits
/// for room is overtaken.
struct EngineResidencyMachine {
    /// What is known of an engine beforehand.
    struct Engine: Sendable, Equatable {
        /// It is there from the start and never goes.
        let isKept: Bool
        /// What it will take, in bytes.
        let memory: Int64
        /// How long it stays without a call.
        let idleUnload: Duration
    }

    /// Names a call that waits for its engine.
    struct Ticket: Hashable, Sendable { let rawValue: UInt64 }

    /// What a call is told when it comes.
    enum Answer: Equatable {
        /// Its engine is there, and stays until the call's end is told.
        case admitted
        /// It is told later.
        case waiting(Ticket)
        /// The engine did not start, and is not tried again for so long.
        case failed(retryAfter: Duration)
        /// The engine does not fit beside those that are always there.
        case tooLarge
    }

    /// What happened.
    enum Event: Equatable, Sendable {
        /// A call that was admitted to the engine ended.
        case callEnded(String)
        case waiterLeft(Ticket)
        /// The engine takes calls, and has so much memory.
        case opened(String, memory: Int64)
        /// It takes none: it failed, and is started again, or is going.
        case closed(String)
        /// So many starts in a row failed.
        case startFailed(String, times: Int)
        /// It is gone, and its memory free.
        case unloaded(String)
        case measured(String, memory: Int64)
        case timePassed
    }

    /// What to do, in order.
    enum Action: Equatable, Sendable {
        case load(String), unload(String)
        case admit(Ticket)
        case refuse(Ticket, retryAfter: Duration)
    }

    /// How patient it is.
    struct Policy: Sendable, Equatable {
        /// How long an engine may serve before it takes no new calls for another's sake.
        var turn = Duration.seconds(10)
        /// How long an engine that does not start is left alone.
        var rest = Duration.seconds(30)
        /// After how many failed starts in a row.
        var hopelessStarts = EngineSupervisor.hopelessStarts
    }

    private enum Stage: Equatable {
        case away, loading
        /// Calls are admitted.
        case serving(since: Uptime)
        /// It takes no new calls, for the sake of an engine that waits for room.
        case emptying(since: Uptime)
        case leaving(isFailed: Bool)
        case resting(until: Uptime)

        /// Whether there is a process, or will be.
        var takesMemory: Bool {
            switch self {
            case .loading, .serving, .emptying, .leaving: true
            case .away, .resting: false
            }
        }
    }

    private struct Resident {
        let engine: Engine
        var stage: Stage
        /// What it was estimated at, or has had at most.
        var memory: Int64
        var inUse = 0
        var lastUsed = Uptime(microseconds: 0)
        var waiting: [Ticket] = []

        /// Whether it could go now.
        var isIdle: Bool {
            guard case .serving = stage else { return false }
            return !engine.isKept && inUse == 0
        }
    }

    private var budget: Int64?
    private let policy: Policy
    private var residents: [String: Resident]
    private var nextTicket: UInt64 = 0

    /// Engines of which none is loaded; those that are kept load by themselves. Without a `budget`,
    /// in bytes, there is always room.
    init(_ engines: [String: Engine], budget: Int64?, policy: Policy) {
        self.budget = budget
        self.policy = policy
        residents = engines.mapValues { engine in
            Resident(
                engine: engine, stage: engine.isKept ? .loading : .away, memory: engine.memory)
        }
    }

    /// Lets the engines take so much from now on, in bytes; nil is as much as there is. What is too
    /// much then goes once it is idle.
    mutating func setBudget(_ budget: Int64?, at now: Uptime) -> [Action] {
        self.budget = budget
        return settle(at: now)
    }

    /// The names of the engines that have a process, or get one.
    var present: Set<String> { Set(residents.filter { $0.value.stage.takesMemory }.keys) }

    /// What they take, in bytes.
    var memory: Int64 { residents.values.reduce(0) { $0 + ($1.stage.takesMemory ? $1.memory : 0) } }

    /// How long an engine is not tried again; nil if calls may come.
    func rest(of name: String, at now: Uptime) -> Duration? {
        switch residents[name]?.stage {
        case .leaving(isFailed: true): policy.rest
        case .resting(let until): until > now ? until - now : nil
        case .away, .loading, .serving, .emptying, .leaving, nil: nil
        }
    }

    /// Whether a call has not been told yet.
    func isWaiting(_ ticket: Ticket) -> Bool {
        residents.values.contains { $0.waiting.contains(ticket) }
    }

    // MARK: Events

    /// A call for an engine came.
    mutating func callCame(for name: String, at now: Uptime) -> (Answer, [Action]) {
        guard var resident = residents[name] else { return (.tooLarge, []) }
        if let rest = rest(of: name, at: now) { return (.failed(retryAfter: rest), []) }
        if case .serving = resident.stage {
            resident.inUse += 1
            resident.lastUsed = now
            residents[name] = resident
            return (.admitted, [])
        }
        let kept = residents.filter { $0.value.engine.isKept && $0.key != name }
        if let budget, kept.values.reduce(resident.memory, { $0 + $1.memory }) > budget {
            return (.tooLarge, [])
        }
        if case .resting = resident.stage { resident.stage = .away }
        let ticket = Ticket(rawValue: nextTicket)
        nextTicket += 1
        resident.waiting.append(ticket)
        residents[name] = resident
        return (.waiting(ticket), settle(at: now))
    }

    /// Takes note of what happened at `now` and says what to do.
    mutating func handle(_ event: Event, at now: Uptime) -> [Action] {
        var actions: [Action] = []
        switch event {
        case .callEnded(let name):
            residents[name]?.inUse -= 1
            residents[name]?.lastUsed = now
        case .waiterLeft(let ticket):
            for name in residents.keys { residents[name]?.waiting.removeAll { $0 == ticket } }
        case .opened(let name, let memory):
            note(memory, of: name)
            if residents[name]?.stage == .loading {
                residents[name]?.stage = .serving(since: now)
                actions += admitWaiting(name, at: now)
            }
        case .closed(let name): actions += closed(name)
        case .startFailed(let name, let times):
            if times >= policy.hopelessStarts { actions += giveUp(name) }
        case .unloaded(let name):
            let isFailed = residents[name]?.stage == .leaving(isFailed: true)
            residents[name]?.stage = isFailed ? .resting(until: now + policy.rest) : .away
        case .measured(let name, let memory): note(memory, of: name)
        case .timePassed: break
        }
        return actions + settle(at: now)
    }

    private mutating func closed(_ name: String) -> [Action] {
        switch residents[name]?.stage {
        case .serving?:
            // It is started again by itself; who comes meanwhile waits.
            residents[name]?.stage = .loading
            return []
        case .emptying?: return unload(name, isFailed: false)
        case .away?, .loading?, .leaving?, .resting?, nil: return []
        }
    }

    private mutating func giveUp(_ name: String) -> [Action] {
        guard let resident = residents[name], !resident.engine.isKept,
            resident.stage == .loading
        else { return [] }
        residents[name]?.waiting = []
        return unload(name, isFailed: true)
            + resident.waiting.map { .refuse($0, retryAfter: policy.rest) }
    }

    private mutating func note(_ memory: Int64, of name: String) {
        residents[name]?.memory.raise(to: memory)
    }

    // MARK: Steps

    private mutating func settle(at now: Uptime) -> [Action] {
        var actions: [Action] = []
        for name in leastRecentlyUsed where residents[name]?.isIdle == true {
            guard let resident = residents[name] else { continue }
            let isLongIdle = now - resident.lastUsed >= resident.engine.idleUnload
            if isLongIdle || budget.map({ staying > $0 }) ?? false {
                actions += unload(name, isFailed: false)
            }
        }
        for name in wanting {
            guard load(name, &actions, at: now) else { break }
        }
        if wanting.isEmpty { actions += stopEmptying(at: now) }
        for (name, resident) in residents.sorted(by: { $0.key < $1.key }) {
            guard case .emptying = resident.stage, resident.inUse == 0 else { continue }
            actions += unload(name, isFailed: false)
        }
        return actions
    }

    /// Loads an engine, or makes room for it. Returns whether it is being loaded.
    private mutating func load(_ name: String, _ actions: inout [Action], at now: Uptime) -> Bool {
        guard let needed = residents[name]?.memory else { return false }
        guard let budget, memory + needed > budget else {
            residents[name]?.stage = .loading
            actions.append(.load(name))
            return true
        }
        for idle in idleToGo(for: needed, in: budget) {
            actions += unload(idle, isFailed: false)
        }
        for busy in leastRecentlyUsed where staying + needed > budget {
            guard let resident = residents[busy], !resident.engine.isKept,
                case .serving(let since) = resident.stage, now - since >= policy.turn
            else { continue }
            residents[busy]?.stage = .emptying(since: since)
        }
        return false
    }

    /// The idle engines that make room, those used longest ago first, without any that need not go
    /// once a larger one does.
    private func idleToGo(for needed: Int64, in budget: Int64) -> [String] {
        var left = staying
        var going: [String] = []
        for name in leastRecentlyUsed where left + needed > budget {
            guard let resident = residents[name], resident.isIdle else { continue }
            left -= resident.memory
            going.append(name)
        }
        return going.filter { name in
            let memory = residents[name]?.memory ?? 0
            guard left + memory + needed <= budget else { return true }
            left += memory
            return false
        }
    }

    /// What the engines take that are not on their way out.
    private var staying: Int64 {
        residents.values.reduce(0) { sum, resident in
            switch resident.stage {
            case .loading, .serving: sum + resident.memory
            case .away, .emptying, .leaving, .resting: sum
            }
        }
    }

    /// The engines that calls wait for and that are not there, in the order of asking.
    private var wanting: [String] {
        residents.filter { $0.value.stage == .away && !$0.value.waiting.isEmpty }
            .sorted { ($0.value.waiting[0].rawValue) < ($1.value.waiting[0].rawValue) }.map(\.key)
    }

    private var leastRecentlyUsed: [String] {
        residents.sorted { ($0.value.lastUsed, $0.key) < ($1.value.lastUsed, $1.key) }.map(\.key)
    }

    private mutating func unload(_ name: String, isFailed: Bool) -> [Action] {
        residents[name]?.stage = .leaving(isFailed: isFailed)
        return [.unload(name)]
    }

    /// Nobody waits for room any more.
    private mutating func stopEmptying(at now: Uptime) -> [Action] {
        var actions: [Action] = []
        for (name, resident) in residents.sorted(by: { $0.key < $1.key }) {
            guard case .emptying(let since) = resident.stage else { continue }
            residents[name]?.stage = .serving(since: since)
            actions += admitWaiting(name, at: now)
        }
        return actions
    }

    private mutating func admitWaiting(_ name: String, at now: Uptime) -> [Action] {
        guard let resident = residents[name] else { return [] }
        residents[name]?.waiting = []
        residents[name]?.inUse += resident.waiting.count
        residents[name]?.lastUsed = now
        return resident.waiting.map { .admit($0) }
    }
}

extension Int64 {
    fileprivate mutating func raise(to value: Int64) { self = Swift.max(self, value) }
}
