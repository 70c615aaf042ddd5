import Domain

/// Decides what happens to the engine's process: when it is started, asked for its health, given
/// up, started again and stopped. Pure: it is told what happened and when, and answers with what to
/// do.
struct EngineSupervisorMachine {
    /// How patient the supervisor is.
    struct Policy: Sendable, Equatable {
        /// From a start until the first healthy answer; loading a model takes its time.
        var startTimeout: Duration
        /// Between two questions while starting, and once healthy.
        var startInterval = Duration.milliseconds(50)
        var healthInterval = Duration.seconds(5)
        /// How many questions in a row may fail before a healthy engine is given up.
        var toleratedFailures = 3
        /// The wait before the first new start, doubled for each further one up to the maximum.
        var firstBackoff = Duration.milliseconds(500)
        var maximumBackoff = Duration.seconds(30)
        /// An engine that was healthy for this long starts from the first wait again.
        var healthyReset = Duration.seconds(60)
        /// From one signal of a stop to the next: SIGTERM, SIGTERM, SIGKILL.
        var firstTermWait = Duration.seconds(1)
        var secondTermWait = Duration.seconds(2)
    }

    /// What happened.
    enum Event: Equatable, Sendable {
        case startWasRequested
        /// The answer to `checkHealth` of that start.
        case healthWasChecked(isHealthy: Bool, start: Int)
        /// The process of that start ended, or could not be started.
        case childExited(start: Int)
        /// A time that was asked for by `wake` came.
        case timePassed
        /// It is not needed until `startWasRequested` comes again.
        case unloadWasRequested
        case stopWasRequested
    }

    /// What to do, in order.
    enum Action: Equatable, Sendable {
        /// Start the process; the number tells its events from those of earlier ones.
        case spawn(start: Int)
        /// Ask it for its health.
        case checkHealth(start: Int)
        /// Let `timePassed` happen at this time. Only the latest one matters.
        case wake(at: Uptime)
        /// Calls may be sent from now on.
        case open(start: Int)
        /// No calls from now on; those that wait are sent away.
        case close
        /// End the calls that are open, since llama-server does not stop while a stream is.
        case cutCalls
        case terminate
        case kill
        /// The process is gone, and none is started until one is asked for.
        case unloaded
        /// The process is gone and none will be started.
        case finish
    }

    private enum State {
        case idle
        case starting(start: Int, deadline: Uptime, nextCheck: Uptime?)
        case healthy(start: Int, since: Uptime, nextCheck: Uptime?, failures: Int)
        /// It was killed for not being healthy, and its end is awaited.
        case givingUp(start: Int)
        case backingOff(until: Uptime)
        /// After its end another one may be asked for, unless it is `forGood`.
        case stopping(start: Int, signals: Int, nextSignal: Uptime?, forGood: Bool)
        case stopped
    }

    private let policy: Policy
    private var state = State.idle
    private var starts = 0
    private var backoff: Duration
    /// How many processes ended since one was last healthy.
    private(set) var failedStarts = 0

    /// A machine that waits for `startWasRequested`.
    init(_ policy: Policy) {
        self.policy = policy
        backoff = policy.firstBackoff
    }

    /// How long a client should wait before it asks again; nil while healthy.
    func retryAfter(at now: Uptime) -> Duration? {
        switch state {
        case .healthy: nil
        case .backingOff(let until): max(.seconds(1), until - now)
        case .idle, .starting, .givingUp, .stopping, .stopped: .seconds(1)
        }
    }

    /// Takes note of what happened at `now` and says what to do.
    mutating func handle(_ event: Event, at now: Uptime) -> [Action] {
        switch event {
        case .startWasRequested: startWasRequested(at: now)
        case .healthWasChecked(let isHealthy, let start):
            healthWasChecked(isHealthy, start: start, at: now)
        case .childExited(let start): childExited(start: start, at: now)
        case .timePassed: timePassed(at: now)
        case .unloadWasRequested: unloadWasRequested(at: now)
        case .stopWasRequested: stopWasRequested(at: now)
        }
    }

    // MARK: Events

    private mutating func startWasRequested(at now: Uptime) -> [Action] {
        guard case .idle = state else { return [] }
        return spawn(at: now)
    }

    private mutating func healthWasChecked(
        _ isHealthy: Bool, start: Int, at now: Uptime
    ) -> [Action] {
        switch state {
        case .starting(start, let deadline, _):
            guard !isHealthy else {
                failedStarts = 0
                return [.open(start: start)] + becomeHealthy(start, since: now, failures: 0, now)
            }
            guard now < deadline else { return giveUp(start, wasOpen: false) }
            let next = min(deadline, now + policy.startInterval)
            state = .starting(start: start, deadline: deadline, nextCheck: next)
            return [.wake(at: next)]
        case .healthy(start, let since, _, let failures):
            let failures = isHealthy ? 0 : failures + 1
            guard failures < policy.toleratedFailures else {
                if now - since >= policy.healthyReset { backoff = policy.firstBackoff }
                return giveUp(start, wasOpen: true)
            }
            return becomeHealthy(start, since: since, failures: failures, now)
        default: return []  // An answer from before; the state has moved on.
        }
    }

