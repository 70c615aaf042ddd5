import Domain

extension CompletionPipeline {
    /// Reserves the request's bound of every quota. When it returns the opening is on its way to
    /// the ledger and the request may be forwarded (gate G0).
    func admit(_ resolved: ResolvedRequest) async throws(GatewayFailure) -> AdmittedRequest {
        let request = AdmissionRequest(
            requestID: resolved.exchange.requestID, principal: resolved.principal,
            bound: resolved.bound, model: resolved.route.alias, backend: resolved.candidate.name,
            price: resolved.price)
        Failpoint.pass("admit")
        let admission: Admission
        do {
            admission = try await ledger.admit(request)
        } catch {
            throw error == .draining ? .draining : .meteringUnavailable(error)
        }
        switch consume admission {
        case .admitted(let reservation):
            return AdmittedRequest(resolved, reservation: reservation, admittedAt: time.uptime)
        case .denied(let denial):
            let largest = denial.resource == .tokens ? denial.reason.mostAtOnce(denial.limit) : nil
            throw .denied(
                denial, largestCompletion: largest.map { max(0, $0 - resolved.bound.prompt) })
        }
    }
}

extension Denial.Reason {
    /// What a request that is too large may need at most of a quota with this limit; nil where size
    /// is not what is in the way.
    fileprivate func mostAtOnce(_ limit: Int64) -> Int64? {
        switch self {
        case .exceedsLimit: limit
        case .exceedsKeyShare(let most): most
        case .rateLimited, .quotaExhausted, .quotaReserved, .keyShareReserved: nil
        }
    }
}
