import Domain
import Ledger

/// A request's story as people and programs see it.
struct ExplainView {
    /// The story.
    let story: RequestStory
    /// Whose request it is.
    let organization: OrganizationEntry

    /// The story for programs: one object, the same fields for every request.
    var record: Record {
        let outcome = outcome
        let bound = bound
        let price = story.prices?.price
        func number(_ value: Int64?) -> Record.Value { .optional(value) }
        return Record([
            ("request_id", .text("req_\(story.id)")), ("state", .text(stateName)),
            ("organization", .text(organization.name)), ("team", .text(story.team)),
            ("key", .text(story.key.description)), ("key_name", .text(story.keyName)),
            ("model", .text(story.model)), ("backend", .text(story.backend)),
            ("price_version", number(story.prices?.version)),
            ("price_prompt_nanousd", number(price?.prompt.rawValue)),
            ("price_cached_nanousd", number(price?.cached.rawValue)),
            ("price_cache_write_nanousd", number(price?.cacheWrite.rawValue)),
            ("price_completion_nanousd", number(price?.completion.rawValue)),
            ("price_audio_prompt_nanousd", number(price?.audioPrompt?.rawValue)),
            ("price_audio_completion_nanousd", number(price?.audioCompletion?.rawValue)),
            ("price_search_fee_nanousd", number(price?.fee.rawValue)),
            ("prompt_bound", number(bound?.prompt)),
            ("completion_bound", number(bound?.completion)),
            ("cost_bound_nanousd", number(bound?.cost.rawValue)),
            ("prompt_tokens", number(outcome?.usage.prompt)),
            ("cached_tokens", number(outcome?.usage.cached)),
            ("cache_write_tokens", number(outcome?.usage.cacheWrite)),
            ("completion_tokens", number(outcome?.usage.completion)),
            ("reasoning_tokens", number(outcome?.usage.reasoning)),
            ("audio_prompt_tokens", number(outcome?.usage.audioPrompt)),
            ("audio_completion_tokens", number(outcome?.usage.audioCompletion)),
            ("charged_tokens", number(outcome?.charged)),
            ("overage_tokens", number(outcome?.overage)),
            ("cost_nanousd", number(outcome?.cost.rawValue)),
            ("corrected_cost_nanousd", number(correctedCost?.rawValue)),
            ("basis", .optional(outcome.map { Self.name($0.basis) })),
            ("end_state", .optional(outcome?.endState.name)),
            ("admitted_at", .text(TimeText.iso(story.admittedAt))),
            ("settled_at", .optional(outcome.map { TimeText.iso($0.settledAt) })),
            ("first_token_us", number(outcome?.timeToFirstToken?.microseconds)),
            ("duration_us", number(outcome?.duration.microseconds)),
            ("user_hash", .optional(story.user?.description)),
            ("node", .text(String(UInt64(bitPattern: story.node), radix: 16))),
            ("attempts", .names(story.attempts.map { Self.words($0) })),
            ("price_corrections", .names(story.priceCorrections.map { words($0) })),
            ("accounts", .names(story.shares.map { share($0) })),
        ])
    }

    /// The story for people.
    var details: [(name: String, value: String)] {
        var pairs: [(name: String, value: String)] = [
            ("Request", "req_\(story.id)"), ("State", stateWords),
            ("Organization", organization.name), ("Team", story.team),
            ("Key", "\(story.key) (\(story.keyName))"), ("Model", story.model),
            ("Backend", story.backend), ("Price", priceWords),
            ("Admitted", TimeText.iso(story.admittedAt)),
        ]
        if let bound {
            pairs += [
                ("Bound", "prompt \(count(bound.prompt)), completion \(count(bound.completion))"),
                ("Highest cost", dollars(bound.cost)),
            ]
        }
        if let outcome { pairs += facts(outcome) }
        pairs += story.attempts.enumerated().map {
            (name: $0 == 0 ? "Attempts" : "", value: Self.words($1))
        }
        pairs += story.priceCorrections.enumerated().map {
            (name: $0 == 0 ? "Priced anew" : "", value: words($1))
        }
        if !story.priceCorrections.isEmpty, let correctedCost {
            pairs.append(("Cost now", dollars(correctedCost)))
        }
        if let user = story.user { pairs.append(("User's hash", "\(user)")) }
        pairs.append(("Node", String(UInt64(bitPattern: story.node), radix: 16)))
        pairs += story.shares.enumerated().map {
            (name: $0 == 0 ? "Accounts" : "", value: share($1))
        }
        if story.shares.isEmpty { pairs.append(("Accounts", "none: no quota applied")) }
        return pairs
    }