    private mutating func childExited(start: Int, at now: Uptime) -> [Action] {
        switch state {
        case .starting(start, _, _), .givingUp(start): return backOff(at: now, wasOpen: false)
        case .healthy(start, let since, _, _):
            if now - since >= policy.healthyReset { backoff = policy.firstBackoff }
            return backOff(at: now, wasOpen: true)
        case .stopping(start, _, _, let forGood):
            guard forGood else { return unloaded() }
            state = .stopped
            return [.finish]
        default: return []
        }
    }

    private mutating func timePassed(at now: Uptime) -> [Action] {
        switch state {
        case .starting(let start, let deadline, let nextCheck?):
            guard now >= nextCheck else { return [.wake(at: nextCheck)] }
            state = .starting(start: start, deadline: deadline, nextCheck: nil)
            return [.checkHealth(start: start)]
        case .healthy(let start, let since, let nextCheck?, let failures):
            guard now >= nextCheck else { return [.wake(at: nextCheck)] }
            state = .healthy(start: start, since: since, nextCheck: nil, failures: failures)
            return [.checkHealth(start: start)]
        case .backingOff(let until):
            return now >= until ? spawn(at: now) : [.wake(at: until)]
        case .stopping(let start, let signals, let nextSignal?, let forGood):
            guard now >= nextSignal else { return [.wake(at: nextSignal)] }
            return signal(start, signals: signals, forGood: forGood, at: now)
        default: return []
        }
    }

    private mutating func stopWasRequested(at now: Uptime) -> [Action] {
        switch state {
        case .idle, .backingOff:
            state = .stopped
            return [.close, .finish]
        case .starting(let start, _, _), .healthy(let start, _, _, _):
            return [.close, .cutCalls] + signal(start, signals: 0, forGood: true, at: now)
        case .givingUp(let start):
            // Killed already.
            state = .stopping(start: start, signals: 3, nextSignal: nil, forGood: true)
            return []
        case .stopping(let start, let signals, let nextSignal, _):
            state = .stopping(
                start: start, signals: signals, nextSignal: nextSignal, forGood: true)
            return []
        case .stopped: return []
        }
    }

    private mutating func unloadWasRequested(at now: Uptime) -> [Action] {
        switch state {
        case .idle, .backingOff: return [.close] + unloaded()
        case .starting(let start, _, _), .healthy(let start, _, _, _):
            return [.close, .cutCalls] + signal(start, signals: 0, forGood: false, at: now)
        case .givingUp(let start):
            state = .stopping(start: start, signals: 3, nextSignal: nil, forGood: false)
            return []
        case .stopping, .stopped: return []
        }
    }

    /// The next start is as the first one.
    private mutating func unloaded() -> [Action] {
        state = .idle
        failedStarts = 0
        backoff = policy.firstBackoff
        return [.unloaded]
    }

    // MARK: Steps

    private mutating func spawn(at now: Uptime) -> [Action] {
        starts += 1
        let first = now + policy.startInterval
        state = .starting(
            start: starts, deadline: now + policy.startTimeout, nextCheck: first)
        return [.spawn(start: starts), .wake(at: first)]
    }

    private mutating func becomeHealthy(
        _ start: Int, since: Uptime, failures: Int, _ now: Uptime
    ) -> [Action] {
        let next = now + policy.healthInterval
        state = .healthy(start: start, since: since, nextCheck: next, failures: failures)
        return [.wake(at: next)]
    }

    private mutating func giveUp(_ start: Int, wasOpen: Bool) -> [Action] {
        state = .givingUp(start: start)
        return (wasOpen ? [.close, .cutCalls] : []) + [.kill]
    }

    private mutating func backOff(at now: Uptime, wasOpen: Bool) -> [Action] {
        failedStarts += 1
        let until = now + backoff
        backoff = min(policy.maximumBackoff, backoff * 2)
        state = .backingOff(until: until)
        return (wasOpen ? [.close, .cutCalls] : []) + [.wake(at: until)]
    }

    private mutating func signal(
        _ start: Int, signals: Int, forGood: Bool, at now: Uptime
    ) -> [Action] {
        guard signals < 2 else {
            state = .stopping(
                start: start, signals: signals + 1, nextSignal: nil, forGood: forGood)
            return [.kill]
        }
        let next = now + (signals == 0 ? policy.firstTermWait : policy.secondTermWait)
        state = .stopping(
            start: start, signals: signals + 1, nextSignal: next, forGood: forGood)
        return [.terminate, .wake(at: next)]
    }
}
