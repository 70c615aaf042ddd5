import Domain

extension CompletionPipeline {
    /// Reserves the request's bound of every quota. When it returns the opening is on its way to
    /// the ledger and the request may be forwarded (gate G0).
    ///
    /// A key that wants it gets a smaller bound where its own does not fit, and is told.
    func admit(_ whole: ResolvedRequest) async throws(GatewayFailure) -> AdmittedRequest {
        var (resolved, clamps) = (whole, 0)
        // Known from here on, of a refusal too: its headers tell what is left of the model's quotas.
        whole.exchange.notes.update { [alias = whole.route.alias] in $0.model = alias }
        while true {
            switch try await attempt(resolved) {
            case .admitted(let reservation):
                if clamps > 0 {
                    resolved.exchange.notes.update { [bound = resolved.choiceBound] notes in
                        notes.clampedBound = bound
                    }
                }
                return AdmittedRequest(
                    resolved, reservation: reservation, admittedAt: time.uptime)
            case .denied(let denial):
                guard clamps < Self.mostClamps, let smaller = clamped(resolved, by: denial) else {
                    throw Self.failure(of: denial, resolved)
                }
                (resolved, clamps) = (smaller, clamps + 1)
            }
        }
    }

    private static func failure(
        of denial: Denial, _ resolved: ResolvedRequest
    ) -> GatewayFailure {
        let largest = denial.resource == .tokens ? denial.reason.mostAtOnce(denial.limit) : nil
        return .denied(
            denial.of(resolved.route.alias),
            largestCompletion: largest.map { max(0, $0 - resolved.bound.prompt) })
    }

    private func attempt(_ resolved: ResolvedRequest) async throws(GatewayFailure) -> Admission {
        var request = AdmissionRequest(
            requestID: resolved.exchange.requestID, principal: resolved.principal,
            bound: resolved.bound, model: resolved.route.alias, backend: resolved.candidate.name,
            price: resolved.price)
        // The name itself goes no further than to the backend.
        if let user = resolved.request.user ?? resolved.request.safetyIdentifier, !user.isEmpty {
            request.user = keys.userHash(of: user, in: resolved.principal.organization)
        }
        Failpoint.pass("admit")
        do {
            return try await ledger.admit(request)
        } catch {
            throw error == .draining ? .draining : .meteringUnavailable(error)
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
