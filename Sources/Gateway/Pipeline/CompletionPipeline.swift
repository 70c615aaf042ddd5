import Domain

/// Answers one chat completion: check, resolve, admit, forward, meter.
struct CompletionPipeline: Sendable {
    let ledger: any QuotaLedger
    let idempotency: any IdempotencyLedger
    /// Knows how the ledger is told of a client's own user.
    let keys: any KeyDirectory
    let catalog: CatalogHolder
    let routing: Routing
    let time: any TimeSource
    /// The bound on completion tokens where neither the client nor the key names one.
    let defaultCompletionTokens: Int64
    let safeguard: Safeguard
    /// Nil where nobody has set one up; checks that need one are then refused by name.
    let judge: Judge?
    /// Nil where nobody pays for copies; then none are made.
    let shadows: Shadows?

    /// Answers a request.
    ///
    /// When it returns, the ledger has accepted the request (gate G1): a stream has begun and a
    /// whole answer is settled. When it throws, nothing is left open.
    func respond(
        to request: ChatCompletionRequest, from principal: Principal, in exchange: Exchange
    ) async throws(GatewayFailure) -> CompletionResponse {
        guard let claim = exchange.claim else {
            return .metered(try await answer(request, from: principal, in: exchange))
        }
        if let end = try await take(claim) { return try replay(end) }
        do throws(GatewayFailure) {
            // A client that left while its key was claimed has nothing reserved.
            if let departure = exchange.presence.departure { throw departure.failure }
            return .metered(try await answer(request, from: principal, in: exchange))
        } catch {
            await giveBack(claim, unlessChargedIn: exchange)
            throw error
        }
    }

    /// The straight line: each step takes what the one before gave, so none can be left out.
    private func answer(
        _ request: ChatCompletionRequest, from principal: Principal, in exchange: Exchange
    ) async throws(GatewayFailure) -> MeteredResponse {
        var resolved = try resolve(request, for: principal, in: exchange)
        if request.personalData != nil {
            // Other texts have another bound.
            let checked = try await safeguard.passing(
                request, of: principal.key, in: exchange)
            resolved = try resolve(checked, for: principal, in: exchange)
        }
        let admitted = try await admit(try await measured(resolved))
        let forwarded: ForwardedAnswer
        if let objection = await objection(to: admitted) {
            forwarded = .stopped(.objection(objection))
        } else {
            shadow(admitted)
            forwarded = await forward(admitted)
        }
        let response = try await meter(forwarded, for: admitted)
        return try await passing(response, resolved.request, in: exchange)
    }
}
