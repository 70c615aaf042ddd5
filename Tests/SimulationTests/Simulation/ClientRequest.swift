import Domain

/// One request as its client and its backend see it: the oracle that the ledger is held to.
// Unchecked: a simulation runs on one thread from its first job to its last.
final class ClientRequest: @unchecked Sendable {
    let id: RequestID
    let principal: Principal
    let bound: TokenBound
    /// Tokens that the backend means to generate, within the bound.
    let planned: Int64
    /// From dispatch to the first token, and between tokens, in microseconds.
    let firstTokenDelay: Int64
    let tokenDelay: Int64
    /// The token before which the backend fails.
    let failsBefore: Int64?
    /// When the client leaves, in microseconds after it came.
    let leavesAfter: Int64?

    /// What became of it, as its client saw it.
    enum Outcome: Equatable {
        case running
        case denied(Denial.Reason)
        /// An error before the first byte.
        case refused(String)
        /// An end without the last chunk, or a reset connection.
        case cut
        case finished
        case left
    }

    var outcome = Outcome.running
    /// Tokens that the backend generated.
    var emitted: Int64 = 0
    /// Tokens that the client got.
    var delivered: Int64 = 0
    /// Whether the request went to the backend.
    var isDispatched = false
    var hasLeft = false
    /// Whether its node's disk was lost while, or after, it ran there.
    var lostItsDisk = false
    /// Whether its node's machine lost power likewise.
    var lostItsMemory = false

    init(
        id: RequestID, principal: Principal, bound: TokenBound, _ random: inout SeededRandom
    ) {
        self.id = id
        self.principal = principal
        self.bound = bound
        planned = Int64(random.below(Int(bound.completion))) + 1
        firstTokenDelay = Int64(random.below(60_000))
        tokenDelay = Int64(random.below(random.chance(1, of: 3) ? 400_000 : 40_000)) + 1000
        failsBefore = random.chance(1, of: 8) ? Int64(random.below(Int(planned))) : nil
        leavesAfter = random.chance(1, of: 8) ? Int64(random.below(1_500_000)) : nil
    }

    func isSubject(to quota: LedgerTables.QuotaName) -> Bool {
        principal.quotas.contains { $0.subject.id == quota.subject }
    }

    /// Tokens the client owes for what it has.
    var due: Int64 { delivered > 0 ? bound.prompt + delivered : 0 }
}
