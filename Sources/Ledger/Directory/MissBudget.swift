import Domain

/// How many keys that are not in memory may be looked up: per source and in all. Pure: the caller
/// supplies the time.
///
/// Bounds what a scan of key ids costs the database. Keys in memory never ask it.
struct MissBudget: Sendable {
    /// What a source may do: 20 at once, then 20 a minute.
    private static let source = Rate(every: .seconds(3), burst: 20)
    /// What all may do together: never more than 200 in any second (40 at once and 160 a second).
    private static let all = Rate(every: .microseconds(6250), burst: 40)
    /// Sources remembered; one that was forgotten starts anew, still within the budget of all.
    private static let mostSources = 16_384
    /// The longest name of a source that is told apart.
    private static let longestSource = 64

    private var sources = BoundedMap<String, Cell>(capacity: mostSources)
    private var everyone = Cell()

    /// Takes one look-up from both budgets, or neither: nil, or how long to wait.
    mutating func take(_ name: String, at now: Uptime, random: UInt64) -> Duration? {
        let name = Self.short(name)
        var cell = sources[name] ?? Cell()
        let wait = max(cell.wait(Self.source, at: now), everyone.wait(Self.all, at: now))
        guard wait == .zero else { return wait }
        cell.take(Self.source, at: now)
        everyone.take(Self.all, at: now)
        sources.set(name, to: cell, random: random)
        return nil
    }

    /// Gives a source its look-up back: the key was a right one. Otherwise many keys behind one
    /// proxy would starve after a restart.
    mutating func giveBack(_ name: String, random: UInt64) {
        let name = Self.short(name)
        guard var cell = sources[name] else { return }
        cell.giveBack(Self.source)
        sources.set(name, to: cell, random: random)
    }

    private static func short(_ name: String) -> String {
        name.utf8.count <= longestSource ? name : String(name.prefix(longestSource))
    }

    /// A rate and how much may come at once.
    private struct Rate {
        let interval: Int64
        let burst: Int64

        init(every interval: Duration, burst: Int64) {
            self.interval = interval.microseconds
            self.burst = burst * interval.microseconds
        }
    }

    /// The generic cell rate algorithm: the theoretical arrival time, in microseconds.
    private struct Cell: Sendable {
        private var arrival: Int64 = .min

        func wait(_ rate: Rate, at now: Uptime) -> Duration {
            let next = max(arrival, now.microseconds) + rate.interval
            return .microseconds(max(0, next - now.microseconds - rate.burst))
        }

        mutating func take(_ rate: Rate, at now: Uptime) {
            arrival = max(arrival, now.microseconds) + rate.interval
        }

        mutating func giveBack(_ rate: Rate) { arrival -= rate.interval }
    }
}
