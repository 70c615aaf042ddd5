import Domain
import Synchronization

/// Claims whose answers the test gives, with a list of what was asked.
final class ScriptedClaims: IdempotencyLedger {
    /// What was asked.
    enum Call: Sendable, Equatable {
        case claim(name: [UInt8], fingerprint: [UInt8])
        case confirm
        case release
        case keep(StoredAnswer)
    }

    struct Answers: Sendable {
        var verdict = Result<IdempotencyVerdict, LedgerFault>.success(.claimed)
        var confirmation = Result<Bool, LedgerFault>.success(true)
    }

    let calls = Journal<Call>()
    /// Through it goes who claims.
    let claiming: Door
    /// Through it goes who keeps an answer.
    let keeping: Door
    /// Open once a request was cancelled that waited at one of them.
    let cancelled = Door(isOpen: false)
    private let answers = Mutex(Answers())

    init(claiming: Bool = true, keeping: Bool = true) {
        self.claiming = Door(isOpen: claiming)
        self.keeping = Door(isOpen: keeping)
    }

    /// Changes what it answers.
    func answer(_ change: (inout Answers) -> Void) { answers.withLock { change(&$0) } }

    func claim(_ claim: IdempotencyClaim) async throws(LedgerFault) -> IdempotencyVerdict {
        calls.append(.claim(name: claim.nameDigest, fingerprint: claim.fingerprint))
        await pass(claiming)
        return try answers.withLock { $0.verdict }.get()
    }

    func confirm(_ claim: IdempotencyClaim) async throws(LedgerFault) -> Bool {
        calls.append(.confirm)
        return try answers.withLock { $0.confirmation }.get()
    }

    func release(_ claim: IdempotencyClaim) async { calls.append(.release) }

    func keep(_ answer: StoredAnswer, of claim: IdempotencyClaim) async {
        calls.append(.keep(answer))
        await pass(keeping)
    }

    private func pass(_ door: Door) async {
        await withTaskCancellationHandler {
            await door.pass()
        } onCancel: {
            cancelled.open()
        }
    }
}
