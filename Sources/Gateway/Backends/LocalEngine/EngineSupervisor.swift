import Curl
import Domain
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// Runs the engine's process as ``EngineSupervisorMachine`` decides: starts it, watches it, starts it
/// again when it fails, and ends it when it is not needed or the gateway stops.
final class EngineSupervisor: Sendable {
    /// What its owner is told, in order.
    enum Change: Sendable, Equatable {
        /// Calls can be sent.
        case opened
        /// No calls from now on.
        case closed
        /// So many processes in a row ended before they were healthy.
        case startFailed(times: Int)
        /// It was unloaded: nothing of it is left.
        case unloaded
    }

    /// How it stands.
    struct Standing: Sendable {
        let isOpen: Bool
        /// How long a client should wait before it asks again.
        let retryAfter: Duration
        /// How the last process ended.
        let lastExit: String?
    }

    private struct State {
        var machine: EngineSupervisorMachine
        /// The latest start, whether or not it takes calls.
        var instance: EngineInstance?
        /// Whether calls may be sent.
        var isOpen = false
        /// An end was asked for: it is no surprise.
        var isEnding = false
        var isFinished = false
        /// Counts the times that were asked for, so that only the latest is told.
        var wakes = 0
        var lastExit: String?
        var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher: UInt64 = 0
    }

    private typealias Event = EngineSupervisorMachine.Event

    /// How many processes may end before one was healthy until a start is called failed.
    static let hopelessStarts = 3

    private let configuration: LocalEngineConfiguration
    private let log: EngineLog
    private let logger: Logger
    private let time: any TimeSource
    private let random: @Sendable () -> UInt64
    private let state: Mutex<State>
    /// Not bounded by itself, but every event answers an action, of which few are under way at a
    /// time, or a change of what is wanted.
    private let events: AsyncStream<Event>
    private let sink: AsyncStream<Event>.Continuation

    /// A supervisor whose engine starts when it is asked for. `random` gives the bits of each start's
    /// key.
    init(
        _ configuration: LocalEngineConfiguration, logger: Logger, time: any TimeSource,
        random: @escaping @Sendable () -> UInt64
    ) {
        self.configuration = configuration
        self.logger = logger
        self.time = time
        self.random = random
        log = EngineLog(path: configuration.logFile, maximumBytes: EngineLog.maximumBytes)
        state = Mutex(
            State(
                machine: EngineSupervisorMachine(.init(startTimeout: configuration.startTimeout))))
        (events, sink) = AsyncStream.makeStream()
    }

    /// What calls can be sent to now; nil while there is nothing.
    var openInstance: EngineInstance? { state.withLock { $0.isOpen ? $0.instance : nil } }

    /// How it stands now.
    var standing: Standing {
        let now = time.uptime
        return state.withLock { state in
            Standing(
                isOpen: state.isOpen,
                retryAfter: state.machine.retryAfter(at: now) ?? .seconds(1),
                lastExit: state.lastExit)
        }
    }

    /// The process group of the latest start, for its memory; nil while there is none.
    var processGroup: Int32? { state.withLock { $0.instance }?.process.group }

    /// Asks for the engine to run; nothing happens if it does.
    func load() {
        state.withLock { $0.isEnding = false }
        sink.yield(.startWasRequested)
    }

    /// Asks for the engine to end until it is asked for again.
    func unload() {
        state.withLock { $0.isEnding = true }
        sink.yield(.unloadWasRequested)
    }

