import Domain

extension CompletionPipeline {
    /// Decides the route, the backends and the bound of a request. No effect.
    func resolve(
        _ request: ChatCompletionRequest, for principal: Principal, in exchange: Exchange
    ) throws(GatewayFailure) -> ResolvedRequest {
        let route: ModelRoute
        switch catalog.current.resolve(request.model, for: principal) {
        case .route(let found): route = found
        case .forbidden: throw .modelForbidden(request.model)
        case .unknown: throw .modelUnknown(request.model)
        }
        if route.isRetired { throw .modelRetired(request.model) }
        return try resolve(request, along: route, for: principal, in: exchange)
    }

    /// The same along a route that is known.
    func resolve(
        _ request: ChatCompletionRequest, along route: ModelRoute, for principal: Principal,
        in exchange: Exchange
    ) throws(GatewayFailure) -> ResolvedRequest {
        try Self.assertInRange(request, at: route)
        let (request, price) = try priced(request, at: route)
        if price == nil,
            principal.quotas.contains(where: { $0.resource == .cost && $0.counts(route.alias) })
        {
            // Counted as nothing it would pass any limit on money.
            throw .modelUnpriced(route.alias)
        }
        let choiceBound = PromptBound.completion(
            asked: request.maximumCompletionTokens,
            fallback: principal.defaultCompletionTokens ?? defaultCompletionTokens,
            maximum: route.maximumCompletionTokens, contextTokens: route.contextTokens)
        let (candidate, others) = try candidates(of: route, for: request, bound: choiceBound)
        if judge == nil, let check = request.judgedChecks.first {
            // A check that nobody has set up is refused, never skipped.
            throw .invalidRequest(.unsupported(check.parameter))
        }
        if let path = request.firstPart(where: { PromptBound.tokens(of: $0, at: route) == nil }) {
            // Nobody knows how many tokens it is to this model, so none can be reserved.
            throw .invalidRequest(.unsupported(path))
        }
        if let path = request.firstSpoken, route.speech?.historyTokens == nil {
            throw .invalidRequest(.unsupported(path))
        }
        try Self.assertReadable(request)
        // Every choice may be as long as it is allowed to; the prompt is the same for all.
        let bound = TokenBound(
            prompt: PromptBound.tokens(request, at: route),
            completion: Int64(request.choices) * (choiceBound + PromptBound.rejected(request)))
        return ResolvedRequest(
            request: request, principal: principal, route: route, price: price,
            candidate: candidate, others: others, bound: bound, choiceBound: choiceBound,
            promptBytes: PromptBound.bytes(request), exchange: exchange)
    }

    /// A model may take less than the contract's range, whichever of its backends is to answer: what
    /// one of them would take is not to depend on which of them is well.
    private static func assertInRange(
        _ request: ChatCompletionRequest, at route: ModelRoute
    ) throws(GatewayFailure) {
        let most = Double(route.maximumTemperatureThousandths) / 1000
        guard let temperature = request.temperature, temperature > most else { return }
        throw .invalidRequest(.above("temperature", most, at: "this model"))
    }

    /// A check of what goes in reads text: what it cannot read it must not seem to have checked.
    private static func assertReadable(
        _ request: ChatCompletionRequest
    ) throws(GatewayFailure) {
        let check =
            request.personalData != nil
            ? "input.pii" : request.blocksPromptInjection ? "input.block_prompt_injection" : nil
        guard let check else { return }
        let path = request.firstPart { part in
            switch part {
            case .text, .image: false
            case .audio, .video, .file: true
            }
        }
        guard let path = path ?? request.firstSpoken else { return }
        throw .invalidRequest(
            RequestFault(
                "'\(check)' reads text only, and '\(path)' is none.", parameter: path,
                code: .unsupportedParameter))
    }

    /// The backends that take requests and can honour this one, in the order in which it tries
    /// them: the first, and the rest.
    ///
    /// A parameter is refused when no backend can honour it, whether they take requests now or not:
    /// what a client has to mend is not to depend on which of them is well. Otherwise the reason of
    /// the preferred one of those that could is told.
    private func candidates(
        of route: ModelRoute, for request: ChatCompletionRequest, bound: Int64
    ) throws(GatewayFailure) -> (Candidate, [Candidate]) {
        var unsupported: String?
        var unavailability: BackendFailure?
        var first: Candidate?
        var others: [Candidate] = []
        for target in route.order(random: routing.random) {
            guard let candidate = routing.candidate(target, of: route) else { continue }
            if let parameter = candidate.backend.unsupportedParameter(
                in: request, completionBound: bound)
            {
                unsupported = unsupported ?? parameter
            } else if let failure = candidate.backend.unavailability {
                unavailability = unavailability ?? failure
            } else if let wait = candidate.health.refusal(time) {
                unavailability = unavailability ?? .leftAlone(for: wait)
            } else if first == nil {
                first = candidate
            } else {
                others.append(candidate)
            }
        }
        if let first { return (first, others) }
        if let unavailability { throw .backend(unavailability.kind) }
        if let unsupported { throw .invalidRequest(.unsupported(unsupported)) }
        throw .noBackend
    }
}