    private func facts(_ outcome: RequestStory.Outcome) -> [(name: String, value: String)] {
        let usage = outcome.usage
        func sound(_ tokens: Int64) -> String { tokens == 0 ? "" : ", \(count(tokens)) audio" }
        return [
            (
                "Prompt",
                "\(count(usage.prompt)) tokens: \(count(usage.cached)) cached,"
                    + " \(count(usage.cacheWrite)) written to the cache"
                    + sound(usage.audioPrompt)
            ),
            (
                "Completion",
                "\(count(usage.completion)) tokens: \(count(usage.reasoning)) reasoning"
                    + sound(usage.audioCompletion)
            ),
            ("Charged", "\(count(outcome.charged)) tokens"),
            ("Overage", outcome.overage == 0 ? "none" : "\(count(outcome.overage)) tokens"),
            ("Cost", dollars(outcome.cost)), ("Basis", Self.words(outcome.basis)),
            ("End", Self.words(outcome.endState)),
            ("First token", outcome.timeToFirstToken.map { after($0) } ?? "none"),
            ("Duration", after(outcome.duration)), ("Settled", TimeText.iso(outcome.settledAt)),
        ]
    }

    private var outcome: RequestStory.Outcome? {
        if case .settled(let outcome) = story.state { outcome } else { nil }
    }
    private var bound: RequestStory.Bound? {
        if case .open(let bound, _) = story.state { bound } else { nil }
    }

    private var stateName: String {
        switch story.state {
        case .open(_, let isFenced): isFenced ? "awaiting_sweep" : "open"
        case .settled(let outcome):
            if story.shares.contains(where: { $0.correctedAt != nil }) {
                "corrected"
            } else {
                switch outcome.basis {
                case .swept: "swept"
                case .void: "void"
                case .reported, .counted, .recovered, .late: "settled"
                }
            }
        }
    }

    private var stateWords: String {
        switch stateName {
        case "open": "open: its claims are held at its bound"
        case "awaiting_sweep": "open: its node is gone, and a sweep will charge its bound"
        case "corrected": "charged at its bound, then corrected"
        case "swept": "charged at its bound: its node is gone"
        case "void": "came to nothing, and was not charged"
        default: "settled"
        }
    }

    private var priceWords: String {
        guard let prices = story.prices else { return "none" }
        guard let price = prices.price else { return "version \(prices.version), unknown" }
        return "per million tokens: prompt \(dollars(price.prompt)), cached"
            + " \(dollars(price.cached)), cache write \(dollars(price.cacheWrite)), completion"
            + " \(dollars(price.completion))"
            + (price.audioPrompt.map { ", audio \(dollars($0))" } ?? "")
            + (price.audioCompletion.map { ", spoken \(dollars($0))" } ?? "")
            + (price.fee > .zero ? "; a search \(dollars(price.fee))" : "")
            + " (version \(prices.version))"
    }

    /// What it costs with all corrections of its price; nil while it is open.
    private var correctedCost: NanoUSD? {
        outcome.map { outcome in
            NanoUSD(
                rawValue: story.priceCorrections.reduce(outcome.cost.rawValue) {
                    $0 + $1.difference.rawValue
                })
        }
    }

    private func words(_ correction: RequestStory.PriceCorrection) -> String {
        "\(StatementView.amount(Int128(correction.difference.rawValue), .cost)) on"
            + " \(TimeText.iso(correction.at)), by version \(correction.version)"
    }

    private func share(_ share: RequestStory.Share) -> String {
        let resource = share.quota?.resource ?? .tokens
        let amount = StatementView.amount(Int128(share.amount), resource)
        let unit = resource == .cost ? "" : " \(resource.name)"
        let correction =
            share.correctedAt.map {
                ", corrected by \(StatementView.amount(Int128(share.correction), resource)) on"
                    + " \(TimeText.iso($0))"
            } ?? ""
        guard let quota = share.quota else {
            return "#\(share.account): \(share.amount)\(correction)"
        }
        let name = share.subjectName.map { QuotedText.quoted($0) } ?? "#\(quota.subject.id)"
        let period =
            quota.period == .total
            ? "in total" : "in the \(quota.period.name) from \(quota.start)"
        let model = share.model.map { " of \(QuotedText.quoted($0))" } ?? ""
        return "\(quota.subject.kind.name) \(name), \(quota.resource.name)\(model) \(period):"
            + " \(amount)\(unit)\(correction)"
    }

    private func count(_ number: Int64) -> String { Self.count(number) }

    private func dollars(_ amount: NanoUSD) -> String { "$\(amount)" }

    private func after(_ duration: Duration) -> String { Self.milliseconds(duration) }
}
