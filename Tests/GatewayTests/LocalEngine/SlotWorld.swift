import Domain
import TestSupport

@testable import Gateway

/// What decides whose turn it is, as a world of calls drives it.
protocol SlotDivider {
    /// Makes one for so many slots.
    init(slots: Int)
    /// A team asks. Returns its ticket, and whether it has a slot.
    mutating func request(_ team: Int, weight: Int64, at now: Uptime) -> (UInt64, Bool)
    /// A slot came back. Returns whose turn it is.
    mutating func release(_ ticket: UInt64, at now: Uptime) -> UInt64?
}

extension EngineSlotQueue: SlotDivider {
    init(slots: Int) { self.init(slots: slots, maximumWaiting: 1_000_000) }

    mutating func request(_ team: Int, weight: Int64, at now: Uptime) -> (UInt64, Bool) {
        switch slotWasRequested(by: TeamID(rawValue: Int64(team) + 1), weight: weight, at: now) {
        case .granted(let ticket): (ticket.rawValue, true)
        case .queued(let ticket, _): (ticket.rawValue, false)
        case .full: (.max, false)
        }
    }

    mutating func release(_ ticket: UInt64, at now: Uptime) -> UInt64? {
        slotWasReleased(Ticket(rawValue: ticket), at: now)?.rawValue
    }
}

/// The order of asking, whoever asks: what fairness is held against.
struct FirstComeDivider: SlotDivider {
    private var free: Int
    private var waiting: [UInt64] = []
    private var next: UInt64 = 0

    init(slots: Int) { free = slots }

    mutating func request(_ team: Int, weight: Int64, at now: Uptime) -> (UInt64, Bool) {
        defer { next += 1 }
        guard free > 0 else {
            waiting.append(next)
            return (next, false)
        }
        free -= 1
        return (next, true)
    }

    mutating func release(_ ticket: UInt64, at now: Uptime) -> UInt64? {
        guard !waiting.isEmpty else {
            free += 1
            return nil
        }
        return waiting.removeFirst()
    }
}

/// Teams with random calls at slots, in a time of its own.
struct SlotWorld<Divider: SlotDivider> {
    /// What a team wants.
    struct Load {
        let weight: Int64
        /// The longest of its calls.
        let longest: Duration
        /// It keeps up to so many waiting; one of nothing asks now and then.
        let burst: Int
    }

    let slots: Int
    let loads: [Load]
    /// Between two teams that always want more: how far their slot time for a share drifted apart in
    /// the worst window, in microseconds.
    private(set) var drift: [String: Int64] = [:]
    private var divider: Divider
    private var random: SplitMix
    private var now = Uptime(microseconds: 0)
    private var owners: [UInt64: Int] = [:]
    private var running: [UInt64: (since: Uptime, end: Uptime)] = [:]
    private var waiting: [Int]
    private var served: [Int64]
    private var arrivals: [Uptime]
    private var extremes: [String: (low: Int64, high: Int64)] = [:]

    /// A random world of a seed.
    init(seed: UInt64) {
        var random = SplitMix(seed: seed)
        slots = Int(random.below(8)) + 1
        var loads: [Load] = []
        for number in 0..<Int(random.below(4)) + 2 {
            // The first two always want more, and one of them much more.
            let burst = number == 0 ? 40 : number == 1 ? 1 + Int(random.below(3)) : 0
            loads.append(
                Load(
                    weight: Int64(random.below(6)) + 1,
                    longest: .milliseconds(Int64(random.below(5000)) + 100), burst: burst))
        }
        self.loads = loads
        waiting = loads.map { _ in 0 }
        served = loads.map { _ in 0 }
        arrivals = loads.map { _ in Uptime(microseconds: Int64(random.below(10_000_000))) }
        divider = Divider(slots: slots)
        self.random = random
    }

    /// The bound of SFQ(D) for two teams: `D + 1` of the longest calls of either, for a share.
    func bound(_ one: Int, _ other: Int) -> Int64 {
        [one, other].reduce(0) { sum, team in
            sum + Int64(slots + 1) * loads[team].longest.microseconds / loads[team].weight
        }
    }

    /// Lets so many calls end.
    mutating func run(calls: Int) {
        for _ in 0..<calls {
            topUp()
            note()
            guard let end = running.values.map(\.end).min() else { return }
            let arrival = loads.indices.filter { loads[$0].burst == 0 }.map { arrivals[$0] }.min()
            now = min(end, arrival ?? end)
            for team in loads.indices where loads[team].burst == 0 && arrivals[team] <= now {
                ask(team)
                arrivals[team] = now + .microseconds(Int64(random.below(20_000_000)))
            }
            note()
            for (ticket, call) in running.sorted(by: { $0.key < $1.key }) where call.end <= now {
                self.end(ticket, since: call.since)
            }
        }
    }

    private mutating func topUp() {
        for team in loads.indices where waiting[team] == 0 || loads[team].burst > 10 {
            while waiting[team] < loads[team].burst { ask(team) }
        }
    }

    private mutating func ask(_ team: Int) {
        let (ticket, hasSlot) = divider.request(team, weight: loads[team].weight, at: now)
        owners[ticket] = team
        if hasSlot { begin(ticket) } else { waiting[team] += 1 }
    }

    private mutating func begin(_ ticket: UInt64) {
        guard let team = owners[ticket] else { return }
        let length = Int64(random.below(UInt64(loads[team].longest.microseconds))) + 1
        running[ticket] = (now, now + .microseconds(length))
    }

    private mutating func end(_ ticket: UInt64, since: Uptime) {
        guard let team = owners.removeValue(forKey: ticket) else { return }
        running[ticket] = nil
        served[team] += (now - since).microseconds
        // Whoever always wants more asks again before the slot is given to anybody.
        topUp()
        guard let next = divider.release(ticket, at: now), let owner = owners[next] else { return }
        waiting[owner] -= 1
        begin(next)
    }

    private mutating func note() {
        let greedy = loads.indices.filter { loads[$0].burst > 0 }
        for one in greedy {
            for other in greedy where other > one {
                let difference = perShare(one) - perShare(other)
                let name = "\(one)-\(other)"
                var seen = extremes[name] ?? (difference, difference)
                seen = (min(seen.low, difference), max(seen.high, difference))
                extremes[name] = seen
                drift[name] = seen.high - seen.low
            }
        }
    }

    private func perShare(_ team: Int) -> Int64 {
        let open = running.filter { owners[$0.key] == team }.values
        let time = open.reduce(served[team]) { $0 + (now - $1.since).microseconds }
        return time / loads[team].weight
    }
}
