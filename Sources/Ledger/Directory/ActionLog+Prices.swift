import Domain

/// What is told of prices.
extension ActionLog {
    /// Notes that a version came into force for a model's terms, or none.
    mutating func note(
        _ price: Price?, after before: Price?, of model: String, _ terms: PriceTerms
    ) {
        note(
            price == nil ? .priceClear : .priceSet, .model(model), of: nil,
            before: before?.actionState(terms), after: price?.actionState(terms))
    }
}

extension ActionSubject {
    /// A model alias.
    static func model(_ alias: String) -> ActionSubject {
        ActionSubject(kind: .model, id: nil, name: alias)
    }
}

extension Price {
    /// In dollars, per million tokens but for the fee.
    fileprivate func actionState(_ terms: PriceTerms) -> ActionState {
        func dollars(_ amount: NanoUSD?) -> ActionState.Value? {
            amount.map { .text($0.description) }
        }
        return ActionState([
            ("terms", .text(terms.name)), ("version", .text(String(version))),
            ("prompt_usd_per_mtok", dollars(prompt)), ("cached_usd_per_mtok", dollars(cached)),
            ("cache_write_usd_per_mtok", dollars(cacheWrite)),
            ("completion_usd_per_mtok", dollars(completion)),
            ("audio_prompt_usd_per_mtok", dollars(audioPrompt)),
            ("audio_completion_usd_per_mtok", dollars(audioCompletion)),
            ("fee_usd", fee > .zero ? dollars(fee) : nil),
        ])
    }
}
