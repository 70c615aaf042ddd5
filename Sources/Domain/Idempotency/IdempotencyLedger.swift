/// Sees to it that of all requests with one `Idempotency-Key` one is charged. Asked only for requests
/// that have one.
///
/// The order for one request is `claim`, and once the quota ledger has accepted it `confirm`. One that
/// comes to nothing is given back by `release`.
public protocol IdempotencyLedger: Sendable {
    /// Claims the client's key for a request, before anything is reserved. Of any number of requests
    /// on any number of nodes one gets it.
    ///
    /// Free is a key that was never used or whose request was charged nothing. Throws when the ledger
    /// cannot be reached: without it nobody can promise a single charge.
    func claim(_ claim: IdempotencyClaim) async throws(LedgerFault) -> IdempotencyVerdict

    /// Makes sure that the ledger has the request's reservation and that the claim is still this
    /// request's; false when either is not so. Before that no byte goes to the client.
    ///
    /// From here on the claim outlives the node.
    func confirm(_ claim: IdempotencyClaim) async throws(LedgerFault) -> Bool

    /// Gives the claim of a request back that was charged nothing. Returns when that is done, or when
    /// it is left to be done once the ledger can be reached.
    func release(_ claim: IdempotencyClaim) async

    /// Keeps a finished answer for as long as the claim. One that cannot be kept is left out.
    func keep(_ answer: StoredAnswer, of claim: IdempotencyClaim) async
}
