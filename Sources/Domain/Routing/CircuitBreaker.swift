/// Decides whether a backend may be tried. Pure: the caller supplies the time, and acts outside of
/// whatever lock it holds.
///
/// Closed, it lets everything through and counts; too many failures open it, and nothing goes
/// through for a while; then it is half open and lets one call through, the probe, whose outcome
/// closes it or opens it again for twice as long. The states are those of M. Nygard, "Release It!"
/// (2007), chapter 5; that the time doubles, up to a limit, is Envoy's ejection time
/// (`outlier_detection`: base and maximum). Beside it a backend may rest for as long as it asked
/// for (`Retry-After`), which is no failure.
public struct CircuitBreaker: Sendable {
    /// When it opens, and for how long.
    public struct Limits: Sendable, Hashable {
        /// Failures are counted over this long.
        public var window = Duration.seconds(10)
        /// Of fewer calls in the window no share is taken.
        public var minimumCalls: Int64 = 10
        /// It opens when this many per cent of the window's calls failed; 1...100.
        public var failurePercent: Int64 = 50
        /// It opens after so many failures without a success between them.
        public var consecutiveFailures: Int64 = 5
        /// How long it stays open the first time.
        public var openTime = Duration.seconds(5)
        /// The longest that it stays open, and that a backend rests, whatever it asks for.
        public var longestOpenTime = Duration.seconds(60)

        /// The usual limits.
        public init() {}
    }

    /// Whether a call may be made.
    public enum Decision: Sendable, Equatable {
        /// It may; its outcome is to be told, exactly once.
        case allow(Permit)
        /// Not before this moment.
        case refuse(until: Uptime)
    }

    /// Stands for one call that was let through.
    public struct Permit: Sendable, Equatable {
        fileprivate let generation: UInt64
    }

    /// What a call says of its backend.
    public enum Outcome: Sendable, Equatable {
        /// It works.
        case success
        /// It does not.
        case failure
        /// It works, and wants to be left alone for so long.
        case rest(Duration)
        /// Nothing: the client left, or the call was not made.
        case nothing
    }

    private enum State: Sendable {
        case closed(failuresInARow: Int64)
        case open(until: Uptime)
        case halfOpen(isProbing: Bool)
    }

    private let limits: Limits
    private var state = State.closed(failuresInARow: 0)
    /// Raised with every change of state: what began in another state says nothing of this one.
    private var generation: UInt64 = 0
    /// How often it has opened without closing between.
    private var openings = 0
    private var restsUntil: Uptime?
    private var counts: WindowedCounts

    /// A closed one.
    public init(_ limits: Limits) {
        self.limits = limits
        counts = WindowedCounts(window: limits.window)
    }

    /// Whether it lets everything through at whatever time: no clock needs to be read.
    public var isClear: Bool {
        if case .closed = state { return restsUntil == nil }
        return false
    }

    /// Until when it would refuse a call now; nil when it would let it through. Changes nothing.
    public func refusal(at now: Uptime) -> Uptime? {
        if let restsUntil, now < restsUntil { return restsUntil }
        switch state {
        case .closed: return nil
        case .open(let until): return now < until ? until : nil
        case .halfOpen(let isProbing): return isProbing ? now + limits.openTime : nil
        }
    }

    /// Decides on a call.
    public mutating func decide(at now: Uptime) -> Decision {
        if let until = refusal(at: now) { return .refuse(until: until) }
        restsUntil = nil
        switch state {
        case .closed: break
        case .open: enter(.halfOpen(isProbing: true))
        case .halfOpen: state = .halfOpen(isProbing: true)
        }
        return .allow(Permit(generation: generation))
    }

    /// Takes the outcome of a call that was let through.
    public mutating func record(_ outcome: Outcome, of permit: Permit, at now: Uptime) {
        if case .rest(let wait) = outcome { rest(for: wait, at: now) }
        guard permit.generation == generation else { return }
        switch (state, outcome) {
        case (.closed, .success), (.closed, .rest):
            counts.add(all: 1, part: 0, at: now)
            state = .closed(failuresInARow: 0)
        case (.closed(let before), .failure):
            counts.add(all: 1, part: 1, at: now)
            state = .closed(failuresInARow: before + 1)
            if isTooMuch(failuresInARow: before + 1, at: now) { open(at: now) }
        case (.halfOpen, .success), (.halfOpen, .rest):
            openings = 0
            counts.clear()
            enter(.closed(failuresInARow: 0))
        case (.halfOpen, .failure): open(at: now)
        case (.halfOpen, .nothing): state = .halfOpen(isProbing: false)
        case (.closed, .nothing), (.open, _): break
        }
    }

    /// Takes a failure that came after a call had been recorded: an answer that broke off.
    public mutating func recordBreak(at now: Uptime) {
        record(.failure, of: Permit(generation: generation), at: now)
    }

    private func isTooMuch(failuresInARow: Int64, at now: Uptime) -> Bool {
        if failuresInARow >= limits.consecutiveFailures { return true }
        let (calls, failures) = counts.sums(at: now)
        return calls >= limits.minimumCalls && failures * 100 >= limits.failurePercent * calls
    }

    private mutating func open(at now: Uptime) {
        let time = limits.openTime * (1 << min(openings, 16))
        openings += 1
        enter(.open(until: now + min(time, limits.longestOpenTime)))
    }

    private mutating func rest(for wait: Duration, at now: Uptime) {
        let until = now + min(max(.zero, wait), limits.longestOpenTime)
        restsUntil = restsUntil.map { max($0, until) } ?? until
    }

    private mutating func enter(_ next: State) {
        generation += 1
        state = next
    }
}
