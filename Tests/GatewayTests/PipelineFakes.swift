import Domain
import Synchronization

@testable import Gateway

/// A door that a test opens: whoever waits goes on then, and whoever comes later goes straight
/// through.
final class Door: Sendable {
    private let state = Mutex<(isOpen: Bool, waiting: [CheckedContinuation<Void, Never>])>(
        (false, []))

    init(isOpen: Bool) { if isOpen { open() } }

    func open() {
        let waiting = state.withLock { state in
            defer { state.waiting = [] }
            state.isOpen = true
            return state.waiting
        }
        for continuation in waiting { continuation.resume() }
    }

    func pass() async {
        await withCheckedContinuation { continuation in
            let isOpen = state.withLock { state in
                if !state.isOpen { state.waiting.append(continuation) }
                return state.isOpen
            }
            if isOpen { continuation.resume() }
        }
    }
}

/// A list that grows, and that a test can wait on.
final class Journal<Element: Sendable>: Sendable {
    private struct Waiter { let count: Int; let continuation: CheckedContinuation<Void, Never> }
    private let state = Mutex<(elements: [Element], waiters: [Waiter])>(([], []))

    var elements: [Element] { state.withLock { $0.elements } }

    func append(_ element: Element) {
        let ready = state.withLock { state in
            state.elements.append(element)
            let count = state.elements.count
            let ready = state.waiters.filter { $0.count <= count }
            state.waiters.removeAll { $0.count <= count }
            return ready
        }
        for waiter in ready { waiter.continuation.resume() }
    }

    func wait(for count: Int) async -> [Element] {
        await withCheckedContinuation { continuation in
            let isReady = state.withLock { state in
                if state.elements.count >= count { return true }
                state.waiters.append(Waiter(count: count, continuation: continuation))
                return false
            }
            if isReady { continuation.resume() }
        }
        return elements
    }
}

/// A ledger that admits everything it is not told to refuse, and whose gates the test holds.
final class HeldLedger: QuotaLedger {
    struct Answers: Sendable {
        var denial: Denial?
        /// Whom the denial is for; nil for everybody.
        var deniedKey: KeyID?
        /// The most tokens that there is room for; nil for any number.
        var room: Int64?
        var admitFault: LedgerFault?
        var acceptance = Result<Acceptance, LedgerFault>.success(.accepted)
        var settleFault: LedgerFault?
        var standing = Standing(requests: nil, tokens: nil)
    }

    private let answers = Mutex(Answers())
    let accepting: Door
    let settling: Door
    let admissions = Journal<AdmissionRequest>()
    let settlements = Journal<Settlement>()
    let notes = Journal<Int64>()
    /// For which model the standing was asked.
    let standingModels = Journal<String?>()

    /// Changes what it answers.
    func answer(_ change: (inout Answers) -> Void) { answers.withLock { change(&$0) } }

    init(accepting: Bool = true, settling: Bool = true) {
        self.accepting = Door(isOpen: accepting)
        self.settling = Door(isOpen: settling)
    }

    func admit(_ request: AdmissionRequest) async throws(LedgerFault) -> Admission {
        let answers = answers.withLock { $0 }
        if let fault = answers.admitFault { throw fault }
        admissions.append(request)
        if let denial = answers.denial,
            answers.deniedKey ?? request.principal.key
                == request.principal.key
        {
            return .denied(denial)
        }
        if let room = answers.room, request.bound.total > room {
            return .denied(
                Denial(
                    reason: .quotaExhausted, subject: Subject(kind: .key, id: 42),
                    resource: .tokens, period: .day, limit: 1000, used: 900 - room, reserved: 100,
                    requested: request.bound.total, retryAfter: nil, resetsAt: nil))
        }
        return .admitted(
            Reservation(request, claims: [], admittedAt: Timestamp(microseconds: 0)))
    }

    func acceptance(
        of reservation: borrowing Reservation
    ) async throws(LedgerFault) -> Acceptance {
        await accepting.pass()
        return try answers.withLock { $0.acceptance }.get()
    }

    func note(_ usage: TokenUsage, of reservation: borrowing Reservation) {
        notes.append(usage.completion)
    }

    func settle(
        _ reservation: consuming Reservation, as settlement: Settlement
    ) async throws(LedgerFault) -> Receipt {
        let charge = Charge(settlement, bound: reservation.bound, price: reservation.price)
        reservation.settled()
        settlements.append(settlement)
        await settling.pass()
        if let fault = answers.withLock({ $0.settleFault }) { throw fault }
        return Receipt(charge: charge, recorded: true)
    }

    func standing(of principal: Principal, for model: String?) -> Standing {
        standingModels.append(model)
        return answers.withLock { $0.standing }
    }
}

/// Knows one key.
struct OneKey: KeyDirectory {
    static let secret = "sk-test-0123456789"
    /// The operator's own.
    static let judgeSecret = "sk-test-judge"
    var principal = Principal.tester

    func authenticate(
        _ secret: borrowing APIKeySecret, from source: String
    ) async throws(KeyDirectoryFault) -> Authentication {
        let isKnown = secret.withBytes { $0 == Array(Self.secret.utf8) }
        let isJudge = secret.withBytes { $0 == Array(Self.judgeSecret.utf8) }
        return isKnown ? .principal(principal) : isJudge ? .principal(.judge) : .refused
    }

    /// Tells names apart by their bytes alone.
    func userHash(of user: String, in organization: OrganizationID) -> UserHash {
        UserHash(rawValue: user.utf8.reduce(1) { $0 &* 257 &+ UInt128($1) })
    }
}

