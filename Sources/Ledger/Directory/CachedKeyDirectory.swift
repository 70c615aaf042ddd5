public import Domain
public import Logging
public import Postgres
public import ServiceLifecycle
import Synchronization

/// The gateway's key directory: keys in memory, read from the ledger when they are missing, kept
/// current by a poll of the shards' revisions.
///
/// A key in memory is proven without any wait. Being in memory never spares it the comparison: what
/// is kept are digests. A revocation or a changed quota is seen within two seconds. While the
/// database is away, a key goes on working for 60 seconds after it was last confirmed; a key that
/// is not in memory is then a fault, never a refusal.
public final class CachedKeyDirectory: KeyDirectory, Service, Sendable {
    /// How often the revisions are asked for.
    public static let pollInterval: Duration = .seconds(1)
    /// Look-ups under way or waiting for a connection; more are turned away.
    static let mostFlights = 256
    /// After a failed read the database is left alone for this long.
    static let pauseAfterFailure: Duration = .seconds(1)
    /// How often a read is repeated that was overtaken by a change.
    private static let mostReads = 3

    let peppers: [Pepper]
    let source: any KeySource
    let clock: LedgerClock
    /// What is to be told to the directory.
    let notes = Mutex(KeyNotes())
    private let time: any TimeSource
    private let random: LedgerRandom
    private let logger: Logger
    private let onChange: @Sendable ([KeyChange]) -> Void
    private let state: Mutex<KeyFlights>
    /// Compared with when there is no key, so that an unknown key takes as long as a wrong one.
    private let dummyDigest: [UInt8]
    private let users: UserHasher

    /// Makes a directory. `peppers` has the current one first and those that older keys were made
    /// under.
    ///
    /// `pool` should have at most eight connections and short waits; ``poolOptions`` and
    /// ``connectionOptions`` say so. `onChange` is called after keys in memory changed, from
    /// whatever task found out; it must not wait.
    public convenience init(
        peppers: [Pepper], pool: PostgresPool, time: any TimeSource, random: LedgerRandom,
        logger: Logger, onChange: @escaping @Sendable ([KeyChange]) -> Void
    ) {
        self.init(
            peppers: peppers, source: PostgresKeySource(pool: pool), time: time, random: random,
            logger: logger, onChange: onChange)
    }

    init(
        peppers: [Pepper], source: any KeySource, time: any TimeSource, random: LedgerRandom,
        logger: Logger, onChange: @escaping @Sendable ([KeyChange]) -> Void
    ) {
        precondition(!peppers.isEmpty, "a directory without a pepper can prove nobody")
        self.peppers = peppers
        users = UserHasher(peppers[0])
        self.source = source
        self.time = time
        self.random = random
        self.logger = logger
        self.onChange = onChange
        clock = LedgerClock(time)
        state = Mutex(KeyFlights())
        dummyDigest = (0..<32).map { _ in UInt8(truncatingIfNeeded: random.bits()) }
    }

    /// The pool's limits that the cache is made for: at most eight reads at once, and no long
    /// queue.
    public static var poolOptions: PostgresPoolOptions {
        var options = PostgresPoolOptions()
        options.connections = 4
        options.mostWaiting = mostFlights + 8
        options.longestWait = .seconds(2)
        return options
    }

    /// The connections' limits that the cache is made for.
    public static var connectionOptions: PostgresConnectionOptions {
        var options = PostgresConnectionOptions()
        options.applicationName = "turnpike keys"
        options.statementTimeout = .seconds(2)
        options.callTimeout = .seconds(3)
        return options
    }

    /// See ``KeyDirectory``: under the pepper of new keys.
    public func userHash(of user: String, in organization: OrganizationID) -> UserHash {
        users.hash(user, of: organization)
    }

    /// Proves who holds a key; see ``KeyDirectory``. Waits only for a key that is not in memory.
    public func authenticate(
        _ secret: borrowing APIKeySecret, from source: String
    ) async throws(KeyDirectoryFault) -> Authentication {
        guard let id = secret.withBytes({ token in APIKeyFormat.parse(token) }) else {
            return .refused
        }
        while true {
            let step = state.withLock { state in
                state.decide(id, from: source, at: time.uptime, random: random)
            }
            switch step {
            case .compare(let key): return verify(secret, key)
            case .absent: return verify(secret, nil)
            case .throttled(let wait):
                _ = verify(secret, nil)
                return .throttled(retryAfter: wait)
            case .unavailable: throw .unavailable
            case .wait:
                if await join(id) == .failed { return try answerWithoutReading(secret, id) }
            case .read(let isMiss):
                switch await lead(id) {
                case .ended: break
                case .failed: return try answerWithoutReading(secret, id)
                // Only this task was cancelled; its client has left.
                case .abandoned: throw .unavailable
                }
                // Nil when chance removed the key from memory at once: then it is read again.
                guard let answer = answerFromMemory(secret, id) else { continue }
                if isMiss, answer.isOfARightKey {
                    state.withLock { state in state.giveBack(source, random: random) }
                }
                return answer
            }
        }
    }

    /// The answer right after a read, or nil.
    private func answerFromMemory(
        _ secret: borrowing APIKeySecret, _ id: KeyID
    ) -> Authentication? {
        switch state.withLock({ state in state.cache.find(id, at: time.uptime) }) {
        case .known(let key), .stale(let key, _): verify(secret, key)
        case .absent: verify(secret, nil)
        case .unknown: nil
        }
    }

