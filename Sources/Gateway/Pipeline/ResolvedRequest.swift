import Domain

/// A valid request with everything decided about it that needs no ledger: the route, the backends
/// and the bound.
struct ResolvedRequest: Sendable {
    let request: ChatCompletionRequest
    let principal: Principal
    let route: ModelRoute
    /// What its tokens cost; nil where nothing does.
    let price: Price?
    /// Where it is sent first.
    var candidate: Candidate
    /// Where it may be sent when that fails, in order.
    var others: [Candidate]
    /// The most tokens it may use: the prompt once, and every choice at its bound.
    var bound: TokenBound
    /// The most completion tokens of one choice, which is written into the forwarded request.
    var choiceBound: Int64
    /// Bytes of the prompt, from which its tokens are estimated where the backend never says.
    let promptBytes: Int64
    let exchange: Exchange
    /// Whether nobody waits for it: then it is not tried again.
    var isCopy = false

    /// What a backend is sent.
    func call(to candidate: Candidate) -> BackendCall {
        BackendCall(
            request: request, upstreamModel: candidate.upstreamModel,
            completionBound: choiceBound, requestID: exchange.requestID,
            team: BackendCall.Team(id: principal.team, name: principal.teamName),
            announcement: exchange.announcement)
    }
}

/// A request that the ledger has let in. Owns the reservation, so it is settled exactly once.
struct AdmittedRequest: ~Copyable, Sendable {
    let resolved: ResolvedRequest
    let reservation: Reservation
    /// When it was admitted; its duration and time to first token count from here.
    let admittedAt: Uptime

    /// Makes an admitted request of a reservation, which it takes over.
    init(_ resolved: ResolvedRequest, reservation: consuming Reservation, admittedAt: Uptime) {
        self.resolved = resolved
        self.reservation = reservation
        self.admittedAt = admittedAt
    }
}
