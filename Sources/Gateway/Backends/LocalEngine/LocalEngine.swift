import Curl
import Domain
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// llama.cpp's server as a child process: started, watched, started again when it fails, and
/// stopped with the gateway.
///
/// Each start has its own HTTP client, so that ending an engine ends its calls, and a connection of
/// one never meets the next.
final class LocalEngine: Backend, Service {
    let name: String
    private let configuration: LocalEngineConfiguration
    private let log: EngineLog
    private let slots: EngineSlots
    private let logger: Logger
    private let time: any TimeSource
    private let random: @Sendable () -> UInt64
    private let state: Mutex<State>

    /// How many processes may end before one was healthy until a start is called failed.
    private static let hopelessStarts = 3

    /// One start of the process.
    private struct Instance: Sendable {
        let client: CurlClient
        let exchange: ChatExchange
        let process: EngineProcess
    }

    private struct State {
        var machine: EngineSupervisorMachine
        /// The latest start, whether or not it takes calls.
        var instance: Instance?
        /// Whether calls may be sent.
        /// A stop was asked for: its end is no surprise.
        var isStopping = false
        var isOpen = false
        var isFinished = false
        /// Counts the times that were asked for, so that only the latest is told.
        var wakes = 0
        /// How the last process ended.
        var lastExit: String?
        var watchers: [UInt64: AsyncStream<Void>.Continuation] = [:]
        var nextWatcher: UInt64 = 0
    }

    private typealias Event = EngineSupervisorMachine.Event

    /// An engine that starts when it is run. `random` gives the bits of each start's key.
    init(
        _ configuration: LocalEngineConfiguration, logger: Logger, time: any TimeSource,
        random: @escaping @Sendable () -> UInt64
    ) {
        name = configuration.name
        self.configuration = configuration
        self.logger = logger
        self.time = time
        self.random = random
        log = EngineLog(path: configuration.logFile, maximumBytes: EngineLog.maximumBytes)
        slots = EngineSlots(
            slots: configuration.slots, maximumWaiting: configuration.queueLength,
            shares: configuration.shares, time: time)
        state = Mutex(
            State(
                machine: EngineSupervisorMachine(.init(startTimeout: configuration.startTimeout))))
    }

    // MARK: Calls

    var unavailability: BackendFailure? {
        let now = time.uptime
        let (isOpen, wait, exit) = state.withLock {
            ($0.isOpen, $0.machine.retryAfter(at: now), $0.lastExit)
        }
        // A full queue is no reason: it has room for teams that do not crowd it.
        guard !isOpen else { return nil }
        return BackendFailure(
            kind: .notReady(retryAfter: wait ?? .seconds(1)),
            detail: "the engine is not ready" + (exit.map { "; the last one: \($0)" } ?? ""))
    }

    func unsupportedParameter(
        in request: ChatCompletionRequest, completionBound: Int64
    ) -> String? {
        Dialect.llamaServer.unsupportedParameter(in: request)
    }

    func forward(_ call: BackendCall) async throws(BackendFailure) -> any BackendAnswer {
        if let unavailability { throw unavailability }
        let now = time.uptime
        let deadline = now + configuration.queueTimeout
        guard call.request.choices > 1 else {
            let lease = try await slots.acquire(for: call.team, since: now, until: deadline)
            return try await begin(call, holding: lease)
        }
        // Of several choices it counts the tokens of one only, and it takes no more than its slots.
        return try await FannedAnswer.begin(call) { [self] call, waits throws(BackendFailure) in
            let lease =
                waits
                ? try await slots.acquire(for: call.team, since: now, until: deadline)
                : slots.acquireIfFree(for: call.team)
            guard let lease else { return nil }
            return try await begin(call, holding: lease)
        }
    }

    /// The engine's own count, which it makes beside the calls that it works on.
    ///
    /// Not of images and their like, of which it counts nothing, and not of a text so long that its
    /// bytes alone bound it better than anybody should count it for free.
    func promptTokens(of call: BackendCall) async throws(BackendFailure) -> Int64? {
        let most = Int64(configuration.contextTokensPerSlot) * Self.countedBytesPerToken
        guard PromptBound.bytes(call.request) <= most,
            call.request.firstPart(where: { $0.text == nil }) == nil,
            let instance = state.withLock({ $0.isOpen ? $0.instance : nil })
        else { return nil }
        do throws(BackendFailure) {
            return try await instance.exchange.promptTokens(
                of: call, over: instance.client, within: Self.countingTimeout)
        } catch {
            if error.kind == .cancelled { throw error }
            // A bound will do; what is wrong with the engine or the request the call itself tells.
            return nil
        }
    }