    /// Supervises until the gateway shuts down; then stops the engine in good order. A cancelled task
    /// kills it at once. Either way it is gone when this returns. `told` hears of each change.
    func run(_ told: @escaping @Sendable (Change) -> Void) async {
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await event in events {
                    for action in decide(event) { await perform(action, &group, told) }
                    let failures = state.withLock { $0.machine.failedStarts }
                    if case .childExited = event, failures > 0 {
                        told(.startFailed(times: failures))
                    }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.isEnding = true }
            self.sink.yield(.stopWasRequested)
        }
        let instance = state.withLock { state in
            defer { state.instance = nil }
            return state.instance
        }
        change {
            $0.isOpen = false
            $0.isFinished = true
        }
        told(.closed)
        await instance?.end()
    }

    /// Waits until calls can be sent. Throws when that is not so in time, when the engine was
    /// stopped, and early when several processes in a row ended by themselves, with what the last
    /// one said.
    func waitUntilHealthy(timeout: Duration) async throws(EngineFault) {
        let (changes, watch) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let watcher = state.withLock { state in
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = watch
            return state.nextWatcher
        }
        defer { state.withLock { _ = $0.watchers.removeValue(forKey: watcher) } }
        let verdict = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled with the group, and then nobody waits.
                try? await Task.sleep(for: timeout)
                watch.finish()
            }
            var verdict = self.verdict()
            var iterator = changes.makeAsyncIterator()
            while verdict == nil, await iterator.next() != nil { verdict = self.verdict() }
            group.cancelAll()
            return verdict
        }
        try (verdict ?? .failure(fault("was not ready in time"))).get()
    }

    private func verdict() -> Result<Void, EngineFault>? {
        let (isOpen, isFinished, failures) = state.withLock {
            ($0.isOpen, $0.isFinished, $0.machine.failedStarts)
        }
        if isOpen { return .success(()) }
        if isFinished { return .failure(fault("was stopped")) }
        return failures >= Self.hopelessStarts ? .failure(fault("does not start")) : nil
    }

    private func fault(_ what: String) -> EngineFault {
        let exit = state.withLock { $0.lastExit }
        return EngineFault(
            "the engine \(configuration.name) \(what)" + (exit.map { ": \($0)" } ?? "")
                + " (see \(configuration.logFile))")
    }

    // MARK: Actions

    private func decide(_ event: Event) -> [EngineSupervisorMachine.Action] {
        let now = time.uptime
        return state.withLock { $0.machine.handle(event, at: now) }
    }

    private func perform(
        _ action: EngineSupervisorMachine.Action, _ group: inout DiscardingTaskGroup,
        _ told: @Sendable (Change) -> Void
    ) async {
        let instance = state.withLock { $0.instance }
        switch action {
        case .spawn(let start): await spawn(start)
        case .checkHealth(let start):
            group.addTask {
                let isHealthy = await instance?.isHealthy() ?? false
                self.sink.yield(.healthWasChecked(isHealthy: isHealthy, start: start))
            }
        case .wake(let instant): wake(at: instant, &group)
        case .open(let start):
            logger.info(
                "engine ready",
                metadata: ["backend": "\(configuration.name)", "start": "\(start)"])
            change { $0.isOpen = true }
            told(.opened)
        case .close:
            change { $0.isOpen = false }
            told(.closed)
        case .cutCalls: await instance?.client.shutdown()
        case .terminate: instance?.process.signal(SIGTERM)
        case .kill: instance?.process.signal(SIGKILL)
        case .unloaded:
            instance?.removeSocket()
            change { $0.instance = nil }
            logger.info("engine unloaded", metadata: ["backend": "\(configuration.name)"])
            told(.unloaded)
        case .finish: sink.finish()
        }
    }

    private func spawn(_ start: Int) async {
        do throws(EngineFault) {
            let instance = try await EngineInstance.start(
                configuration, log: log, logger: logger, random: random
            ) { [self] ending in noteEnd(of: start, ending) }
            change { $0.instance = instance }
        } catch {
            logger.error(
                "engine not started",
                metadata: [
                    "backend": "\(configuration.name)", "start": "\(start)", "reason": "\(error)",
                ])
            change { $0.lastExit = error.description }
            sink.yield(.childExited(start: start))
        }
    }

    private func noteEnd(of start: Int, _ ending: String) {
        logger.log(
            level: state.withLock { $0.isEnding ? .debug : $0.isOpen ? .error : .warning },
            "engine ended",
            metadata: [
                "backend": "\(configuration.name)", "start": "\(start)", "reason": "\(ending)",
                "log": "\(configuration.logFile)",
            ])
        change { $0.lastExit = ending }
        sink.yield(.childExited(start: start))
    }

    private func wake(at instant: Uptime, _ group: inout DiscardingTaskGroup) {
        let wait = instant - time.uptime
        let number = state.withLock { state in
            state.wakes += 1
            return state.wakes
        }
        group.addTask {
            // Cancelled only with everything else, and then no time matters any more.
            guard (try? await Task.sleep(for: wait)) != nil else { return }
            if self.state.withLock({ $0.wakes == number }) { self.sink.yield(.timePassed) }
        }
    }

    private func change(_ body: (inout State) -> Void) {
        let watchers = state.withLock { state in
            body(&state)
            return Array(state.watchers.values)
        }
        for watcher in watchers { watcher.yield() }
    }
}
