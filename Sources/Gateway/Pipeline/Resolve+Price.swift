import Domain

extension CompletionPipeline {
    /// The request and its price: that of speech where the answer is to be spoken, or else of the
    /// service tier that it asks for, and the fee of a search. What nobody has priced at a model
    /// that has prices is refused by name.
    func priced(
        _ request: ChatCompletionRequest, at route: ModelRoute
    ) throws(GatewayFailure) -> (ChatCompletionRequest, Price?) {
        let (request, price) =
            request.speech == nil ? try tiered(request, at: route) : try spoken(request, at: route)
        var fee = NanoUSD.zero
        if request.webSearch != nil {
            guard let terms = route.search, terms.fee != nil || price == nil else {
                throw .invalidRequest(.unsupported("web_search_options"))
            }
            fee = terms.fee ?? .zero
        }
        return (request, price?.adding(fee: fee).limited(to: request))
    }

    /// A tier that nobody has priced is refused, but for the one that a silent client gets, which is
    /// then not asked for.
    private func tiered(
        _ request: ChatCompletionRequest, at route: ModelRoute
    ) throws(GatewayFailure) -> (ChatCompletionRequest, Price?) {
        guard let tier = request.serviceTier else { return (request, route.price) }
        if let price = route.tiers[tier] { return (request, price) }
        return (try usual(request), route.price)
    }

    /// Sound has one price, whatever the tier: one for all of such a request, or else that of its
    /// class in the model's usual one.
    private func spoken(
        _ request: ChatCompletionRequest, at route: ModelRoute
    ) throws(GatewayFailure) -> (ChatCompletionRequest, Price?) {
        let price = route.price
        guard let terms = route.speech,
            terms.price != nil || price == nil || price?.audioCompletion != nil
        else { throw .invalidRequest(.unsupported("modalities")) }
        return (try usual(request), terms.price ?? price)
    }

    /// The same without its tier, which has to be the one that a silent client gets.
    private func usual(
        _ request: ChatCompletionRequest
    ) throws(GatewayFailure) -> ChatCompletionRequest {
        guard request.serviceTier?.isUsual ?? true else {
            throw .invalidRequest(.unsupported("service_tier"))
        }
        var request = request
        request.serviceTier = nil
        return request
    }
}

extension ResolvedRequest {
    /// The price of the tier in which the backend says that it served the request; nil where it
    /// says nothing, nobody has priced it, or the tier made no difference to the price.
    func price(servedIn tier: ServiceTier?) -> Price? {
        guard let tier, let price, request.speech == nil else { return nil }
        let told = route.tiers[tier] ?? (tier.isUsual ? route.price : nil)
        let served = told?.adding(fee: price.fee).limited(to: request)
        return served == price ? nil : served
    }
}

extension Price {
    /// The same version as far as it concerns a request: where there can be no sound, none is
    /// reserved.
    fileprivate func limited(to request: ChatCompletionRequest) -> Price {
        limited(toAudioPrompt: request.mayHaveSound, audioCompletion: request.speech != nil)
    }
}

extension ChatCompletionRequest {
    /// Whether its prompt may have sound in it.
    var mayHaveSound: Bool {
        let part = firstPart { part in
            switch part {
            case .text, .image: false
            case .audio, .video, .file: true
            }
        }
        return (part ?? firstSpoken) != nil
    }
}