    /// A count takes milliseconds; an engine that needs so long is not waited for.
    private static let countingTimeout = Duration.seconds(1)
    /// No token of a text is longer on average; a prompt of more bytes does not fit its slot.
    private static let countedBytesPerToken: Int64 = 32

    private func begin(
        _ call: BackendCall, holding lease: EngineSlotLease
    ) async throws(BackendFailure) -> ChatAnswer {
        // Asked after the wait, during which the engine may have been replaced.
        guard let instance = state.withLock({ $0.isOpen ? $0.instance : nil }) else {
            throw unavailability ?? BackendFailure(kind: .unreachable, detail: "no engine")
        }
        if call.request.overflow == .error {
            let count = try await instance.exchange.promptTokens(
                of: call, over: instance.client, within: configuration.limits.firstByteTimeout)
            let context = Int64(configuration.contextTokensPerSlot)
            if let failure = call.overflow(promptTokens: count, contextTokens: context) {
                throw failure
            }
        }
        return try await instance.exchange.begin(call, over: instance.client, holding: lease)
    }

    /// Waits until calls can be sent. Throws when that is not so in time, when the engine was
    /// stopped, and early when several processes in a row ended by themselves, with what the last
    /// one said.
    func waitUntilHealthy(timeout: Duration) async throws(EngineFault) {
        let (changes, sink) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let watcher = state.withLock { state in
            state.nextWatcher += 1
            state.watchers[state.nextWatcher] = sink
            return state.nextWatcher
        }
        defer { state.withLock { _ = $0.watchers.removeValue(forKey: watcher) } }
        let verdict = await withTaskGroup(of: Void.self) { group in
            group.addTask {
                // Cancelled with the group, and then nobody waits.
                try? await Task.sleep(for: timeout)
                sink.finish()
            }
            var verdict = self.verdict()
            var iterator = changes.makeAsyncIterator()
            while verdict == nil, await iterator.next() != nil { verdict = self.verdict() }
            group.cancelAll()
            return verdict
        }
        try (verdict ?? .failure(fault("was not ready in time"))).get()
    }

