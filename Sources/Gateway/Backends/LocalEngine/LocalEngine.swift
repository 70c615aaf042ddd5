import Domain
import Foundation
import Logging
import ServiceLifecycle
import Synchronization

/// llama.cpp's server as a child process, spoken to over a Unix socket: its slots are shared fairly,
/// and an ``EngineSupervisor`` keeps it running.
final class LocalEngine: Backend, Service {
    let name: String
    private let configuration: LocalEngineConfiguration
    private let slots: EngineSlots
    private let supervisor: EngineSupervisor
    /// Nil where every engine is always loaded.
    private let residency: EngineResidency?
    private let counts = Mutex(PromptCountCache(capacity: 4096))
    private let time: any TimeSource

    /// An engine that starts when it is run, or when `residency` says so. `random` gives the bits of
    /// each start's key.
    init(
        _ configuration: LocalEngineConfiguration, residency: EngineResidency?, logger: Logger,
        time: any TimeSource, random: @escaping @Sendable () -> UInt64
    ) {
        name = configuration.name
        self.configuration = configuration
        self.residency = residency
        self.time = time
        slots = EngineSlots(
            slots: configuration.slots, maximumWaiting: configuration.queueLength,
            shares: configuration.shares, time: time)
        let supervisor = EngineSupervisor(
            configuration, logger: logger, time: time, random: random)
        self.supervisor = supervisor
        residency?.attach(
            name,
            EngineResidency.Handle(
                load: { supervisor.load() }, unload: { supervisor.unload() },
                memory: { supervisor.processGroup.flatMap(EngineMemory.resident) }))
    }

    /// Whether it is loaded only when calls ask for it.
    var isOnDemand: Bool { configuration.start != .always }

    // MARK: Calls

    var unavailability: BackendFailure? {
        // One that is not loaded takes calls: they wait for it.
        if isOnDemand { return residency?.unavailability(of: name) }
        let standing = supervisor.standing
        // A full queue is no reason: it has room for teams that do not crowd it.
        guard !standing.isOpen else { return nil }
        return BackendFailure(
            kind: .notReady(retryAfter: standing.retryAfter),
            detail: "the engine is not ready"
                + (standing.lastExit.map { "; the last one: \($0)" } ?? ""))
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
        // It stays loaded for as long as somebody holds this.
        let stay = isOnDemand ? try await residency?.enter(name, until: deadline) : nil
        guard call.request.choices > 1 else {
            let lease = try await slots.acquire(for: call.team, since: now, until: deadline)
            return try await begin(call, holding: lease.keeping(stay))
        }
        // Of several choices it counts the tokens of one only, and it takes no more than its slots.
        return try await FannedAnswer.begin(call) { [self] call, waits throws(BackendFailure) in
            let lease =
                waits
                ? try await slots.acquire(for: call.team, since: now, until: deadline)
                : slots.acquireIfFree(for: call.team)
            guard let lease else { return nil }
            return try await begin(call, holding: lease.keeping(stay))
        }
    }

    private func begin(
        _ call: BackendCall, holding lease: EngineSlotLease
    ) async throws(BackendFailure) -> ChatAnswer {
        // Asked after the wait, during which the engine may have been replaced.
        guard let instance = supervisor.openInstance else {
            throw unavailability
                ?? BackendFailure(
                    kind: .notReady(retryAfter: .seconds(1)), detail: "the engine went away")
        }
        if call.request.overflow == .error {
            let count = try await count(
                call, at: instance, within: configuration.limits.firstByteTimeout)
            let context = Int64(configuration.contextTokensPerSlot)
            if let failure = call.overflow(promptTokens: count, contextTokens: context) {
                throw failure
            }
        }
        // Reading a prompt may take long, and the engine says nothing before.
        call.announcement?.noteSending()
        return try await instance.exchange.begin(call, over: instance.client, holding: lease)
    }

    // MARK: Counts

    /// The engine's own count, which it makes beside the calls that it works on.
    ///
    /// Not of one that is not loaded: nobody may have a model loaded whom no quota admits, so a
    /// bound of bytes does. Not of images and their like, of which it counts nothing, and not of a
    /// text so long that its bytes alone bound it better than anybody should count it for free.
    func promptTokens(of call: BackendCall) async throws(BackendFailure) -> Int64? {
        let most = Int64(configuration.contextTokensPerSlot) * Self.countedBytesPerToken
        guard PromptBound.bytes(call.request) <= most,
            call.request.firstPart(where: { $0.text == nil }) == nil,
            let instance = supervisor.openInstance
        else { return nil }
        do throws(BackendFailure) {
            return try await count(call, at: instance, within: Self.countingTimeout)
        } catch {
            if error.kind == .cancelled { throw error }
            // A bound will do; what is wrong with the engine or the request the call itself tells.
            return nil
        }
    }

    /// A prompt's length, asked of the engine unless it was lately.
    private func count(
        _ call: BackendCall, at instance: EngineInstance, within timeout: Duration
    ) async throws(BackendFailure) -> Int64 {
        let counted = call.counted
        let key = PromptCountCache.Key(
            ForwardedBody.make(counted, in: .llamaServer, streams: false), of: call.team)
        if let known = counts.withLock({ $0.count(of: key) }) { return known }
        let count = try await instance.exchange.promptTokens(
            of: counted, over: instance.client, within: timeout)
        // Not of an engine that was replaced meanwhile, perhaps with another model in its file.
        counts.withLock { counts in
            if supervisor.openInstance?.process === instance.process { counts.note(count, of: key) }
        }
        return count
    }

    /// A count takes milliseconds; an engine that needs so long is not waited for.
    private static let countingTimeout = Duration.seconds(1)
    /// No token of a text is longer on average; a prompt of more bytes does not fit its slot.
    private static let countedBytesPerToken: Int64 = 32

    // MARK: Running

    /// Waits until calls can be sent, as ``EngineSupervisor/waitUntilHealthy(timeout:)``.
    func waitUntilHealthy(timeout: Duration) async throws(EngineFault) {
        try await supervisor.waitUntilHealthy(timeout: timeout)
    }

    /// How often it was asked for the length of a prompt since its process began.
    var countingQuestions: Int { counts.withLock { $0.questions } }

    /// How many calls wait for a slot.
    var waitingCalls: Int { slots.waitingCount }

    /// Keeps the engine running, for as long as it is wanted, until the gateway shuts down; then
    /// stops it in good order. A cancelled task kills it at once. Either way it is gone when this
    /// returns.
    func run() async throws {
        if !isOnDemand { supervisor.load() }
        await supervisor.run { [self] change in
            switch change {
            case .opened: counts.withLock { $0.clear() }
            case .closed: slots.dismissWaiters()
            case .startFailed, .unloaded: break
            }
            residency?.note(change, of: name)
        }
    }
}
