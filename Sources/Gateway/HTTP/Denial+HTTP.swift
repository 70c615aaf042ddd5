import Domain

extension Denial {
    /// A refusal by a quota or a rate limit, with its numbers (`ledger.md` §5).
    func answer(largestCompletion: Int64?, spread: UInt64) -> ErrorAnswer {
        switch reason {
        case .rateLimited(let dimension):
            return ErrorAnswer(
                status: 429, type: resource == .tokens ? "tokens" : "requests",
                code: "rate_limit_exceeded", parameter: nil, message: rateMessage(dimension)
            ).retry(after: retryAfter ?? .seconds(1), spread: spread)
        case .quotaExhausted:
            let answer = ErrorAnswer(
                status: 429, type: "insufficient_quota", code: "insufficient_quota", parameter: nil,
                message: quotaMessage("has no room left for this request"))
            // A client waits two minutes at most: a later reset is for a person to know, not for a
            // loop.
            guard let retryAfter, retryAfter <= .seconds(120) else {
                return answer.with("x-should-retry", "false")
            }
            return answer.retry(after: retryAfter, spread: spread).with("x-should-retry", "true")
        case .quotaReserved:
            return ErrorAnswer(
                status: 429, type: resource == .requests ? "requests" : "tokens",
                code: "budget_reserved", parameter: nil,
                message: quotaMessage("is held by requests that are still running")
            ).retry(after: max(retryAfter ?? .zero, .seconds(1)), spread: spread)
                .with("x-should-retry", "true")
        case .keyShareReserved(let most):
            return ErrorAnswer(
                status: 429, type: resource == .requests ? "requests" : "tokens",
                code: "budget_reserved", parameter: nil,
                message: shareMessage(most)
            ).retry(after: max(retryAfter ?? .zero, .seconds(1)), spread: spread)
                .with("x-should-retry", "true")
        case .exceedsKeyShare(let most):
            return .invalid(
                400, tooLargeMessage(largestCompletion, most: most),
                code: "max_tokens_exceed_budget", parameter: "max_tokens")
        case .exceedsLimit:
            return .invalid(
                400, tooLargeMessage(largestCompletion), code: "max_tokens_exceed_budget",
                parameter: "max_tokens")
        }
    }

    private func rateMessage(_ dimension: RateLimit.Dimension) -> String {
        let numbers = used.map { " \($0) used," } ?? ""
        let name = "\(subject.kind.name)'s rate limit \(dimension.name) of \(limit)\(modelName)"
        return "The \(name) is reached:\(numbers) \(requested) requested."
    }

    private func quotaMessage(_ verdict: String) -> String {
        var text = "The \(subject.kind.name)'s \(quotaName) \(verdict):"
        if let used { text += " \(amount(used)) used," }
        if let reserved { text += " \(amount(reserved)) reserved," }
        text += " \(amount(requested)) requested."
        if let resetsAt { text += " It resets at \(resetsAt.iso8601)." }
        return text
    }

    private func shareMessage(_ most: Int64) -> String {
        "Running requests of one key may hold \(amount(most)) of the \(subject.kind.name)'s "
            + "\(quotaName) at a time: \(amount(reserved ?? 0)) reserved, \(amount(requested)) requested."
    }

    private func tooLargeMessage(_ largestCompletion: Int64?, most: Int64? = nil) -> String {
        var text = "This request alone is larger than "
        if let most { text += "the \(amount(most)) that one key may hold at a time of " }
        text += "the \(subject.kind.name)'s \(quotaName): it may need \(amount(requested))."
        guard let largestCompletion else { return text }
        return largestCompletion > 0
            ? text + " The largest 'max_tokens' that fits these messages is \(largestCompletion)."
            : text + " The messages alone do not fit."
    }

    private var quotaName: String {
        guard let period else { return "limit of \(amount(limit)) per minute\(modelName)" }
        let span = period == .total ? "in total" : "per \(period.name)"
        return "quota of \(amount(limit)) \(span)\(modelName)"
    }

    /// Names the model if the limit is of one: another model may have room.
    private var modelName: String { model.map { " for model '\($0)'" } ?? "" }

    private func amount(_ units: Int64) -> String {
        switch resource {
        case .tokens: "\(units) tokens"
        case .requests: "\(units) requests"
        case .cost: "\(NanoUSD(rawValue: units)) USD"
        }
    }
}

extension Timestamp {
    /// ISO 8601 to the second, in UTC: `2026-11-22T00:00:00Z`.
    var iso8601: String {
        let second = Int(seconds - day.start.seconds)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return "\(day)T\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60))Z"
    }
}