    /// How many calls wait for a slot.
    var waitingCalls: Int { slots.waitingCount }

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
            "the engine \(name) \(what)" + (exit.map { ": \($0)" } ?? "")
                + " (see \(configuration.logFile))")
    }

    // MARK: Supervision

    /// Keeps the engine running until the gateway shuts down; then stops it in good order. A
    /// cancelled task kills it at once. Either way it is gone when this returns.
    func run() async throws {
        // Not bounded by itself, but every event answers an action, of which few are under way at a
        // time.
        let (events, sink) = AsyncStream<Event>.makeStream()
        sink.yield(.startWasRequested)
        await withGracefulShutdownHandler {
            await withDiscardingTaskGroup { group in
                for await event in events {
                    for action in decide(event) { await perform(action, sink, &group) }
                }
                group.cancelAll()
            }
        } onGracefulShutdown: {
            self.state.withLock { $0.isStopping = true }
            sink.yield(.stopWasRequested)
        }
        await endWhatIsLeft()
    }

    private func decide(_ event: Event) -> [EngineSupervisorMachine.Action] {
        let now = time.uptime
        return state.withLock { $0.machine.handle(event, at: now) }
    }

    private func perform(
        _ action: EngineSupervisorMachine.Action, _ sink: AsyncStream<Event>.Continuation,
        _ group: inout DiscardingTaskGroup
    ) async {
        let instance = state.withLock { $0.instance }
        switch action {
        case .spawn(let start): await spawn(start, sink)
        case .checkHealth(let start):
            group.addTask {
                let isHealthy = await self.isHealthy(instance)
                sink.yield(.healthWasChecked(isHealthy: isHealthy, start: start))
            }
        case .wake(let instant): wake(at: instant, sink, &group)
        case .open(let start):
            logger.info("engine ready", metadata: ["backend": "\(name)", "start": "\(start)"])
            change { $0.isOpen = true }
        case .close:
            change { $0.isOpen = false }
            slots.dismissWaiters()
        case .cutCalls: await instance?.client.shutdown()
        case .terminate: instance?.process.signal(SIGTERM)
        case .kill: instance?.process.signal(SIGKILL)
        case .finish: sink.finish()
        }
    }

    private func spawn(_ start: Int, _ sink: AsyncStream<Event>.Continuation) async {
        do throws(EngineFault) {
            let instance = try await makeInstance { [self] ending in
                logger.log(
                    level: state.withLock {
                        $0.isStopping ? .debug : $0.isOpen ? .error : .warning
                    },
                    "engine ended",
                    metadata: [
                        "backend": "\(name)", "start": "\(start)", "reason": "\(ending)",
                        "log": "\(configuration.logFile)",
                    ])
                change { $0.lastExit = ending }
                sink.yield(.childExited(start: start))
            }
            change { $0.instance = instance }
        } catch {
            logger.error(
                "engine not started",
                metadata: ["backend": "\(name)", "start": "\(start)", "reason": "\(error)"])
            change { $0.lastExit = error.description }
            sink.yield(.childExited(start: start))
        }
    }

    private func makeInstance(
        onExit: @escaping @Sendable (String) -> Void
    ) async throws(EngineFault) -> Instance {
        let socket = try EngineSocket.prepare(in: configuration.socketDirectory, backend: name)
        let digits = (0..<4).map { _ in String(random(), radix: 36) }.joined()
        guard let key = UpstreamCredential(bytes: Array(digits.utf8)) else {
            preconditionFailure("digits make a key")
        }
        let client: CurlClient
        do throws(CurlFailure) {
            // Room for questions about health beside the calls, of which there are never more than
            // slots.
            client = try CurlClient(
                configuration: CurlConfiguration(
                    maximumTransfers: configuration.slots + 16, maximumIdleConnections: 1),
                logger: logger)
        } catch {
            throw EngineFault("no HTTP client for the engine: \(error.debugDescription)")
        }
        let process = try await EngineProcess.start(
            configuration.arguments(socket: socket, key: key),
            environment: configuration.passedEnvironment, guardian: EngineGuard.choose(), log: log,
            onExit: onExit)
        let exchange = ChatExchange(
            url: Self.origin + "/v1/chat/completions", unixSocketPath: socket, credential: key,
            dialect: .llamaServer, limits: configuration.limits, connection: .fresh)
        return Instance(client: client, exchange: exchange, process: process)
    }

    /// The host of the URL is not looked up, since the socket is connected to.
    private static let origin = "http://localhost"

    private func isHealthy(_ instance: Instance?) async -> Bool {
        guard let instance else { return false }
        var request = CurlRequest(method: .get, url: Self.origin + "/health")
        request.unixSocketPath = instance.exchange.unixSocketPath
        request.connectTimeout = .seconds(2)
        request.firstByteTimeout = .seconds(2)
        request.totalTimeout = .seconds(2)
        request.maximumResponseBytes = 4096
        request.connection = .fresh
        // Every failure means the same: not healthy now. 503 is what it answers while it loads its
        // model.
        return (try? await instance.client.execute(request))?.status == 200
    }

    private func wake(
        at instant: Uptime, _ sink: AsyncStream<Event>.Continuation,
        _ group: inout DiscardingTaskGroup
    ) {
        let wait = instant - time.uptime
        let number = state.withLock { state in
            state.wakes += 1
            return state.wakes
        }
        group.addTask {
            // Cancelled only with everything else, and then no time matters any more.
            guard (try? await Task.sleep(for: wait)) != nil else { return }
            if self.state.withLock({ $0.wakes == number }) { sink.yield(.timePassed) }
        }
    }

    /// After a stop in good order there is nothing left; after a cancellation, the process.
    private func endWhatIsLeft() async {
        let instance = state.withLock { state in
            defer { state.instance = nil }
            return state.instance
        }
        change {
            $0.isOpen = false
            $0.isFinished = true
        }
        slots.dismissWaiters()
        guard let instance else { return }
        instance.process.signal(SIGKILL)
        await instance.client.shutdown()
        await instance.process.waitForExit()
        if let socket = instance.exchange.unixSocketPath {
            // Left behind by an engine that was killed; the next start would remove it as well.
            try? FileManager.default.removeItem(atPath: socket)
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