extension Principal {
    static let tester = Principal(
        shard: Shard(rawValue: 0), organization: .default, team: TeamID(rawValue: 7),
        key: KeyID(rawValue: 42), keySubject: 42, allowedModels: nil, defaultCompletionTokens: nil,
        alwaysShowsUsage: false, quotas: [], rateLimits: [])

    static let judge = Principal(
        shard: Shard(rawValue: 0), organization: .default, team: TeamID(rawValue: 8),
        key: KeyID(rawValue: 43), keySubject: 43, allowedModels: nil, defaultCompletionTokens: nil,
        alwaysShowsUsage: false, quotas: [], rateLimits: [])
}

/// An answer that the test feeds.
final class FedAnswer: BackendAnswer {
    private struct State {
        var batches: [Result<[BackendEvent]?, BackendFailure>] = []
        var reader: CheckedContinuation<Result<[BackendEvent]?, BackendFailure>, Never>?
        var isCancelled = false
    }
    private let state = Mutex(State())
    let cancelled = Door(isOpen: false)
    /// Open once its reader has had all that was fed, and waits for more.
    let drained = Door(isOpen: false)

    init(_ batches: [[BackendEvent]], ends: Bool) {
        for batch in batches { feed(.success(batch)) }
        if ends { feed(.success(nil)) }
    }

    func feed(_ batch: Result<[BackendEvent]?, BackendFailure>) {
        let reader = state.withLock { state in
            guard let reader = state.reader.take() else {
                state.batches.append(batch)
                return CheckedContinuation<Result<[BackendEvent]?, BackendFailure>, Never>?.none
            }
            return reader
        }
        reader?.resume(returning: batch)
    }

    func feed(_ events: BackendEvent...) { feed(.success(events)) }

    func next() async throws(BackendFailure) -> [BackendEvent]? {
        let result = await withCheckedContinuation { continuation in
            let ready: Result<[BackendEvent]?, BackendFailure>? = state.withLock { state in
                if state.isCancelled { return .failure(.cancelled) }
                if !state.batches.isEmpty { return state.batches.removeFirst() }
                state.reader = continuation
                return nil
            }
            if let ready { continuation.resume(returning: ready) } else { drained.open() }
        }
        return try result.get()
    }

    func cancel() {
        let reader = state.withLock { state in
            state.isCancelled = true
            return state.reader.take()
        }
        reader?.resume(returning: .failure(.cancelled))
        cancelled.open()
    }
}

extension BackendFailure {
    static let cancelled = BackendFailure(kind: .cancelled, detail: "cancelled")
}

extension BackendEvent {
    static func text(_ text: String, soFar: Int64? = nil) -> BackendEvent {
        BackendEvent(
            deltas: [ChoiceDelta(index: 0, content: text)], completionTokensSoFar: soFar)
    }

    static func end(_ reason: FinishReason = .stop, usage: TokenUsage? = nil) -> BackendEvent {
        BackendEvent(deltas: [ChoiceDelta(index: 0, finishReason: reason)], usage: usage)
    }
}

/// A backend that answers as scripted, one script after another; the last one repeats.
final class ScriptedBackend: Backend {
    enum Script: Sendable {
        case answer(FedAnswer)
        case text([String], TokenUsage?)
        case failure(BackendFailure)
        /// As another backend does.
        case other(any Backend)
        /// Never answers; ends when cancelled.
        case silence(Door)
    }

    let name: String
    let calls = Journal<BackendCall>()
    private let scripts: Mutex<[Script]>
    private let away = Mutex<BackendFailure?>(nil)
    let unsupported: String?
    /// How long it finds every prompt; nil when it cannot tell.
    let count = Mutex<Result<Int64?, BackendFailure>>(.success(nil))

    convenience init(
        _ scripts: Script..., unsupported: String? = nil, name: String = "local"
    ) {
        self.init(scripts, unsupported: unsupported, name: name)
    }

    init(_ scripts: [Script], unsupported: String? = nil, name: String = "local") {
        self.name = name
        self.scripts = Mutex(scripts)
        self.unsupported = unsupported
    }

    /// What it says from here on.
    func script(_ scripts: Script...) { self.scripts.withLock { $0 = scripts } }

    var unavailability: BackendFailure? { away.withLock { $0 } }

    func becomeUnavailable(_ failure: BackendFailure) { away.withLock { $0 = failure } }

    func unsupportedParameter(
        in request: ChatCompletionRequest, completionBound: Int64
    ) -> String? { unsupported }

    func promptTokens(of call: BackendCall) async throws(BackendFailure) -> Int64? {
        try count.withLock { $0 }.get()
    }

    func forward(_ call: BackendCall) async throws(BackendFailure) -> any BackendAnswer {
        let script = scripts.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
        calls.append(call)
        switch script {
        case .answer(let answer): return answer
        case .text(let texts, let usage):
            return FedAnswer(
                [texts.map { .text($0) } + [.end(usage: usage)]], ends: true)
        case .failure(let failure): throw failure
        case .other(let backend): return try await backend.forward(call)
        case .silence(let cancelled):
            let answer = FedAnswer([], ends: false)
            do throws(BackendFailure) {
                _ = try await answer.nextOrCancelled().get()
            } catch {
                cancelled.open()
                throw error
            }
            return answer
        }
    }
}

/// The machine's clocks.
struct MachineTime: TimeSource {
    private static let origin = ContinuousClock().now

    var wall: Timestamp { Timestamp(microseconds: 1_795_248_000_000_000 + uptime.microseconds) }

    var uptime: Uptime {
        Uptime(microseconds: Self.origin.duration(to: ContinuousClock().now).microseconds)
    }
}