    /// The answer after a read that failed: from memory while that may serve, or none.
    private func answerWithoutReading(
        _ secret: borrowing APIKeySecret, _ id: KeyID
    ) throws(KeyDirectoryFault) -> Authentication {
        switch state.withLock({ state in state.cache.find(id, at: time.uptime) }) {
        case .known(let key), .stale(let key, servable: true): return verify(secret, key)
        case .absent: return verify(secret, nil)
        case .stale, .unknown: throw .unavailable
        }
    }

    /// Compares first, always, and looks at the record's state only then.
    private func verify(_ secret: borrowing APIKeySecret, _ key: StoredKey?) -> Authentication {
        let pepper = key.flatMap { key in peppers.first { $0.id == key.pepperID } }
        let isRight = secret.withBytes { token in
            (pepper ?? peppers[0]).verify(token, against: key?.digest ?? dummyDigest)
        }
        guard let key, pepper != nil, isRight, key.isValid(at: clock.now) else { return .refused }
        if let suspended = key.suspended { return .suspended(suspended) }
        note(secret, of: key)
        return .principal(key.principal)
    }
}

// Reading: one task reads a key, the others that want it wait for that one.
extension CachedKeyDirectory {
    /// Waits for another task's read and returns how that ended.
    private func join(_ id: KeyID) async -> KeyFlights.Outcome {
        await withCheckedContinuation { continuation in
            let isUnderWay = state.withLock { state in state.join(id, continuation) }
            // It ended between the decision and here: memory has the answer.
            if !isUnderWay { continuation.resume(returning: .ended) }
        }
    }

    /// Reads a key for this task and all that wait for it.
    private func lead(_ id: KeyID) async -> KeyFlights.Outcome {
        let outcome: KeyFlights.Outcome
        var isAway = false
        do throws(PostgresError) {
            outcome = try await fetch([id], in: id.shard) ? .ended : .failed
        } catch {
            if case .cancelled = error.kind {
                outcome = .abandoned
            } else {
                outcome = .failed
                if case .unreachable = LedgerError(error) { isAway = true }
                logger.warning("a key could not be read", metadata: ["error": "\(error)"])
            }
        }
        let waiting = state.withLock { state in
            if isAway { state.databaseFailed(at: time.uptime) }
            return state.end(id, outcome)
        }
        for continuation in waiting { continuation.resume(returning: outcome) }
        return outcome
    }

    /// Reads keys into memory; false when changes overtook every attempt.
    private func fetch(_ ids: [KeyID], in shard: Shard) async throws(PostgresError) -> Bool {
        for _ in 0..<Self.mostReads {
            let sent = time.uptime
            let snapshot = try await source.read(ids, in: shard)
            clock.observe(snapshot.now, sent: sent, received: time.uptime)
            for key in snapshot.keys.values
            where !peppers.contains(where: { $0.id == key.pepperID }) {
                logger.error(
                    "a key was made under a pepper that this gateway does not have",
                    metadata: ["key_id": "\(key.principal.key)", "pepper_id": "\(key.pepperID)"])
            }
            let changes = state.withLock { state in
                state.cache.keep(snapshot, of: ids, in: shard, sent: sent, random: random.bits)
            }
            guard let changes else { continue }
            if !changes.isEmpty { onChange(changes) }
            return true
        }
        return false
    }
}

// Keeping current.
extension CachedKeyDirectory {
    /// Asks once for the revisions of the shards in use and reads again what has changed.
    ///
    /// Throws when the database cannot be asked; what is in memory then ages.
    public func refresh() async throws(PostgresError) {
        let sent = time.uptime
        let shards = state.withLock { state in state.cache.shardsInUse }
        if shards.isEmpty { return }
        do throws(PostgresError) {
            let polled = try await source.revisions(of: shards)
            clock.observe(polled.now, sent: sent, received: time.uptime)
            for shard in shards {
                try await refresh(shard, polled.revisions[shard] ?? 0, sent: sent)
            }
            state.withLock { state in state.databaseAnswered() }
        } catch {
            state.withLock { state in state.databaseFailed(at: time.uptime) }
            throw error
        }
    }

    private func refresh(
        _ shard: Shard, _ revision: Int64, sent: Uptime
    ) async throws(PostgresError) {
        let ids = state.withLock { state in state.cache.poll(shard, at: revision, sent: sent) }
        guard let ids else { return }
        for start in stride(from: 0, to: ids.count, by: 1000) {
            let part = Array(ids[start..<min(start + 1000, ids.count)])
            // Overtaken three times by a failover's smaller revision: left for the next poll.
            guard try await fetch(part, in: shard) else { return }
        }
        state.withLock { state in state.cache.settle(shard, at: revision, sent: sent) }
    }

    /// Polls until the service group stops it, and tells the directory every minute what was learnt
    /// about keys.
    public func run() async throws {
        await cancelWhenGracefulShutdown {
            var isAway = false
            var flushedAt = self.time.uptime
            while !Task.isCancelled {
                do {
                    try await self.refresh()
                    if isAway { self.logger.info("the key directory can be read again") }
                    isAway = false
                    if self.time.uptime - flushedAt >= Self.notePeriod {
                        flushedAt = self.time.uptime
                        try await self.flush()
                    }
                } catch {
                    if !isAway, !Task.isCancelled {
                        self.logger.warning(
                            "the key directory cannot be read", metadata: ["error": "\(error)"])
                    }
                    isAway = true
                }
                // Cancelled by the shutdown: the loop ends.
                try? await Task.sleep(for: Self.pollInterval)
            }
        }
        // A database that is away at the stop loses a minute of what is coarse anyway.
        try? await flush()
    }
}

extension Authentication {
    /// Whether the presented key is one of ours.
    fileprivate var isOfARightKey: Bool {
        switch self {
        case .principal, .suspended: true
        case .refused, .throttled: false
        }
    }
}
