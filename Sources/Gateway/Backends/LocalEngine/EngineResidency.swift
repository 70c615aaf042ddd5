import Domain
import Logging
import ServiceLifecycle
import Synchronization

/// The engines that share a memory budget: an ``EngineResidencyMachine`` with the calls that wait for
/// an engine to be loaded, and the engines that it loads and unloads.
final class EngineResidency: Service {
    /// How an engine is reached.
    struct Handle: Sendable {
        let load: @Sendable () -> Void
        let unload: @Sendable () -> Void
        /// What it takes now, in bytes; nil where nobody can tell.
        let memory: @Sendable () -> Int64?
    }

    private enum Outcome { case admitted, refused(retryAfter: Duration), expired, left }

    private typealias Waits = TicketWaits<EngineResidencyMachine.Ticket, Outcome>

    private struct State {
        var machine: EngineResidencyMachine
        var handles: [String: Handle] = [:]
        var waits = Waits()
    }

    /// What is done once the lock is given back.
    private struct Effects {
        var calls: [@Sendable () -> Void] = []
        var resumptions: [(Waits.Waiter, Outcome)] = []

        func perform() {
            for call in calls { call() }
            for (continuation, outcome) in resumptions { continuation.resume(returning: outcome) }
        }
    }

    /// The engines as they are configured, by name.
    let engines: [String: EngineResidencyMachine.Engine]
    private let state: Mutex<State>
    private let time: any TimeSource
    private let logger: Logger

    /// How often engines are looked at, for idleness and for what memory they have.
    private static let lookInterval = Duration.seconds(1)

    /// Engines of which none is loaded yet. `budget` is in bytes.
    init(
        _ engines: [String: EngineResidencyMachine.Engine], budget: Int64?,
        policy: EngineResidencyMachine.Policy, time: any TimeSource, logger: Logger
    ) {
        self.engines = engines
        state = Mutex(
            State(machine: EngineResidencyMachine(engines, budget: budget, policy: policy)))
        self.time = time
        self.logger = logger
    }

    /// Says how an engine is reached, before anything runs.
    func attach(_ name: String, _ handle: Handle) {
        state.withLock { $0.handles[name] = handle }
    }

    /// Lets the engines take so much from now on, in bytes; nil is as much as there is.
    func setBudget(_ budget: Int64?) {
        let now = time.uptime
        let effects = state.withLock { state in
            let actions = state.machine.setBudget(budget, at: now)
            return Self.take(actions, &state)
        }
        effects.perform()
    }

    /// Takes note of what an engine told.
    func note(_ change: EngineSupervisor.Change, of name: String) {
        switch change {
        case .opened: handle(.opened(name, memory: memory(of: name)))
        case .closed: handle(.closed(name))
        case .startFailed(let times): handle(.startFailed(name, times: times))
        case .unloaded: handle(.unloaded(name))
        }
    }

    /// Why an engine takes no calls; nil if it does, loaded or not.
    func unavailability(of name: String) -> BackendFailure? {
        let now = time.uptime
        return state.withLock { $0.machine.rest(of: name, at: now) }.map {
            BackendFailure(
                kind: .notReady(retryAfter: $0),
                detail: "the engine did not start and is left alone")
        }
    }

    /// Waits until an engine is loaded, which it stays until the lease ends. Throws `notReady` if
    /// that is not so by `deadline`, if it does not start, or if there will never be room for it, and
    /// `cancelled` if the task was cancelled.
    func enter(_ name: String, until deadline: Uptime) async throws(BackendFailure)
        -> EngineSlotLease
    {
        let now = time.uptime
        let (answer, effects) = state.withLock { state in
            let (answer, actions) = state.machine.callCame(for: name, at: now)
            return (answer, Self.take(actions, &state))
        }
        effects.perform()
        switch answer {
        case .admitted: return stay(name)
        case .failed(let rest): throw notReady(rest, "the engine did not start and is left alone")
        case .tooLarge:
            logger.error(
                "an engine does not fit its memory budget beside those that are always loaded",
                metadata: ["backend": "\(name)"])
            throw notReady(.seconds(60), "the engine does not fit the memory budget")
        case .waiting(let ticket):
            switch await wait(for: ticket, atMost: deadline - now) {
            case .admitted:
                let stay = stay(name)
                // Admitted while the client left: the lease ends the stay when it is dropped.
                if Task.isCancelled { throw BackendFailure(kind: .cancelled, detail: "") }
                return stay
            case .refused(let rest): throw notReady(rest, "the engine does not start")
            case .expired: throw notReady(.seconds(1), "the engine was not loaded in time")
            case .left: throw BackendFailure(kind: .cancelled, detail: "")
            }
        }
    }

    /// Looks after the engines until the gateway stops.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            // Cancelled when everything stops, and then nothing is left to be looked after.
            while (try? await Task.sleep(for: Self.lookInterval)) != nil {
                for name in self.state.withLock({ $0.machine.present }) {
                    self.handle(.measured(name, memory: self.memory(of: name)))
                }
                self.handle(.timePassed)
            }
        }
    }

    // MARK: Decisions and effects

    private func handle(_ event: EngineResidencyMachine.Event) {
        let now = time.uptime
        let effects = state.withLock { state in
            let actions = state.machine.handle(event, at: now)
            return Self.take(actions, &state)
        }
        effects.perform()
    }

    private static func take(
        _ actions: [EngineResidencyMachine.Action], _ state: inout State
    ) -> Effects {
        var effects = Effects()
        for action in actions {
            switch action {
            case .load(let name):
                if let handle = state.handles[name] { effects.calls.append(handle.load) }
            case .unload(let name):
                if let handle = state.handles[name] { effects.calls.append(handle.unload) }
            case .admit(let ticket): resolve(ticket, .admitted, &state, &effects)
            case .refuse(let ticket, let wait):
                resolve(ticket, .refused(retryAfter: wait), &state, &effects)
            }
        }
        return effects
    }

    private static func resolve(
        _ ticket: EngineResidencyMachine.Ticket, _ outcome: Outcome, _ state: inout State,
        _ effects: inout Effects
    ) {
        if let waiter = state.waits.resolve(ticket, outcome) {
            effects.resumptions.append((waiter, outcome))
        }
    }

    private func memory(of name: String) -> Int64 {
        let handle = state.withLock { $0.handles[name] }
        return handle?.memory() ?? 0
    }

    private func stay(_ name: String) -> EngineSlotLease {
        EngineSlotLease(waited: .zero) { [self] in handle(.callEnded(name)) }
    }

    private func notReady(_ wait: Duration, _ detail: String) -> BackendFailure {
        BackendFailure(kind: .notReady(retryAfter: wait), detail: detail)
    }

    // MARK: Waiting

    private func wait(
        for ticket: EngineResidencyMachine.Ticket, atMost patience: Duration
    ) async -> Outcome {
        await Waits.outcome(atMost: patience) { waiter in
            state.withLock { $0.waits.enter(ticket, waiter) }
        } leave: { [self] leaving in
            stopWaiting(ticket, leaving == .expired ? .expired : .left)
        }
    }

    private func stopWaiting(_ ticket: EngineResidencyMachine.Ticket, _ outcome: Outcome) {
        let now = time.uptime
        let effects = state.withLock { state in
            // What it was told before holds.
            guard state.machine.isWaiting(ticket) else { return Effects() }
            var effects = Self.take(state.machine.handle(.waiterLeft(ticket), at: now), &state)
            Self.resolve(ticket, outcome, &state, &effects)
            return effects
        }
        effects.perform()
    }
}
